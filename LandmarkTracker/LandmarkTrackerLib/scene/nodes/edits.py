"""What a person did to a point list, read from how it differs from what the module put there.

Slicer's events say that something happened, not what; and they also come when a browser moves on. So the
point list of the frame in view is compared with the record: where they agree, nobody did anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.record import Record

# A point that moved by less was only written and read.
SAME_PLACE_MM = 1e-6


def edited(record: Record, frame: int, labels: Sequence[str], shown: LandmarkSet) -> Record:
    """The record with a person's edits in it; `record` itself if there are none.

    Args:
        frame: the frame in view.
        labels: all labels of its point list, in order.
        shown: what the point list holds, as `points.read_points` returns it.
    """
    after = relabelled(record, labels)
    before = after.known(frame)
    moved = [
        name for name in shown.names if shown[name].status != "missing" and _differs(before, shown, name)
    ]
    if moved:
        after = after.with_placed(frame, _placed(shown, moved))
    # To make a lost point unplaced is how Slicer asks for it again; it stays lost until it is placed.
    had = before.only_defined().names
    cleared = [name for name in had if name in after.names and name not in shown]
    if cleared:
        after = after.forget(frame, cleared)
    lost = [name for name in shown.names if shown[name].status == "missing"]
    lost = [name for name in lost if name not in before or name in had]
    if lost:
        after = after.with_known(frame, LandmarkSet.missing(lost))
    return after


def placed_by(before: Record, after: Record, frame: int) -> tuple[str, ...]:
    """The landmarks that were placed or moved in this frame between the two."""
    old, new = before.known(frame), after.placed().get(frame, LandmarkSet.missing(()))
    return tuple(name for name in new.names if _differs(old, new, name))


def taken_back(now: Record, before: Record, after: Record, frame: int) -> Record:
    """`now` without the edit that led from `before` to `after`; what happened in other frames since stays.

    A name that was given or removed concerns all frames: these go back with it.
    """
    if after.names[: len(before.names)] != before.names:
        return before
    return now.without(after.names[len(before.names) :]).with_exactly(frame, before.known(frame))


def _placed(shown: LandmarkSet, names: Sequence[str]) -> LandmarkSet:
    """At the same positions, by hand: without uncertainty."""
    return LandmarkSet(tuple(names), shown.select(names).positions)


def _differs(before: LandmarkSet, after: LandmarkSet, name: str) -> bool:
    if name not in before or before[name].status == "missing":
        return True
    return bool(np.abs(before[name].position - after[name].position).max() > SAME_PLACE_MM)


def relabelled(record: Record, labels: Sequence[str]) -> Record:
    """Names that were given, removed, added or put in another order."""
    if tuple(labels) == record.names:
        return record
    gone = [name for name in record.names if name not in labels]
    new = [label for label in labels if label not in record.names]
    renamed = {}
    if len(labels) == len(record.names):
        pairs = zip(record.names, labels, strict=True)
        renamed = {old: label for old, label in pairs if old in gone and label in new}
    record = record.renamed(renamed).without([name for name in gone if name not in renamed])
    return record.with_names(new).ordered(labels)
