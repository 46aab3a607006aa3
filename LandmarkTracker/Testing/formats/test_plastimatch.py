from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import plastimatch
from LandmarkTrackerLib.formats.fcsv import read_fcsv
from LandmarkTrackerLib.formats.scans import ScanPair


def test_text_survives_to_the_last_digit(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(4, 3)) / 3
    plastimatch.write_points(tmp_path / "p.txt", points)
    np.testing.assert_array_equal(plastimatch.parse(tmp_path / "p.txt").values(), points)


def test_comments_and_commas_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("# comment\n1.5 , 2 , -3\n\n4 5 6\n")
    np.testing.assert_array_equal(plastimatch.parse(tmp_path / "p.txt").values(), [[1.5, 2, -3], [4, 5, 6]])


def test_a_line_that_is_no_point_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("1 2\n")
    with pytest.raises(InputError, match="not a point"):
        plastimatch.parse(tmp_path / "p.txt")


def test_point_lists_are_ras_and_say_so(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    """plastimatch ignores the header and takes every .fcsv for RAS; Slicer believes the header."""
    scans = scan_pair(3)
    plastimatch.export(tmp_path, scans)
    assert "# CoordinateSystem = RAS" in (tmp_path / "fixed.fcsv").read_text()
    for role in ("fixed", "moving"):
        points = getattr(scans.pairs, role)
        # What plastimatch reads: the numbers as they are, in RAS.
        numbers = [line.split(",")[1:4] for line in (tmp_path / f"{role}.fcsv").read_text().splitlines()[3:]]
        np.testing.assert_allclose(np.array(numbers, dtype=float) * (-1, -1, 1), points)
        np.testing.assert_allclose(read_fcsv(tmp_path / f"{role}.fcsv").positions, points)


def test_slices_are_refused(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    with pytest.raises(InputError, match="volumes only"):
        plastimatch.export(tmp_path, scan_pair(2))


@pytest.mark.skipif(not shutil.which("plastimatch"), reason="plastimatch is not installed")
def test_plastimatch_warps_along_the_pairs(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    scans = scan_pair(3)
    plastimatch.export(tmp_path, scans)
    script = (tmp_path / "register.sh").read_text()
    warp = next(line for line in script.splitlines() if "lm-warp" in line)
    subprocess.run(["sh", "-c", warp], cwd=tmp_path, check=True, capture_output=True)
    field = sitk.DisplacementFieldTransform(
        sitk.Cast(sitk.ReadImage(str(tmp_path / "thin_plate_field.mha")), sitk.sitkVectorFloat64)
    )
    mapped = np.array([field.TransformPoint(point) for point in scans.pairs.fixed.tolist()])
    np.testing.assert_allclose(mapped, scans.pairs.moving, atol=0.2)
