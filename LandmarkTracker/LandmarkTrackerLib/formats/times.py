"""Times of frames, in the words of the formats."""

from __future__ import annotations

# A file that states times without saying what they count.
UNSTATED_UNIT = "unstated"
UNITS = {
    "s": "s",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "ms": "ms",
    "msec": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
}


def unit_of(unit: str, label: str = "") -> str:
    """The unit as a `Cine` names it. `label` is what the axis is called ("time", "frame")."""
    if not unit:
        return "frame" if label.lower() in ("frame", "frames") else UNSTATED_UNIT
    return UNITS.get(unit.lower(), unit)


def regular(count: int, start: float, step: float, unit: str) -> tuple[list[float], str]:
    """Evenly spaced times and their unit; 0, 1, 2 ... without a unit are frame numbers."""
    times = [start + n * step for n in range(count)]
    if not unit and (start, step) in ((0.0, 1.0), (0.0, 0.0)):
        return [float(n) for n in range(count)], "frame"
    return times, unit_of(unit)
