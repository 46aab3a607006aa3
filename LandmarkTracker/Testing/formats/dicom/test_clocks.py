"""Times and order of frames that come in a file each."""

import pytest
from LandmarkTrackerLib.formats import open_cine


def values(cine) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in cine]


@pytest.mark.parametrize("trigger", [0, "", None, [1, 2]])
def test_without_trigger_times_the_time_of_acquisition_orders_frames(write, tmp_path, trigger):
    for value, time in ((30, "10:11:13.25"), (10, "101112.5"), (20, "101113")):
        write(
            value,
            TriggerTime=trigger,
            AcquisitionTime=time,
            AcquisitionDate="20240301",
            InstanceNumber=-value,
        )
    cine = open_cine(tmp_path)
    assert values(cine) == [10, 20, 30]
    assert (cine.times, cine.time_unit) == ([0, 500, 750], "ms")
    assert cine.notes == ("times from AcquisitionTime",)


@pytest.mark.parametrize(
    "dates", [("20240229", "20240229", "20240301"), ("20240229",) * 3, (None,) * 3, ("",) * 3]
)
@pytest.mark.parametrize("which", ["Acquisition", "Content"])
def test_order_holds_over_midnight_whatever_the_dates_say(write, tmp_path, which, dates):
    times = ("235959.5", "235959.75", "000000.25")
    for n in (2, 0, 1):
        write(n, **{f"{which}Time": times[n], f"{which}Date": dates[n]}, InstanceNumber=3 - n)
    cine = open_cine(tmp_path)
    assert values(cine) == [0, 1, 2]
    assert cine.times == [0, 250, 750]


def test_a_stated_position_in_time_goes_before_the_instance_number(write, tmp_path):
    for n in range(4):
        write(
            n,
            InstanceNumber=8 - n,
            TemporalPositionIdentifier=n + 1,
            TriggerTime=None,
            AcquisitionTime="120000",
            ContentTime=f"12000{n}",
        )
    cine = open_cine(tmp_path)
    assert values(cine) == [0, 1, 2, 3]
    assert (cine.times, cine.time_unit) == ([0, 1000, 2000, 3000], "ms")
    assert cine.notes == ("order from TemporalPositionIdentifier, times from ContentTime",)


def test_times_that_contradict_the_order_are_not_taken(write, tmp_path):
    for n in range(3):
        write(n, TemporalPositionIdentifier=n, ContentTime=f"12000{5 - n}")
    cine = open_cine(tmp_path)
    assert values(cine) == [0, 1, 2]
    assert (cine.times, cine.time_unit) == ([0, 1, 2], "frame")


@pytest.mark.parametrize(
    ("tag", "stated", "times", "unit"),
    [
        ("ContentTime", ["120000.5", "120001.5", "120003"], [0, 1000, 2500], "ms"),
        (
            "AcquisitionDateTime",
            ["20200101120000.5", "20200101120001.5+0100", "20200101120003"],
            [0, 1000, 2500],
            "ms",
        ),
        ("NominalPercentageOfCardiacPhase", [0, 40, 90], [0, 40, 90], "%"),
        ("InstanceNumber", [2, 10, 11], [0, 1, 2], "frame"),
        ("AcquisitionNumber", [2, 3, 4], [0, 1, 2], "frame"),
    ],
)
def test_the_first_tag_that_tells_frames_apart_orders_them(write, tmp_path, tag, stated, times, unit):
    for n in (1, 2, 0):
        write(n, **{"AcquisitionTime": "120000", tag: stated[n]})
    cine = open_cine(tmp_path)
    assert values(cine) == [0, 1, 2]
    assert (cine.times, cine.time_unit) == (times, unit)
    assert tag in cine.notes[0]


@pytest.mark.parametrize("time", ["", "noon", "99", "240000", "12:00:00:00", ["120000", "130000"]])
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_times_that_are_none_are_left_out(write, tmp_path, time):
    for n in range(2):
        write(n, AcquisitionTime=time, ContentTime=time, InstanceNumber=n)
    cine = open_cine(tmp_path)
    assert (cine.times, cine.time_unit) == ([0, 1], "frame")
