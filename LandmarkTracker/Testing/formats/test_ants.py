from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import ants, points_csv
from LandmarkTrackerLib.formats.scans import ScanPair

POINTS = np.array([[1 / 3, -2.0, 7.5], [0.0, 0.0, 0.0], [104.9, 257.35, -141.75]])


@pytest.mark.parametrize("dimension", [2, 3])
def test_tables_survive_to_the_last_digit(tmp_path: Path, dimension: int) -> None:
    ants.write_points_csv(tmp_path / "p.csv", POINTS[:, :dimension])
    assert (tmp_path / "p.csv").read_text().startswith("x,y,z,t,label\n0.3333333333333333,-2,")
    back = points_csv.parse(tmp_path / "p.csv")
    assert back.format == "ANTs points"
    np.testing.assert_array_equal(back.values()[:, :dimension], POINTS[:, :dimension])


@pytest.mark.parametrize("dimension", [2, 3])
def test_point_sets_survive_and_no_point_is_all_zeros(tmp_path: Path, dimension: int) -> None:
    ants.write_point_set(tmp_path / "p.txt", POINTS[:, :dimension])
    lines = (tmp_path / "p.txt").read_text().splitlines()
    assert lines[0] == lines[-1] == "0 0 0 0"
    # The origin is a point too: its label keeps the reader from dropping it.
    assert lines[2] == "0 0 0 2"
    back = ants.parse_point_set(tmp_path / "p.txt").values()[:, :dimension]
    np.testing.assert_array_equal(back, POINTS[:, :dimension])


def test_the_labels_of_a_point_set_are_its_names(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("0 0 0 0\n4 5 6 2\n1 2 3 1\n0 0 0 0\n")
    read = ants.parse_point_set(tmp_path / "p.txt").landmarks()
    assert tuple(read["1"].position) == (1, 2, 3)
    assert tuple(read["2"].position) == (4, 5, 6)


@pytest.mark.parametrize(
    "text", ["1 2 3 1\n4 5 6 2\n", "0 0 0 0\n1 2 3\n0 0 0 0\n", "a b c d\n", "0 0 0 0\n1 2 3 1.5\n0 0 0 0\n"]
)
def test_a_bad_point_set_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(InputError, match="not a point set"):
        ants.parse_point_set(tmp_path / "p.txt")


def test_labels_that_are_the_same_for_all_points_are_not_names(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x,y,z,t,label\n1,2,3,0,0\n4,5,6,0,0\n")
    assert points_csv.read_points_csv(tmp_path / "p.csv").names == ("1", "2")


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_start_maps_fixed_points_to_moving_ones(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], dimension: int
) -> None:
    ants.export(tmp_path, scan_pair(dimension))
    fixed, moving = (
        points_csv.parse(tmp_path / f"{n}_points.csv").values()[:, :dimension] for n in ("fixed", "moving")
    )
    field = sitk.ReadImage(str(tmp_path / "start.nii.gz"), sitk.sitkVectorFloat64)
    start = sitk.DisplacementFieldTransform(field)
    mapped = np.array([start.TransformPoint(point) for point in fixed.tolist()])
    np.testing.assert_allclose(mapped, moving, atol=0.02)
    command = (tmp_path / "register.sh").read_text()
    assert f"antsRegistration -d {dimension} " in command
    assert "PSE[fixed_points.txt,moving_points.txt" in command
