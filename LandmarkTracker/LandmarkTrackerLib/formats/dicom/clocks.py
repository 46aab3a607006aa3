"""When the frames of a DICOM cine were taken, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from LandmarkTrackerLib.formats.dicom.headers import Groups, Tags

DAY_US = 86_400_000_000
# What two slices of one moment may differ by, in the unit of the clock.
SAME_TIME = 1.0


@dataclass(frozen=True)
class Clock:
    """A tag that orders frames.

    Attributes:
        name: the tag's keyword, as a user finds it in the file.
        unit: what it counts: "ms", "us" of a calendar, "%" of a heart beat or a breath; "" if it only counts.
        phase: whether it names the phase of a motion, which slices share that were taken at different times.
    """

    name: str
    unit: str = ""
    phase: bool = False


# How far the frames of one file are apart.
FRAME_CLOCKS = {
    name: Clock(name, "ms", True)
    for name in ("FrameTimeVector", "FrameTime", "CineRate", "RecommendedDisplayFrameRate")
}
SERIES_PHASE = Clock("SeriesDescription", "%", True)
# What counts the frames of nuclear medicine.
VECTORS = {
    name: Clock(name, "", True)
    for name in ("PhaseVector", "RRIntervalVector", "TimeSlotVector", "TimeSliceVector", "AngularViewVector")
}
INSTANCE, STORED_ORDER = Clock("InstanceNumber"), Clock("their place in the file")
# The first that tells all frames of a slice apart orders them.
CLOCKS = (
    *FRAME_CLOCKS.values(),
    *VECTORS.values(),
    Clock("TriggerTime", "ms", True),
    Clock("NominalCardiacTriggerDelayTime", "ms", True),
    Clock("TemporalPositionTimeOffset", "ms", True),
    Clock("TemporalPositionIdentifier", "", True),
    Clock("TemporalPositionIndex", "", True),
    SERIES_PHASE,
    Clock("NominalPercentageOfCardiacPhase", "%", True),
    Clock("NominalPercentageOfRespiratoryPhase", "%", True),
    Clock("AcquisitionDateTime", "us"),
    Clock("AcquisitionTime", "us"),
    Clock("ContentTime", "us"),
    Clock("AcquisitionNumber"),
    INSTANCE,
    STORED_ORDER,
)
# A frame's clocks and what each of them says.
Stamp = Mapping[Clock, float]


def stamp_of(tags: Tags, groups: Groups) -> dict[Clock, float]:
    """What one frame states; a clock that it does not state, or not as one number, is left out."""
    content, cardiac = groups["FrameContentSequence"], groups["CardiacSynchronizationSequence"]
    offset = groups["TemporalPositionSequence"].number("TemporalPositionTimeOffset")
    moment = content.text("FrameAcquisitionDateTime") or content.text("FrameReferenceDateTime")
    stated = {
        "TriggerTime": tags.number("TriggerTime"),
        "NominalCardiacTriggerDelayTime": cardiac.number("NominalCardiacTriggerDelayTime"),
        "TemporalPositionTimeOffset": None if offset is None else offset * 1000,
        "TemporalPositionIdentifier": tags.number("TemporalPositionIdentifier"),
        "TemporalPositionIndex": content.number("TemporalPositionIndex"),
        "NominalPercentageOfCardiacPhase": _first(
            cardiac.number("NominalPercentageOfCardiacPhase"), tags.number("NominalPercentageOfCardiacPhase")
        ),
        "NominalPercentageOfRespiratoryPhase": _first(
            groups["RespiratorySynchronizationSequence"].number("NominalPercentageOfRespiratoryPhase"),
            tags.number("NominalPercentageOfRespiratoryPhase"),
        ),
        "AcquisitionDateTime": _moment(moment or tags.text("AcquisitionDateTime")),
        "AcquisitionTime": _time_of_day(tags, "Acquisition"),
        "ContentTime": _time_of_day(tags, "Content"),
        "AcquisitionNumber": _first(
            content.number("FrameAcquisitionNumber"), tags.number("AcquisitionNumber")
        ),
        "InstanceNumber": tags.number("InstanceNumber"),
    }
    return {clock: value for clock in CLOCKS if (value := stated.get(clock.name)) is not None}


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _moment(text: str) -> int | None:
    """Microseconds since the year 1 of a DT value, `YYYYMMDDHHMMSS.FFFFFF&ZZXX`, its zone left out."""
    digits = text.split("+")[0].split("-")[0].replace(":", "").strip()
    whole, _, part = digits.partition(".")
    if len(whole) != 14 or not (part == "" or part.isdigit()):
        return None
    try:
        time = datetime.strptime(whole, "%Y%m%d%H%M%S")
    except ValueError:
        return None
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    return time.toordinal() * DAY_US + seconds * 1_000_000 + int(part[:6].ljust(6, "0"))


def _time_of_day(tags: Tags, which: str) -> int | None:
    """Microseconds of `AcquisitionTime` or `ContentTime`, with its date where that is stated."""
    time = tags.text(f"{which}Time").replace(":", "")
    whole, point, part = time.partition(".")
    # Seconds, and then minutes, may be left out.
    whole = whole.ljust(6, "0") if len(whole) in (2, 4) and not point else whole
    date = tags.text(f"{which}Date").replace(".", "") or "00010101"
    return _moment(f"{date}{whole}{point}{part}")


def frame_times(tags: Tags, count: int) -> tuple[list[float], str]:
    """When each frame of a multi-frame file was taken (ms), and by which tag; nothing if it does not say."""
    steps = tags.numbers("FrameTimeVector", count)
    if steps and count > 1 and min(steps[1:]) > 0:
        return (np.cumsum(steps) - steps[0]).tolist(), "FrameTimeVector"
    step, tag = tags.positive("FrameTime"), "FrameTime"
    for rate in ("CineRate", "RecommendedDisplayFrameRate"):
        if step is None and (per_second := tags.positive(rate)):
            step, tag = 1000 / per_second, rate
    return ([n * step for n in range(count)], tag) if step is not None else ([], "")


@dataclass(frozen=True)
class Order:
    """Frames of one slice in time.

    Attributes:
        frames: which comes first, second and so on.
        times: of the frames in that order; their numbers where no tag states times.
        unit: "ms", "%" or "frame".
        clock: what orders them.
        note: which tags order and time them.
    """

    frames: list[int]
    times: list[float]
    unit: str
    clock: Clock
    note: str


def in_order(stamps: Sequence[Stamp]) -> Order | None:
    """The frames in the order of the first clock that tells all of them apart; None if none does.

    Their times are those of the first clock of time that agrees with this order.
    """
    readings = {clock: values for clock in CLOCKS if (values := _readings(clock, stamps))}
    ordering = next((clock for clock, values in readings.items() if len(set(values)) == len(stamps)), None)
    if ordering is None:
        return None
    frames = [int(n) for n in np.argsort(readings[ordering], kind="stable")]
    for clock, values in readings.items():
        times = [values[n] for n in frames]
        if not clock.unit or not all(a < b for a, b in pairwise(times)):
            continue
        if clock.unit == "us":
            # A calendar's day 1 is no start for a cine; a trigger's time 0 is.
            times = [(time - times[0]) / 1000 for time in times]
        source = f"times from {clock.name}"
        note = source if clock == ordering else f"order from {ordering.name}, {source}"
        return Order(frames, times, "%" if clock.unit == "%" else "ms", ordering, note)
    note = f"frames in the order of {ordering.name}; no tag states their times"
    return Order(frames, [float(n) for n in range(len(frames))], "frame", ordering, note)


def _readings(clock: Clock, stamps: Sequence[Stamp]) -> list[float]:
    """What a clock says in each frame; nothing if it does not say so in all of them."""
    values = [stamp[clock] for stamp in stamps if clock in stamp]
    if len(values) < len(stamps):
        return []
    return _over_midnight(values) if clock.unit == "us" else values


def _over_midnight(values: list[float]) -> list[float]:
    """Times of one day that span more than half of it are those of a midnight: the early ones come last."""
    ordered = sorted(values)
    span = ordered[-1] - ordered[0]
    if not DAY_US / 2 < span < DAY_US:
        return values
    gaps = [b - a for a, b in pairwise(ordered)]
    widest = int(np.argmax(gaps))
    if gaps[widest] <= DAY_US - span:
        return values
    return [value + DAY_US if value <= ordered[widest] else value for value in values]


def shared(orders: Sequence[Order], stamps: Sequence[Sequence[Stamp]]) -> bool:
    """Whether frame n of every slice shows the same moment or the same phase.

    Args:
        orders: of each slice, all with as many frames.
        stamps: of each slice, its frames.
    """
    clock = orders[0].clock
    if any(order.clock != clock for order in orders):
        return False
    if clock.phase:
        return True
    if clock in (INSTANCE, STORED_ORDER):
        return False
    each = np.array(
        [[frames[n][clock] for n in order.frames] for order, frames in zip(orders, stamps, strict=True)]
    )
    return bool(np.ptp(each, axis=0).max() <= (SAME_TIME * 1000 if clock.unit == "us" else 0))
