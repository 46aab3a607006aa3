"""NIfTI headers that native readers misread or refuse."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.images import notes_of


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume whose qform is gone and whose sform is oblique."""
    image = sitk.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    image.SetSpacing((1.25, 1.5, 8.0))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "a.nii"))
    change(tmp_path / "a.nii", "h", 252, 0, 1)
    return tmp_path / "a.nii"


def change(path: Path, kind: str, offset: int, *values: float) -> None:
    raw = bytearray(path.read_bytes())
    struct.pack_into(f"<{len(values)}{kind}", raw, offset, *values)
    path.write_bytes(raw)


def same(path: Path, expected: sitk.Image) -> None:
    found = read_image(path)
    np.testing.assert_allclose(found.GetSpacing(), expected.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(found.GetOrigin(), expected.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(found.GetDirection(), expected.GetDirection(), atol=1e-5)
    assert (sitk.GetArrayFromImage(found) == sitk.GetArrayFromImage(expected)).all()


@pytest.mark.parametrize("wrong", [0.0, float("nan"), float("inf")])
def test_wrong_steps_leave_the_geometry_of_the_sform(volume: Path, wrong: float) -> None:
    expected = sitk.ReadImage(str(volume))
    change(volume, "f", 80, wrong, wrong, wrong)
    same(volume, expected)
    volume.with_suffix(".nii.gz").write_bytes(gzip.compress(volume.read_bytes()))
    same(volume.with_suffix(".nii.gz"), expected)


def test_a_slight_shear_is_read_as_the_nearest_right_angles_and_said(volume: Path) -> None:
    expected = sitk.ReadImage(str(volume))
    rows = np.array(struct.unpack("<12f", volume.read_bytes()[280:328])).reshape(3, 4)
    rows[:, 1] += 0.001 * rows[:, 0]
    change(volume, "f", 280, *rows.ravel())
    found = read_image(volume)
    np.testing.assert_allclose(found.GetDirection(), expected.GetDirection(), atol=1e-3)
    turn = np.reshape(found.GetDirection(), (3, 3))
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-6)
    assert any("off right angles" in note for note in notes_of(found))


def test_a_strong_shear_is_refused_in_a_sentence_that_says_so(volume: Path) -> None:
    rows = np.array(struct.unpack("<12f", volume.read_bytes()[280:328])).reshape(3, 4)
    rows[:, 1] += 0.3 * rows[:, 0]
    change(volume, "f", 280, *rows.ravel())
    with pytest.raises(InputError, match="degrees off right angles; resample it"):
        read_image(volume)


@pytest.mark.parametrize(("qform", "sform", "taken"), [(1, 0, "q"), (0, 1, "s"), (1, 1, "s"), (1, 2, "q")])
def test_the_form_that_slicer_takes_is_taken_packed_or_not(
    volume: Path, qform: int, sform: int, taken: str
) -> None:
    change(volume, "h", 252, qform, sform)
    change(volume, "f", 256, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0)
    origin = {"q": (-1.0, -2.0, 3.0), "s": (10.0, -20.0, 30.0)}[taken]
    np.testing.assert_allclose(read_image(volume).GetOrigin(), origin, atol=1e-4)
    volume.with_suffix(".nii.gz").write_bytes(gzip.compress(volume.read_bytes()))
    np.testing.assert_allclose(read_image(volume.with_suffix(".nii.gz")).GetOrigin(), origin, atol=1e-4)


def test_nifti_2_and_a_pair_of_files_are_read(volume: Path, tmp_path: Path) -> None:
    expected = sitk.ReadImage(str(volume))
    raw = volume.read_bytes()
    second = bytearray(544)
    struct.pack_into("<i8s", second, 0, 540, b"n+2\0\r\n\032\n")
    struct.pack_into("<2h", second, 12, *struct.unpack("<2h", raw[70:74]))
    struct.pack_into("<8q", second, 16, *struct.unpack("<8h", raw[40:56]))
    struct.pack_into("<8d", second, 104, *struct.unpack("<8f", raw[76:108]))
    struct.pack_into("<q2d", second, 168, 544, 1.0, 0.0)
    struct.pack_into("<2i", second, 344, 0, 1)
    struct.pack_into("<12d", second, 400, *struct.unpack("<12f", raw[280:328]))
    struct.pack_into("<i", second, 500, 10)
    (tmp_path / "two.nii").write_bytes(bytes(second) + raw[352:])
    same(tmp_path / "two.nii", expected)
    head = bytearray(raw[:348])
    struct.pack_into("<f", head, 108, 0.0)
    head[344:348] = b"ni1\0"
    (tmp_path / "pair.hdr").write_bytes(head)
    (tmp_path / "pair.img").write_bytes(raw[352:])
    same(tmp_path / "pair.hdr", expected)
    same(tmp_path / "pair.img", expected)
    (tmp_path / "pair.img").unlink()
    with pytest.raises(InputError, match=r"has no pair\.img beside it"):
        read_image(tmp_path / "pair.hdr")


def test_bits_that_do_not_fit_the_type_are_refused(volume: Path) -> None:
    change(volume, "h", 72, 8)
    with pytest.raises(InputError, match="states 8 bits for pixels of 16 bits"):
        read_image(volume)


@pytest.mark.parametrize("step", [0.0, -0.1, float("nan"), float("inf")])
def test_times_that_cannot_be_are_frame_numbers(tmp_path: Path, step: float) -> None:
    frames = [sitk.Image(5, 4, 3, sitk.sitkInt16) + n for n in range(4)]
    sitk.WriteImage(sitk.JoinSeries(frames), str(tmp_path / "a.nii"))
    change(tmp_path / "a.nii", "f", 92, step)
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[123] = 2 | 8
    (tmp_path / "a.nii").write_bytes(raw)
    cine = open_cine(tmp_path / "a.nii")
    assert (cine.times, cine.time_unit) == ([0.0, 1.0, 2.0, 3.0], "frame")
    assert any("frame numbers" in note for note in cine.notes)
    assert sitk.GetArrayFromImage(cine[2]).max() == 2
