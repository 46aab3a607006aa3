"""What every command that reads point files has in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.errors import InputError

if TYPE_CHECKING:
    from LandmarkTrackerLib.formats.points import PointFile
    from LandmarkTrackerLib.geometry import Grid
    from LandmarkTrackerLib.landmarks import LandmarkPairs, LandmarkSet


def add_coordinates_argument(parser: argparse.ArgumentParser) -> None:
    """`--coordinates`, for files that do not state theirs."""
    from LandmarkTrackerLib.formats.points import CHOICES

    parser.add_argument(
        "--coordinates",
        choices=tuple(CHOICES),
        help="what the numbers of a point file mean, where it does not state it: LPS or RAS mm, or pixels of "
        "which the first is 0 (pixel) or 1 (pixel-1)",
    )


def add_pairing_argument(parser: argparse.ArgumentParser) -> None:
    """`--by-order`, wherever the points of two files belong together."""
    parser.add_argument(
        "--by-order",
        action="store_true",
        help="the n-th point belongs to the n-th, whatever they are called (by name)",
    )


def paired(
    here: LandmarkSet, there: LandmarkSet, by_order: bool, include_uncertain: bool = True
) -> tuple[LandmarkPairs, str]:
    """The pairs, and a remark on the landmarks that are left out.

    Raises:
        InputError: no name is in both, or there are not equally many to pair by order, or no pair is left.
    """
    from LandmarkTrackerLib.landmarks import LandmarkPairs

    if not by_order and len(here) and len(there) and not set(here.names) & set(there.names):
        raise InputError(
            f"no landmark has one name in both files ('{here.names[0]}' and '{there.names[0]}', say); "
            "rename them, or add --by-order"
        )
    found = LandmarkPairs.of(here, there, by_order=by_order, include_uncertain=True)
    if not len(found):
        raise InputError("no landmark has a place in both images; there is nothing to pair")
    lost = (len(here) if by_order else len(set(here.names) | set(there.names))) - len(found)
    remark = f"; {lost} landmarks are not in both images" if lost else ""
    if include_uncertain:
        return found, remark
    pairs = LandmarkPairs.of(here, there, by_order=by_order)
    doubted = len(found) - len(pairs)
    if not len(pairs):
        raise InputError("every pair is uncertain; look at them, or add --include-uncertain")
    return pairs, remark + (f"; {doubted} are uncertain and left out" if doubted else "")


def landmarks_on(
    path: Path, grid: Grid, frame: int | None = None, coordinates: str | None = None
) -> LandmarkSet:
    """The landmarks of a point file on an image; says how it was understood where the file does not state it.

    Raises:
        InputError: as `formats.read_landmarks`.
    """
    from LandmarkTrackerLib.formats import read_points

    points = read_points(path, coordinates)
    say(points)
    return points.landmarks(grid, frame)


def say_beside(images: Sequence[Path]) -> None:
    """The same for the files beside images; the job itself reports those that cannot be read."""
    from LandmarkTrackerLib.formats import landmarks_beside, read_points

    for image in images:
        try:
            say(read_points(landmarks_beside(image)))
        except InputError:
            continue


def say(points: PointFile) -> None:
    """Print how the numbers of a file were understood, where the file does not say that they are LPS mm."""
    if points.remark:
        print(points.remark, file=sys.stderr)
