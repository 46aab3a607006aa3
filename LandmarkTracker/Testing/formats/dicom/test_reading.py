"""Folders and media of DICOM files."""

import shutil

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.dicom import names_in
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import notes_of

ORIGIN = np.array([-30.5, 12.25, 7.0])
NORMAL = np.array([0.6, 0.0, 0.8])
SAGITTAL, CORONAL = [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]


def at(depth: float) -> list[float]:
    """The position of a slice `depth` mm along the normal."""
    return (ORIGIN + depth * NORMAL).tolist()


def values(cine) -> list[int]:
    """What the pixels of each frame begin with."""
    return [int(frame[0, 0, 0]) for frame in cine]


def test_frames_come_in_the_order_of_their_trigger_times(write, tmp_path):
    for value, trigger in ((30, 66.25), (10, 0), (20, 33.125)):
        write(value, TriggerTime=trigger, AcquisitionTime="101112.5", InstanceNumber=100 - value)
    cine = open_cine(tmp_path)
    assert (list(cine.times), cine.time_unit) == ([0, 33.125, 66.25], "ms")
    assert values(cine) == [10, 20, 30]
    assert cine.notes == ("times from TriggerTime",)


def test_geometry_is_that_of_the_files(write, tmp_path):
    for n in range(2):
        write(n, TriggerTime=40 * n, ImagePositionPatient=at(5))
    cine = open_cine(tmp_path)
    expected = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]]) * (1.25, 1 / 3, 8)
    np.testing.assert_allclose(cine.grid.axes, expected, atol=1e-12)
    np.testing.assert_allclose(cine.grid.origin, at(5), atol=1e-12)
    assert Grid.of(cine[1]).same_place(cine.grid)


def test_several_slices_in_step_are_volumes_unless_one_is_chosen(write, tmp_path):
    for frame in range(3):
        for n, depth in enumerate((16.0, 0.0, 8.0)):
            write(100 * n + frame, ImagePositionPatient=at(depth), TriggerTime=40 * frame + n / 8)
    cine = open_cine(tmp_path)
    assert (len(cine), cine.grid.size, cine.name) == (3, (7, 5, 3), tmp_path.name)
    np.testing.assert_allclose(cine.grid.spacing, (1.25, 1 / 3, 8))
    assert [int(cine[2][0, 0, k]) for k in range(3)] == [102, 202, 2]
    assert values(open_cine(tmp_path, "SSFP SA/slice 01")) == [100, 101, 102]
    assert values(open_cine(tmp_path, "SSFP SA/slice 03")) == [0, 1, 2]
    assert open_cine(tmp_path, "SSFP SA/slice 02").name.endswith("SSFP SA slice 02")
    with pytest.raises(
        InputError,
        match=r"has no cine 'slice 9'; choose with --slice from 'SSFP SA' \(3 volumes of 3 slices\)",
    ):
        open_cine(tmp_path, "slice 9")


def test_several_slices_that_are_not_in_step_are_listed(write, tmp_path):
    """Two parallel planes, imaged in turn."""
    for n in range(6):
        write(n, ImagePositionPatient=at(10.0 * (n % 2)), AcquisitionTime=f"10111{n}", InstanceNumber=n)
    with pytest.raises(InputError, match="holds 2 cines; choose one with --slice from") as raised:
        open_cine(tmp_path)
    for name in ("'SSFP SA/slice 01' (3 frames)", "'SSFP SA/slice 02' (3 frames)"):
        assert name in str(raised.value)
    assert values(open_cine(tmp_path, "SSFP SA/slice 01")) == [0, 2, 4]
    assert open_cine(tmp_path, "SSFP SA/slice 02").times == [0, 2000, 4000]
    assert open_cine(tmp_path, "SSFP SA").grid.size == (7, 5, 2)
    assert describe_file(tmp_path) == [
        "DICOM with 2 cines; choose one with --slice",
        "SSFP SA: 3 volumes of 2 slices",
        "SSFP SA/slice 01: 3 frames",
        "SSFP SA/slice 02: 3 frames",
    ]


def test_two_crossing_planes_in_turn_are_two_cines(write, tmp_path):
    for n in range(6):
        plane = (SAGITTAL, CORONAL)[n % 2]
        write(n, ImageOrientationPatient=plane, AcquisitionTime=f"10111{n}", InstanceNumber=n)
    assert [values(open_cine(tmp_path, name)) for name in names_in(tmp_path)] == [[0, 2, 4], [1, 3, 5]]
    with pytest.raises(InputError, match="holds 2 cines"):
        open_cine(tmp_path)


def test_phases_in_a_series_each_are_volumes_in_time(write, tmp_path):
    for n, percent in enumerate((50, 0, 25)):
        for depth in (16.0, 0.0, 8.0):
            write(
                percent + int(depth),
                "CT",
                ImagePositionPatient=at(depth),
                SeriesInstanceUID=f"1.2.3.{n}",
                SeriesNumber=10 + n,
                SeriesDescription=f"4DCT {percent}%",
                AcquisitionTime="101112",
            )
    cine = open_cine(tmp_path)
    assert (cine.times, cine.time_unit, cine.grid.size) == ([0, 25, 50], "%", (7, 5, 3))
    assert [[int(frame[0, 0, k]) for k in range(3)] for frame in cine] == [
        [0, 8, 16],
        [25, 33, 41],
        [50, 58, 66],
    ]
    assert "times from SeriesDescription" in cine.notes
    assert names_in(tmp_path)[0] == "4DCT"
    assert values(open_cine(tmp_path, "4DCT/slice 01")) == [0, 25, 50]


@pytest.mark.parametrize("differs", ["ConvolutionKernel", "StudyInstanceUID", "place"])
def test_series_that_differ_in_more_than_a_percentage_are_not_joined(write, tmp_path, differs):
    for n, percent in enumerate((0, 50)):
        for depth in (0.0, 8.0):
            tags = {} if differs == "place" else {differs: f"1.{n}"}
            write(
                1,
                "CT",
                ImagePositionPatient=at(depth + 3 * n * (differs == "place")),
                SeriesInstanceUID=f"1.2.3.{n}",
                SeriesDescription=f"recon {percent}%",
                **tags,
            )
    with pytest.raises(InputError, match="holds 4 slices of one image each, not a cine"):
        open_cine(tmp_path)


def test_series_kinds_of_image_and_orientations_are_told_apart(write, tmp_path):
    for n in range(2):
        trigger = {"TriggerTime": 40 * n}
        write(n, ImageType=["ORIGINAL", "PRIMARY", "M"], **trigger)
        write(10 + n, ImageType=["ORIGINAL", "PRIMARY", "P"], **trigger)
        write(20 + n, SeriesInstanceUID="1.2.4", SeriesNumber=6, **trigger)
        write(30 + n, SeriesInstanceUID="1.2.5", SeriesNumber=7, SeriesDescription="LAX/2 chamber", **trigger)
        other = {"SeriesInstanceUID": "1.2.6", "SeriesNumber": 8, "SeriesDescription": None} | trigger
        write(40 + n, ImageOrientationPatient=SAGITTAL, **other)
        write(50 + n, **other)
    names = names_in(tmp_path)
    assert len(names) == len(set(names)) == 6
    assert all(name.isprintable() for name in names)
    assert "LAX 2 chamber/slice 01" in names
    assert {"series 8/slice 01", "series 8/slice 02"} <= set(names)
    assert sorted(values(open_cine(tmp_path, name))[0] for name in names) == [0, 10, 20, 30, 40, 50]
    assert all(np.ptp(values(open_cine(tmp_path, name))) == 1 for name in names)


def test_files_of_several_frames_are_named_after_themselves(write, tmp_path):
    for n in range(2):
        write(np.full((3, 5, 7), n), "US", name=f"IM_{n}", FrameTime=40)
    with pytest.raises(
        InputError, match=r"choose one with --slice from 'IM_0/slice 01' \(3 frames\), 'IM_1/"
    ):
        open_cine(tmp_path)
    assert values(open_cine(tmp_path, "IM_1")) == [1, 1, 1]


def test_single_images_beside_a_cine_do_not_stand_in_its_way(write, tmp_path):
    write(90, SeriesInstanceUID="1.2.9", SeriesDescription="scout", ImagePositionPatient=at(50))
    for n in (1, 2):
        write(n, TriggerTime=40 * n)
    cine = open_cine(tmp_path)
    assert values(cine) == [1, 2]
    assert cine.notes == ("times from TriggerTime", "passed over: single images of scout")


def test_objects_that_are_no_images_are_passed_over_with_a_word(write, tmp_path):
    for n in (1, 2):
        write(n, TriggerTime=40 * n)
    report = write(None, "SR", name="SR_0001.dcm", SeriesInstanceUID="9.9")
    write(np.zeros((2, 5, 7)), "DOSE", SeriesInstanceUID="9.8", GridFrameOffsetVector=[0, 5])
    cine = open_cine(tmp_path)
    assert values(cine) == [1, 2]
    assert "passed over: 1 RT Dose, 1 Basic Text SR" in cine.notes
    assert describe_file(tmp_path)[-1] == "passed over: 1 RT Dose, 1 Basic Text SR"
    for read in (open_cine, read_image, describe_file):
        with pytest.raises(InputError, match=r"SR_0001\.dcm is no image but Basic Text SR; give the images"):
            read(report)


def test_a_folder_without_images_says_what_it_holds(write, tmp_path):
    write(None, "SR")
    write(None, "SR")
    with pytest.raises(InputError, match="holds no DICOM images but 2 Basic Text SR; give the images"):
        describe_file(tmp_path)


def test_the_same_instance_twice_counts_once(write, tmp_path):
    for n in (1, 2):
        write(n, TriggerTime=40 * n)
    shutil.copy(tmp_path / "0001.dcm", tmp_path / "0001 (copy).dcm")
    cine = open_cine(tmp_path)
    assert values(cine) == [1, 2]
    assert "passed over: 1 copies of images that are there already" in cine.notes


def test_images_of_one_uid_at_different_times_are_no_copies(write, tmp_path):
    for n in (1, 2):
        write(n, TriggerTime=40 * n, SOPInstanceUID="1.2.3")
    assert values(open_cine(tmp_path)) == [1, 2]


def test_images_that_nothing_tells_apart_cannot_be_put_in_order(write, tmp_path):
    for n in (1, 2):
        write(n, InstanceNumber=1)
    with pytest.raises(InputError, match="its 2 images cannot be put in order"):
        open_cine(tmp_path)


def test_files_need_no_suffix_and_the_index_is_no_image(write, tmp_path):
    for n, name in ((1, "IM0001"), (2, "1.2.840.7")):
        write(n, name=name, TriggerTime=40 * n)
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "._IM0001.dcm").write_bytes(b"what macOS leaves on a disk")
    (tmp_path / "notes.txt").write_text("first visit")
    assert values(open_cine(tmp_path)) == [1, 2]


def test_a_medium_is_opened_by_its_folder_or_its_index(write, tmp_path):
    for n in (1, 2):
        write(n, name=f"DICOM/S00001/SER00001/I{n:05d}", TriggerTime=40 * n)
    write(9, name="DICOM/S00001/SER00002/I00000", SeriesInstanceUID="1.2.9")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "README.TXT").write_text("viewer")
    for path in (tmp_path, tmp_path / "DICOM", tmp_path / "DICOMDIR"):
        assert values(open_cine(path)) == [1, 2]


def test_other_images_in_a_folder_come_before_dicom_below_it(write, tmp_path):
    import SimpleITK as sitk

    for n in (1, 2):
        write(n, name=f"originals/{n}.dcm", TriggerTime=40 * n)
        sitk.WriteImage(sitk.GetImageFromArray(np.full((5, 7), 10 * n, np.uint8)), str(tmp_path / f"{n}.png"))
    assert values(open_cine(tmp_path)) == [10, 20]


def test_a_stack_of_slices_is_a_volume_and_no_cine(write, tmp_path):
    for value, depth in ((3, 16.0), (1, 0.0), (2, 8.0)):
        write(value, ImagePositionPatient=at(depth), InstanceNumber=value)
    write(9, SeriesInstanceUID="1.2.9", SeriesDescription="scout")
    with pytest.raises(InputError, match="holds 4 slices of one image each, not a cine"):
        open_cine(tmp_path)
    image = read_image(tmp_path)
    assert image.GetSize() == (7, 5, 3)
    assert [image[0, 0, k] for k in range(3)] == [1, 2, 3]
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((0, 0, 2)), at(16))
    assert "passed over: single images of scout" in notes_of(image)


def test_slices_that_make_no_volume_are_refused(write, tmp_path):
    for n, depth in enumerate((0.0, 8.0, 20.0)):
        write(n, ImagePositionPatient=at(depth), InstanceNumber=n)
    with pytest.raises(InputError, match="not parallel and evenly spaced: 8 to 12 mm apart"):
        read_image(tmp_path)
    write(4, InstanceNumber=4)
    with pytest.raises(InputError, match="give a folder with one volume"):
        read_image(tmp_path)


@pytest.mark.parametrize("gap", [0.02, 0.5, 1.25])
def test_thin_slices_are_told_apart(write, tmp_path, gap):
    for n in range(3):
        write(n, "CT", ImagePositionPatient=at(n * gap), PixelSpacing=[gap, gap])
    image = read_image(tmp_path)
    assert image.GetSize() == (7, 5, 3)
    np.testing.assert_allclose(image.GetSpacing(), gap, rtol=1e-6)


def test_slices_with_pixels_of_different_sizes_are_refused(write, tmp_path):
    for n in range(3):
        write(n, "CT", ImagePositionPatient=at(8.0 * n), PixelSpacing=[1, 1 + 0.01 * n])
    with pytest.raises(InputError, match="slices with pixels of different sizes"):
        read_image(tmp_path)


def test_slices_that_wander_in_time_are_no_volumes(write, tmp_path):
    for n in range(4):
        place = (np.array(at(8.0 * (n % 2))) + (0, 3 * (n == 3), 0)).tolist()
        write(n, ImagePositionPatient=place, TriggerTime=40 * (n // 2))
    with pytest.raises(InputError, match="holds 2 cines; choose one"):
        open_cine(tmp_path)


def test_a_folder_is_looked_at_again_when_a_file_has_changed(write, tmp_path):
    for n in (1, 2):
        write(n, name=f"{n}.dcm", TriggerTime=40 * n)
    assert open_cine(tmp_path).times == [40, 80]
    write(2, name="2.dcm", TriggerTime=90, InstanceNumber=2)
    assert open_cine(tmp_path).times == [40, 90]


def test_slices_of_a_tilted_gantry_are_refused(write, tmp_path):
    for n in range(3):
        write(n, "CT", ImagePositionPatient=(ORIGIN + n * np.array([6.0, 1.0, 8.0])).tolist())
    with pytest.raises(InputError, match="do not lie one behind the other"):
        read_image(tmp_path)


def test_a_damaged_file_is_named(write, tmp_path):
    for n in (1, 2):
        path = write(n, TriggerTime=40 * n)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(
        InputError, match=r"0002\.dcm is cut short: it holds 30 of 70 bytes of pixels; copy it"
    ):
        open_cine(tmp_path)
    path.write_bytes(whole[:300])
    with pytest.raises(InputError, match=r"0002\.dcm .*; copy it again or take it away"):
        open_cine(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"0002\.dcm is empty"):
        open_cine(tmp_path)


def test_the_position_is_said_to_be_missing_where_it_is(write, tmp_path):
    for n in (1, 2):
        write(n, TriggerTime=40 * n, ImagePositionPatient=None)
    assert "no position in the patient is stated; the first pixel counts as 0" in open_cine(tmp_path).notes
