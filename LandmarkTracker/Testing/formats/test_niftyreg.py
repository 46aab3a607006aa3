from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import niftyreg
from LandmarkTrackerLib.formats.scans import ScanPair


@pytest.mark.parametrize("dimension", [2, 3])
def test_pairs_survive_to_the_last_digit(tmp_path: Path, dimension: int) -> None:
    fixed, moving = np.random.default_rng(1).normal(size=(2, 4, dimension)) / 3
    niftyreg.write_landmarks(tmp_path / "l.txt", fixed, moving)
    back = niftyreg.parse(tmp_path / "l.txt")
    signs = np.array([-1, -1, 1])[:dimension]
    np.testing.assert_array_equal(back.values("fixed") * signs, fixed)
    np.testing.assert_array_equal(back.values("moving") * signs, moving)


def test_every_line_has_single_spaces_and_the_file_no_empty_line(tmp_path: Path) -> None:
    """The program counts columns by spaces, and takes an empty line for a landmark."""
    niftyreg.write_landmarks(tmp_path / "l.txt", np.ones((2, 3)), np.zeros((2, 3)))
    assert (tmp_path / "l.txt").read_bytes() == b"-1 -1 1 0 0 0\n-1 -1 1 0 0 0"


def test_the_blanks_that_the_program_itself_writes_are_read(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("1 2 3 4 5 6 \n7 8 9 10 11 12 \n")
    pairs = niftyreg.parse(tmp_path / "l.txt").pairs(None, None)
    assert pairs.fixed.tolist() == [[-1, -2, 3], [-7, -8, 9]]
    assert pairs.moving.tolist() == [[-4, -5, 6], [-10, -11, 12]]


@pytest.mark.parametrize("text", ["1 2 3", "x 2 3 4 5 6", "1 2 3 4\n1 2 3 4 5 6"])
def test_what_is_no_pair_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.txt").write_text(text)
    with pytest.raises(InputError, match="NiftyReg"):
        niftyreg.parse(tmp_path / "l.txt")


def nifti_world(path: Path, index: np.ndarray) -> np.ndarray:
    """Voxels to the world that the file's sform states, as NiftyReg computes it."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    assert int(reader.GetMetaData("sform_code")) > 0
    rows = [np.array(reader.GetMetaData(f"srow_{axis}").split(), dtype=float) for axis in "xyz"]
    return index @ np.array(rows)[:, :3].T + np.array(rows)[:, 3]


@pytest.mark.parametrize("dimension", [2, 3])
def test_landmarks_lie_on_their_voxels_in_the_world_of_the_nifti_files(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], dimension: int
) -> None:
    scans = scan_pair(dimension)
    niftyreg.export(tmp_path, scans)
    written = np.loadtxt(tmp_path / "landmarks.txt")
    assert written.shape == (12, 2 * dimension)
    for role, columns in (("fixed", written[:, :dimension]), ("moving", written[:, dimension:])):
        image = getattr(scans, role).image
        points = getattr(scans.pairs, role)
        voxels = np.array([image.TransformPhysicalPointToContinuousIndex(p) for p in points.tolist()])
        world = nifti_world(
            tmp_path / f"{role}.nii.gz", np.pad(voxels[:, :dimension], ((0, 0), (0, 3 - dimension)))
        )
        np.testing.assert_allclose(columns, world[:, :dimension], atol=1e-3)
