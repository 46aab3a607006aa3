"""Files of several frames without functional groups."""

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.images import is_calibrated, notes_of

FRAMES = np.arange(4 * 35, dtype=np.uint8).reshape(4, 5, 7)


@pytest.mark.parametrize(
    ("tags", "times", "source"),
    [
        ({"FrameTime": 40}, [0, 40, 80, 120], "FrameTime"),
        ({"FrameTimeVector": [0, 30, 35, 40], "FrameTime": 33}, [0, 30, 65, 105], "FrameTimeVector"),
        ({"CineRate": 50}, [0, 20, 40, 60], "CineRate"),
        ({"RecommendedDisplayFrameRate": 10}, [0, 100, 200, 300], "RecommendedDisplayFrameRate"),
        ({"FrameTime": 0, "CineRate": 20}, [0, 50, 100, 150], "CineRate"),
        ({"FrameTimeVector": [0, 30], "CineRate": 20}, [0, 50, 100, 150], "CineRate"),
    ],
)
@pytest.mark.parametrize("kind", ["US", "XA", "SC"])
def test_a_file_states_the_times_of_its_frames(write, kind, tags, times, source):
    cine = open_cine(write(FRAMES, kind, **tags))
    assert (list(cine.times), cine.time_unit) == (times, "ms")
    assert cine.notes[0] == f"times from {source}"
    assert all(np.array_equal(np.ravel([cine[t][i, 0, 0] for i in range(7)]), FRAMES[t, 0]) for t in range(4))


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"CineRate": 0},
        {"RecommendedDisplayFrameRate": 0},
        {"FrameTime": 0},
        {"FrameTime": ""},
        {"FrameTime": [33, 33]},
        {"FrameTime": -5},
        {"FrameTimeVector": [0, 30, 0, 30]},
        {"FrameTimeVector": ""},
        {"CineRate": ""},
    ],
)
@pytest.mark.parametrize("kind", ["US", "XA"])
def test_frames_without_times_are_frames_in_time_by_their_kind(write, kind, tags):
    cine = open_cine(write(FRAMES, kind, **tags))
    assert (list(cine.times), cine.time_unit) == ([0, 1, 2, 3], "frame")
    assert "no tag states their times" in cine.notes[0]


def test_frames_of_a_file_that_says_nothing_are_taken_as_frames_in_time_with_a_word(write):
    cine = open_cine(write(FRAMES, "MR", ImagePositionPatient=None))
    assert len(cine) == 4
    assert any("taken as frames in time" in note for note in cine.notes)
    assert not any("taken as" in note for note in open_cine(write(FRAMES, "US")).notes)


def test_milliseconds_are_no_thickness(write):
    cine = open_cine(write(FRAMES, "XA", FrameTime=66.7, ImagerPixelSpacing=[0.3, 0.2]))
    assert cine.grid.spacing == (0.2, 0.3, 1)
    assert cine.calibrated
    assert sum("at the detector (ImagerPixelSpacing)" in note for note in cine.notes) == 1


def region(x: float, y: float, units: int = 3, format_: int = 1) -> dict[str, object]:
    return {
        "RegionSpatialFormat": format_,
        "PhysicalUnitsXDirection": units,
        "PhysicalUnitsYDirection": units,
        "PhysicalDeltaX": x,
        "PhysicalDeltaY": y,
    }


def test_ultrasound_regions_state_the_size_of_a_pixel(write):
    regions = [region(0.025, -0.05), region(0.01, 4.0, 4, 2), region(0.025, 0.05)]
    cine = open_cine(write(FRAMES, "US", SequenceOfUltrasoundRegions=regions))
    assert cine.grid.spacing == (0.25, 0.5, 1)
    assert (cine.calibrated, cine.length_unit) == (True, "mm")
    assert "spacing from SequenceOfUltrasoundRegions" in cine.notes
    still = read_image(write(FRAMES[0], "US", SequenceOfUltrasoundRegions=regions))
    assert still.GetSpacing() == (0.25, 0.5, 1)


def test_regions_of_different_sizes_calibrate_nothing(write):
    regions = [region(0.025, 0.025), region(0.05, 0.05)]
    path = write(FRAMES, "US", SequenceOfUltrasoundRegions=regions)
    cine = open_cine(path)
    assert not cine.calibrated
    assert any("pixels of different sizes (0.25 x 0.25, 0.5 x 0.5 mm)" in note for note in cine.notes)
    assert "spacing: not calibrated" in "\n".join(describe_file(path))


@pytest.mark.parametrize("kind", ["US", "SC"])
def test_without_a_pixel_size_nothing_is_calibrated(write, kind):
    cine = open_cine(write(FRAMES, kind))
    assert (cine.grid.spacing, cine.calibrated, cine.length_unit) == ((1, 1, 1), False, "px")
    image = read_image(write(FRAMES[0], kind, PixelAspectRatio=["4", "3"]))
    assert not is_calibrated(image)
    np.testing.assert_allclose(image.GetSpacing(), (1, 4 / 3, 1))
    calibrated = cine.with_spacing([0.5])
    assert (calibrated.grid.spacing, calibrated.length_unit) == ((0.5, 0.5, 0.5), "mm")


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        ({"PixelSpacing": [0.2, 0.2]}, ""),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.3, 0.3]}, ""),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]}, "at the detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, "at the detector"),
        ({"NominalScannedPixelSpacing": [0.2, 0.2]}, "of the scanned film"),
        (
            {
                "PixelSpacing": [0.2, 0.2],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            "",
        ),
    ],
)
def test_a_radiograph_says_where_its_spacing_holds(write, tags, note):
    image = read_image(write(FRAMES[0], "CR", **tags))
    assert image.GetSpacing()[:2] == (0.2, 0.2)
    assert is_calibrated(image)
    assert (
        any(note in text for text in notes_of(image))
        if note
        else not any("spacing" in n for n in notes_of(image))
    )


def test_a_dose_grid_is_a_volume_by_its_offsets(write):
    for offsets in ([0, 2.5, 5, 7.5], [7, 9.5, 12, 14.5]):
        image = read_image(write(FRAMES, "DOSE", GridFrameOffsetVector=offsets))
        np.testing.assert_allclose(image.GetSpacing(), (1.25, 1 / 3, 2.5))
        np.testing.assert_allclose(image.GetOrigin(), (-30.5, 12.25, 7.0))
        assert [image[0, 0, k] for k in range(4)] == [0, 35, 70, 105]


def test_nuclear_medicine_counts_its_slices_and_time_slots(write):
    place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    shared = {"PixelSpacing": [4, 4], "DetectorInformationSequence": [place], "SpacingBetweenSlices": -4}
    image = read_image(write(FRAMES, "NM", SliceVector=[1, 2, 3, 4], **shared))
    assert image.GetOrigin() == (0, 0, -12)
    assert [image[0, 0, k] for k in range(4)] == [105, 70, 35, 0]
    cine = open_cine(write(FRAMES, "NM", SliceVector=[1, 2, 1, 2], TimeSlotVector=[1, 1, 2, 2], **shared))
    assert (len(cine), cine.grid.size) == (2, (7, 5, 2))
    assert [int(frame[0, 0, 0]) for frame in cine] == [35, 105]


def test_a_whole_slide_image_is_refused_in_a_sentence(write):
    with pytest.raises(InputError, match="whole-slide image in tiles"):
        read_image(write(FRAMES, "SC", DimensionOrganizationType="TILED_FULL"))
