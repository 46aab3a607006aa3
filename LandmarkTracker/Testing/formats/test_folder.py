import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine
from LandmarkTrackerLib.formats.seq_nrrd import write_cine
from LandmarkTrackerLib.images import Cine


def save(folder, names):
    """One small image a name, each holding its number."""
    for value, name in enumerate(names):
        sitk.WriteImage(sitk.GetImageFromArray(np.full((4, 6), value, np.uint8)), str(folder / name))


@pytest.mark.parametrize("suffix", [".png", ".mha", ".mhd", ".nrrd", ".nii", ".nii.gz", ".jpg", ".tif"])
def test_frames_come_in_the_natural_order_of_their_names(tmp_path, suffix):
    save(tmp_path, [f"frame{n}{suffix}" for n in (10, 2, 1)])
    (tmp_path / "times.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("not an image")
    cine = open_cine(tmp_path)
    assert [int(frame[0, 0, 0]) for frame in cine] == [2, 1, 0]
    assert (list(cine.times), cine.time_unit, cine.name) == ([0, 1, 2], "frame", tmp_path.name)


def test_volumes_are_frames_too_and_keep_their_geometry(tmp_path, volume):
    for t in range(3):
        sitk.WriteImage(volume(t), str(tmp_path / f"{t}.mha"))
    cine = open_cine(tmp_path)
    assert np.array_equal(sitk.GetArrayFromImage(cine[2]), sitk.GetArrayFromImage(volume(2)))
    assert cine[1].GetOrigin() == volume().GetOrigin()
    assert cine[1].GetDirection() == volume().GetDirection()
    assert cine[1].GetSpacing() == volume().GetSpacing()


def test_frames_that_disagree_in_size_or_geometry_are_named(tmp_path, volume):
    moved = volume(2)
    moved.SetOrigin((0.0, 0.0, 0.0))
    for t, image in enumerate([volume(0), volume(1, size=(7, 6, 3)), moved]):
        sitk.WriteImage(image, str(tmp_path / f"{t}.mha"))
    cine = open_cine(tmp_path)
    with pytest.raises(
        InputError, match=r"frame 1 has size \(7, 6, 3\) where frame 0 has \(7, 5, 3\); resample"
    ):
        cine[1]
    with pytest.raises(InputError, match="frame 2 has another position, spacing or orientation"):
        cine[2]


def test_a_damaged_frame_is_named(tmp_path):
    save(tmp_path, ["0.png", "1.png"])
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    cine = open_cine(tmp_path)
    with pytest.raises(InputError, match=r"1\.png is damaged"):
        cine[1]


def test_a_folder_that_is_no_cine_is_answered(tmp_path, volume):
    with pytest.raises(InputError, match="holds no images; give a folder of frames"):
        open_cine(tmp_path)
    save(tmp_path, ["0.png"])
    with pytest.raises(InputError, match=r"holds one image, 0\.png; a cine has two frames or more"):
        open_cine(tmp_path)
    save(tmp_path, ["0.png", "1.mha"])
    with pytest.raises(InputError, match=r"several kinds \(\.png, \.mha\); keep the frames apart"):
        open_cine(tmp_path)


def test_a_folder_of_cines_is_not_taken_for_one(tmp_path, volume):
    for name in ("a", "b"):
        write_cine(tmp_path / f"{name}.seq.nrrd", Cine.of([volume(0), volume(1)]))
    with pytest.raises(InputError, match=r"a\.seq\.nrrd is a cine of 2 frames; give one image"):
        open_cine(tmp_path)
