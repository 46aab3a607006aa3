"""Frames of DICOM files put together: slices in time, volumes, and volumes in time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from LandmarkTrackerLib.formats.dicom.clocks import SERIES_PHASE, Order, in_order, shared
from LandmarkTrackerLib.formats.dicom.frames import Frame
from LandmarkTrackerLib.geometry import Grid

# Slices nearer than this part of a pixel, and than this in mm, are at one position.
SAME_PLACE, SAME_PLACE_MM = 0.04, 0.05
# Distances of slices may differ by this part of them, or by the mm above if that is more, but is no fifth.
EVEN, EVEN_AT_MOST = 0.01, 0.2
# Directions that differ less in every component are parallel.
SAME_DIRECTION = 1e-3
# How the series of a 4D scan say which phase each holds: "Gated 50%", "T=30%".
PHASE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Stack:
    """Parallel slices of one kind of image.

    Attributes:
        name: for people; unique in its folder.
        slices: along their normal; the frames of each slice, not in order.
        slice_names: of each, unique in the folder.
    """

    name: str
    slices: tuple[tuple[Frame, ...], ...]
    slice_names: tuple[str, ...]

    @property
    def first(self) -> Frame:
        return self.slices[0][0]

    @property
    def phases(self) -> int:
        """How many frames every slice has; 0 if they do not have equally many."""
        counts = {len(frames) for frames in self.slices}
        return counts.pop() if len(counts) == 1 else 0

    def fault(self) -> str:
        """Why these slices are no volume; empty if they are one."""
        if len(self.slices) == 1:
            return ""
        firsts = [frames[0] for frames in self.slices]
        gaps = np.diff([frame.depth for frame in firsts])
        allowed = min(max(SAME_PLACE_MM, EVEN * float(gaps.mean())), EVEN_AT_MOST * float(gaps.mean()))
        if np.ptp(gaps) > allowed:
            return (
                f"slices that are not parallel and evenly spaced: {min(gaps):.4g} to {max(gaps):.4g} mm apart"
            )
        steps = np.diff([frame.grid.origin for frame in firsts], axis=0)
        sideways = steps - np.outer(steps @ firsts[0].normal, firsts[0].normal)
        if np.abs(sideways).max() > allowed:
            return "slices that do not lie one behind the other (a tilted gantry)"
        if not all(np.allclose(frame.grid.spacing[:2], self.grid.spacing[:2], 1e-4) for frame in firsts):
            return "slices with pixels of different sizes"
        if not all(frame.grid.same_place(frames[0].grid) for frames in self.slices for frame in frames):
            return "slices whose place or pixel size changes in time"
        return ""

    @property
    def grid(self) -> Grid:
        """Of the volume."""
        grid = self.first.grid
        if len(self.slices) == 1:
            return grid
        gap = (self.slices[-1][0].depth - self.first.depth) / (len(self.slices) - 1)
        return replace(grid, size=(*grid.size[:2], len(self.slices)), spacing=(*grid.spacing[:2], float(gap)))

    def orders(self) -> list[Order | None]:
        """The order in time of every slice; None if its frames cannot be told apart."""
        return [in_order([frame.stamp for frame in frames]) for frames in self.slices]

    def in_step(self, orders: Sequence[Order | None]) -> bool:
        """Whether frame n of every slice shows the same moment or the same phase."""
        stamps = [[frame.stamp for frame in frames] for frames in self.slices]
        known = [order for order in orders if order is not None]
        return len(known) == len(orders) and self.phases > 1 and shared(known, stamps)


def stacks_of(frames: Sequence[Frame]) -> list[Stack]:
    """The stacks that frames belong to, in the order of their series and then of their planes."""
    kinds: dict[tuple[object, ...], list[Frame]] = {}
    for frame in _phases_joined(frames):
        kinds.setdefault((frame.series.uid, *frame.kind), []).append(frame)
    stacks = []
    for name, group in zip(_names(list(kinds.values())), kinds.values(), strict=True):
        planes = _by_direction(group)
        number = count(1)
        for n, plane in enumerate(planes, start=1):
            slices = _by_depth(plane)
            names = tuple(f"{name}/slice {next(number):02d}" for _ in slices)
            stacks.append(Stack(name if len(planes) == 1 else f"{name}/plane {n}", slices, names))
    return stacks


def _phases_joined(frames: Sequence[Frame]) -> list[Frame]:
    """Frames of 4D scans that came as one series a phase, as one series whose frames know their phase.

    These series are alike in all that `Series.alike` holds, lie at the same place, and their descriptions
    differ in one percentage only.
    """
    phases: dict[tuple[object, ...], dict[str, list[Frame]]] = {}
    motion: tuple[object, ...]
    for frame in frames:
        if len(PHASE.findall(frame.series.description)) == 1:
            motion = (frame.series.alike, frame.kind, PHASE.sub("%", frame.series.description))
            phases.setdefault(motion, {}).setdefault(frame.series.uid, []).append(frame)
    joined: dict[int, Frame] = {}
    for motion, series in phases.items():
        percents = {uid: float(PHASE.findall(of[0].series.description)[0]) for uid, of in series.items()}
        places = {uid: sorted(frame.depth for frame in of) for uid, of in series.items()}
        first = next(iter(places.values()))
        if (
            len(series) < 2
            or len(set(percents.values())) < len(series)
            or any(
                len(p) != len(first) or not np.allclose(p, first, atol=SAME_PLACE_MM) for p in places.values()
            )
        ):
            continue
        description = " ".join(str(motion[-1]).replace("%", " ").split()) or "4D"
        for uid, of in series.items():
            for frame in of:
                one = replace(of[0].series, uid=next(iter(series)), description=description)
                stamp = {**frame.stamp, SERIES_PHASE: percents[uid]}
                joined[id(frame)] = replace(frame, series=one, stamp=stamp)
    return [joined.get(id(frame), frame) for frame in frames]


def _names(kinds: list[list[Frame]]) -> list[str]:
    """One printable name a kind, no two alike: of the file, if it is all in one; of its series otherwise."""
    files = {frame.path for group in kinds for frame in group}
    names: list[str] = []
    for group in kinds:
        first = group[0]
        number = first.series.number or str(len(names) + 1)
        text = "".join(c if c.isprintable() and c != "/" else " " for c in first.series.description)
        name = " ".join(text.split()) or f"series {number}"
        if first.path in first.kind and len(files) > 1:
            name = first.path.name
        elif name in names:
            name = f"{name} {number}"
        plain, again = name, 2
        while name in names:
            name, again = f"{plain} ({again})", again + 1
        names.append(name)
    return names


def _by_direction(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames with parallel axes together."""
    planes: list[list[Frame]] = []
    for frame in frames:
        for plane in planes:
            if np.abs(np.subtract(plane[0].grid.direction, frame.grid.direction)).max() < SAME_DIRECTION:
                plane.append(frame)
                break
        else:
            planes.append([frame])
    return planes


def _by_depth(frames: Sequence[Frame]) -> tuple[tuple[Frame, ...], ...]:
    """Frames at one position together, along their normal."""
    slices: list[list[Frame]] = []
    last = -np.inf
    near = min(SAME_PLACE_MM, SAME_PLACE * min(frames[0].grid.spacing[:2]))
    for frame in sorted(frames, key=lambda frame: frame.depth):
        if frame.depth - last > near:
            slices.append([])
        slices[-1].append(frame)
        last = frame.depth
    return tuple(map(tuple, slices))
