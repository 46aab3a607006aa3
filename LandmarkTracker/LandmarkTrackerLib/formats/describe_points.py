"""What a point file holds and how its numbers were understood, in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.point_files import read_points
from LandmarkTrackerLib.formats.points import PAIR, PointFile
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet


def describe_points(
    path: Path, grid: Grid | None = None, unit: str = "mm", coordinates: str | None = None
) -> list[str]:
    """Format, coordinates, how many landmarks are defined, where they lie.

    Args:
        grid: of the image that they lie on; needed to put pixels into the world.
        unit: of length there: "mm", or "px" if the image is not calibrated.
        coordinates: what the numbers mean, of `points.CHOICES`, where the file does not state it.

    Raises:
        InputError: it cannot be read.
    """
    points = read_points(path, coordinates)
    understood = [f"format: {points.format}", f"coordinates: {points.coordinates or 'not stated'}"]
    if points.coordinates is None:
        understood.append("say what the numbers mean with --coordinates")
    elif points.needs_image and grid is None:
        understood.append("give the image with --image to have them in LPS mm")
    if points.is_pair:
        return [*_pairs(points), *understood]
    if len(points.images) > 1:
        return [*_several(points), *understood]
    if points.coordinates is None or (points.needs_image and grid is None):
        return _in_numbers(points, understood)
    return _in_world(points.landmarks(grid), unit, understood)


def _in_world(landmarks: LandmarkSet, unit: str, understood: list[str]) -> list[str]:
    notes = {"defined": "", "uncertain": ", uncertain"}
    rows = [
        f"{landmark.name}: missing"
        if landmark.status == "missing"
        else f"{landmark.name}: LPS ({_row(landmark.position)}) {unit}{notes[landmark.status]}"
        for landmark in landmarks
    ]
    return [
        _counted(landmarks.defined, landmarks.uncertain),
        *understood,
        *_bounds(landmarks.positions, "LPS", f" {unit}"),
        *rows,
    ]


def _in_numbers(points: PointFile, understood: list[str]) -> list[str]:
    """As the file has them."""
    (image,) = points.images
    values = points.values(image)
    defined = np.asarray(np.isfinite(values).all(axis=1))
    rows = [
        f"{point.name}: ({_row(row)})" if there else f"{point.name}: missing"
        for point, row, there in zip(points.images[image], values, defined, strict=True)
    ]
    uncertain = np.array([point.uncertain for point in points.images[image]])
    return [_counted(defined, uncertain), *understood, *_bounds(values, "xyz", ""), *rows]


def _several(points: PointFile) -> Iterator[str]:
    """How many of the images each landmark is in."""
    found: dict[str, int] = {}
    for image in points.images.values():
        for point in image:
            found[point.name] = found.get(point.name, 0) + (point.position is not None)
    yield f"points of {len(points.images)} images, {len(found)} landmarks"
    names = list(points.images)
    yield f"images: {', '.join(names[:3])}{', ..., ' + names[-1] if len(names) > 3 else ''}"
    for name, count in found.items():
        yield f"{name}: defined in {count} of {len(names)} images"


def _pairs(points: PointFile) -> Iterator[str]:
    fixed, moving = (points.images[role] for role in PAIR)
    both = zip(fixed, moving, strict=True)
    complete = sum(a.position is not None and b.position is not None for a, b in both)
    yield f"{len(fixed)} pairs of a fixed and a moving image, {complete} complete"


def _counted(defined: np.ndarray, uncertain: np.ndarray) -> str:
    found, doubted = int(defined.sum()), int((uncertain & defined).sum())
    counts = [f"{found - doubted} defined", f"{doubted} uncertain", f"{len(defined) - found} missing"]
    if not doubted:
        del counts[1]
    return ", ".join([f"{len(defined)} landmarks", *counts])


def _bounds(values: Array, axes: str, unit: str) -> list[str]:
    there: Array = values[np.isfinite(values).all(axis=1).astype(bool)]
    if not len(there):
        return []
    spans = (
        f"{axis} {number(low)} to {number(high)}"
        for axis, low, high in zip(axes, there.min(axis=0), there.max(axis=0), strict=False)
    )
    return [f"bounds: {', '.join(spans)}{unit}"]


def _row(values: Array) -> str:
    return ", ".join(number(x) for x in values)
