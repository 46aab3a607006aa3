"""Files of several frames with functional groups: places, times, kinds."""

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.dicom import names_in

ECHO = 0x00189082  # EffectiveEchoTime
TEMPORAL, STACK, PLACE = 0x00209128, 0x00209056, 0x00209057


def tens(image) -> list[int]:
    """What the first pixel of each slice says: the number of the stored frame, times ten."""
    return [int(image[0, 0, k]) for k in range(image.GetSize()[2])]


def test_slices_are_sorted_by_position_however_they_are_stored(enhanced):
    image = read_image(enhanced([0, 20, 40, 10, 30, 50]))
    assert tens(image) == [0, 30, 10, 40, 20, 50]
    assert image.GetSize() == (7, 5, 6)
    assert image.GetSpacing() == (1.25, 1.25, 10)
    assert image.GetOrigin() == (-40, -40, 0)


def test_slices_that_are_not_evenly_spaced_are_refused_in_a_sentence(enhanced):
    with pytest.raises(InputError, match="not parallel and evenly spaced: 10 to 25 mm apart; resample"):
        read_image(enhanced([0, 10, 20, 45, 55]))


def test_one_slice_in_several_phases_is_a_cine_by_its_trigger_delays(enhanced):
    cine = open_cine(enhanced([7.0] * 4, cardiac=[40, 0, 120, 80]))
    assert (cine.times, cine.time_unit) == ([0, 40, 80, 120], "ms")
    assert [tens(frame)[0] for frame in cine] == [10, 0, 30, 20]
    assert cine.grid.spacing == (1.25, 1.25, 8)
    assert cine.grid.origin == (-40, -40, 7)
    assert "times from NominalCardiacTriggerDelayTime" in cine.notes


def test_the_temporal_index_orders_frames_and_their_times_of_acquisition_time_them(enhanced):
    content = [
        {"TemporalPositionIndex": index, "FrameAcquisitionDateTime": f"20240229235959.{fraction}"}
        for index, fraction in ((3, "900000"), (1, "500000"), (2, "750000"))
    ]
    cine = open_cine(enhanced([0.0] * 3, content))
    assert [tens(frame)[0] for frame in cine] == [10, 20, 0]
    assert (cine.times, cine.time_unit) == ([0, 250, 400], "ms")
    assert "order from TemporalPositionIndex, times from AcquisitionDateTime" in cine.notes


def test_frames_at_one_place_that_state_no_time_come_as_they_are_stored(enhanced):
    cine = open_cine(enhanced([0.0] * 3))
    assert (cine.times, cine.time_unit) == ([0, 1, 2], "frame")
    assert "no tag states their times" in cine.notes[0]


def test_slices_in_phases_are_volumes_in_time_or_one_slice(enhanced):
    path = enhanced([z for z in (20, 0, 10) for _ in range(4)], cardiac=[0, 50, 100, 150] * 3)
    cine = open_cine(path)
    assert (len(cine), cine.times, cine.grid.size) == (4, [0, 50, 100, 150], (7, 5, 3))
    assert cine.grid.spacing == (1.25, 1.25, 10)
    assert tens(cine[2]) == [60, 100, 20]
    assert names_in(path) == ["SSFP SA", "SSFP SA/slice 01", "SSFP SA/slice 02", "SSFP SA/slice 03"]
    assert any(
        "--slice takes one slice alone, 'SSFP SA/slice 01' to 'SSFP SA/slice 03'" in note
        for note in cine.notes
    )
    one = open_cine(path, "SSFP SA/slice 02")
    assert (len(one), one.grid.size, one.grid.origin) == (4, (7, 5, 1), (-40, -40, 10))
    assert [tens(frame)[0] for frame in one] == [80, 90, 100, 110]
    with pytest.raises(InputError, match="is a cine of 4 frames; give one image"):
        read_image(path)


def test_slices_in_phases_that_are_not_evenly_spaced_are_offered_one_by_one(enhanced):
    path = enhanced([z for z in (0, 10, 30) for _ in range(2)], cardiac=[0, 50] * 3)
    with pytest.raises(InputError, match="holds 3 cines; choose one with --slice from 'SSFP SA/slice 01'"):
        open_cine(path)


def test_echoes_are_told_apart_by_their_index(enhanced):
    content = [
        {"StackID": "1", "DimensionIndexValues": [1, 1, echo, phase]} for echo in (1, 2) for phase in (1, 2)
    ]
    path = enhanced([0.0] * 4, content, [0, 50] * 2, (STACK, PLACE, ECHO, TEMPORAL))
    with pytest.raises(InputError, match="holds 2 cines"):
        open_cine(path)
    assert [[tens(frame)[0] for frame in open_cine(path, name)] for name in names_in(path)] == [
        [0, 10],
        [20, 30],
    ]


def test_rescaling_is_that_of_each_frame(enhanced, write, tmp_path):
    import pydicom

    path = enhanced([0.0, 10.0])
    data = pydicom.dcmread(path)
    for slope, group in zip((2.0, 0.5), data.PerFrameFunctionalGroupsSequence, strict=True):
        transform = pydicom.Dataset()
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = slope, 100, "US"
        group.PixelValueTransformationSequence = [transform]
    data.save_as(path)
    np.testing.assert_allclose(tens(read_image(path)), [100, 105])


def test_an_enhanced_x_ray_cine_has_no_places(enhanced):
    content = [{"FrameReferenceDateTime": f"20240301101112.{n}00000"} for n in range(3)]
    path = enhanced(None, content, kind="XA", SOPClassUID="1.2.840.10008.5.1.4.1.1.12.1.1")
    cine = open_cine(path)
    assert (cine.times, cine.time_unit) == ([0, 100, 200], "ms")
