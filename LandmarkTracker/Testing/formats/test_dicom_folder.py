from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import describe_file, open_cine, read_image
from LandmarkTrackerLib.formats.dicom_folder import slices_in
from LandmarkTrackerLib.geometry import Grid

NORMAL = np.array([0.6, 0.0, 0.8])
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


@pytest.fixture
def write(tmp_path: Path, volume: Callable[..., sitk.Image]) -> Callable[..., Path]:
    """Write one oblique DICOM slice into a folder; its pixels begin with `value`. Tags by keyword."""
    tags = {
        "series": "0020|000e",
        "number": "0020|0011",
        "text": "0008|103e",
        "kind": "0008|0008",
        "trigger": "0018|1060",
        "time": "0008|0032",
        "date": "0008|0022",
        "instance": "0020|0013",
    }
    count = iter(range(10_000))

    def one(
        value: int, depth: float = 0.0, name: str = "", direction: tuple[float, ...] = (), **stated: object
    ):
        image = volume(size=(7, 5, 1)) + value
        image.SetOrigin((np.array(image.GetOrigin()) + depth * NORMAL).tolist())
        if direction:
            image.SetDirection(direction)
        stated = {"series": "1.2.3", "number": 5, "text": "SSFP SA", **stated}
        for key, text in stated.items():
            image.SetMetaData(tags[key], str(text))
        n = next(count)
        image.SetMetaData("0008|0018", f"1.2.3.4.{n + 1}")
        image.SetMetaData("0020|000d", "1.2")
        path = tmp_path / (name or f"{n:04d}.dcm")
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetImageIO("GDCMImageIO")
        writer.SetFileName(str(path))
        writer.Execute(image)
        return tmp_path

    return one


def values(cine) -> list[int]:
    """What the pixels of each frame begin with."""
    return [int(frame[0, 0, 0]) for frame in cine]


def test_frames_come_in_the_order_of_their_trigger_times(write):
    for value, trigger in ((30, "66.25"), (10, "0"), (20, "33.125")):
        folder = write(value, trigger=trigger, time="101112.5", instance=100 - value)
    cine = open_cine(folder)
    assert (list(cine.times), cine.time_unit) == ([0, 33.125, 66.25], "ms")
    assert values(cine) == [10, 20, 30]


def test_geometry_is_that_of_the_files(write, volume):
    write(1, depth=5.0, trigger=0)
    cine = open_cine(write(2, depth=5.0, trigger=40))
    expected = Grid.of(volume(size=(7, 5, 1)))
    np.testing.assert_allclose(cine.grid.axes, expected.axes, atol=1e-12)
    np.testing.assert_allclose(cine.grid.origin, np.array(expected.origin) + 5 * NORMAL, atol=1e-12)
    assert Grid.of(cine[1]).same_place(cine.grid)


def test_without_trigger_times_the_time_of_acquisition_orders_frames_over_midnight(write):
    write(30, trigger=0, time="000000.25", date="20240301", instance=1)
    write(10, trigger=0, time="235959.5", date="20240229", instance=3)
    cine = open_cine(write(20, trigger=0, time="235959.75", date="20240229", instance=2))
    assert values(cine) == [10, 20, 30]
    assert (list(cine.times), cine.time_unit) == ([0, 250, 750], "ms")


def test_without_times_the_instance_number_orders_frames(write):
    write(30, instance=12)
    write(10, instance=2)
    cine = open_cine(write(20, instance=10))
    assert values(cine) == [10, 20, 30]
    assert (list(cine.times), cine.time_unit) == ([0, 1, 2], "frame")


def test_copies_of_a_frame_cannot_be_put_in_order(write):
    write(1, instance=1)
    with pytest.raises(InputError, match="neither trigger time, acquisition time nor instance number"):
        open_cine(write(1, instance=1))


def test_several_slices_are_listed_and_one_is_chosen_never_mixed(write):
    for frame in range(3):
        for n, depth in enumerate((16.0, 0.0, 8.0)):
            folder = write(100 * n + frame, depth=depth, trigger=40 * frame)
    with pytest.raises(InputError, match="holds 3 slices; choose one with --slice") as raised:
        open_cine(folder)
    for name in (
        "'SSFP SA/slice 01' (3 files)",
        "'SSFP SA/slice 02' (3 files)",
        "'SSFP SA/slice 03' (3 files)",
    ):
        assert name in str(raised.value)
    assert values(open_cine(folder, "SSFP SA/slice 01")) == [100, 101, 102]
    assert values(open_cine(folder, "SSFP SA/slice 03")) == [0, 1, 2]
    assert open_cine(folder, "SSFP SA/slice 02").name.endswith("SSFP SA slice 02")
    with pytest.raises(
        InputError, match="has no cine 'slice 9'; choose with --slice from 'SSFP SA/slice 01'"
    ):
        open_cine(folder, "slice 9")
    lines = describe_file(folder)
    assert "3 slices" in lines[0]
    assert lines[2] == "SSFP SA/slice 02: 3 files"


def test_series_kinds_of_image_and_orientations_are_told_apart(write):
    for frame in range(2):
        trigger = 40 * frame
        write(frame, trigger=trigger, series="1.2.3", kind="ORIGINAL\\PRIMARY\\M")
        write(10 + frame, trigger=trigger, series="1.2.3", kind="ORIGINAL\\PRIMARY\\P")
        write(20 + frame, trigger=trigger, series="1.2.4", number=6)
        write(30 + frame, trigger=trigger, series="1.2.5", number=7, text="LAX/2 chamber")
        folder = write(40 + frame, trigger=trigger, series="1.2.6", number=8, text="", direction=SAGITTAL)
        write(50 + frame, trigger=trigger, series="1.2.6", number=8, text="")
    names = list(slices_in(folder))
    assert len(names) == len(set(names)) == 6
    assert all(name.isprintable() for name in names)
    assert "LAX 2 chamber/slice 01" in names
    assert {"series 8/slice 01", "series 8/slice 02"} <= set(names)
    assert sorted(values(open_cine(folder, name))[0] for name in names) == [0, 10, 20, 30, 40, 50]
    assert all(np.ptp(values(open_cine(folder, name))) == 1 for name in names)


def test_single_images_beside_a_cine_do_not_stand_in_its_way(write):
    write(90, series="1.2.9", text="scout", depth=50)
    write(1, trigger=0)
    assert values(open_cine(write(2, trigger=40))) == [1, 2]


def test_files_need_no_suffix_and_the_index_is_no_image(write):
    write(1, trigger=0, name="IM0001")
    folder = write(2, trigger=40, name="1.2.840.7")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (folder / "._IM0001.dcm").write_bytes(b"what macOS leaves on a disk")
    (folder / "notes.txt").write_text("first visit")
    assert values(open_cine(folder)) == [1, 2]


def test_a_stack_of_slices_is_a_volume_and_no_cine(write):
    for value, depth in ((3, 16.0), (1, 0.0), (2, 8.0)):
        folder = write(value, depth=depth, instance=value)
    with pytest.raises(InputError, match="holds 3 slices of one image each, not a cine"):
        open_cine(folder)
    image = read_image(folder)
    assert image.GetSize() == (7, 5, 3)
    assert [image[0, 0, k] for k in range(3)] == [1, 2, 3]
    np.testing.assert_allclose(image.TransformContinuousIndexToPhysicalPoint((0, 0, 2)), (-20.5, 12.25, 19.8))


def test_slices_that_make_no_volume_are_refused(write):
    write(1, depth=0.0, instance=1)
    write(2, depth=8.0, instance=2)
    folder = write(3, depth=20.0, instance=3)
    with pytest.raises(InputError, match="not parallel and evenly spaced"):
        read_image(folder)
    write(4, depth=0.0, instance=4)
    with pytest.raises(InputError, match="give a folder with one volume"):
        read_image(folder)


def test_a_damaged_file_is_named(write):
    write(1, trigger=0)
    folder = write(2, trigger=40)
    path = folder / "0001.dcm"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(
        InputError, match=r"0001\.dcm is damaged or not an image; copy it again or take it away"
    ):
        open_cine(folder)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"0001\.dcm is empty"):
        open_cine(folder)


def test_a_folder_with_one_file_of_several_frames_is_a_cine(tmp_path):
    stack = sitk.GetImageFromArray(np.arange(24, dtype=np.uint8).reshape(4, 2, 3))
    stack.SetMetaData("0018|1063", "40")
    sitk.WriteImage(stack, str(tmp_path / "a.dcm"))
    assert values(open_cine(tmp_path)) == [0, 6, 12, 18]
