"""Times of frames, in the words of the formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

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


def rises(times: Sequence[float]) -> bool:
    """Whether these can be times: finite numbers, each later than the one before."""
    return all(math.isfinite(t) for t in times) and all(a < b for a, b in pairwise(times))


def frame_numbers(count: int) -> tuple[list[float], str]:
    """What stands for times where a file states none, or none that can be."""
    return [float(n) for n in range(count)], "frame"


def regular(count: int, start: float, step: float, unit: str) -> tuple[list[float], str]:
    """Evenly spaced times and their unit; frame numbers for 0, 1, 2 without a unit, and what cannot be."""
    times = [start + n * step for n in range(count)]
    if (not unit and (start, step) in ((0.0, 1.0), (0.0, 0.0))) or not rises(times):
        return frame_numbers(count)
    return times, unit_of(unit)
