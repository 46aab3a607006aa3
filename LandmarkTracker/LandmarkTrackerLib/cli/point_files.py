"""What every command that reads point files has in common."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from LandmarkTrackerLib.formats.points import PointFile
    from LandmarkTrackerLib.geometry import Grid
    from LandmarkTrackerLib.landmarks import LandmarkSet


def add_coordinates_argument(parser: argparse.ArgumentParser) -> None:
    """`--coordinates`, for files that do not state theirs."""
    from LandmarkTrackerLib.formats.points import CHOICES

    parser.add_argument(
        "--coordinates",
        choices=tuple(CHOICES),
        help="what the numbers of a point file mean, where it does not state it: LPS or RAS mm, or pixels of "
        "which the first is 0 (pixel) or 1 (pixel-1)",
    )


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


def say(points: PointFile) -> None:
    """Tell how the numbers of a file were understood, if they are not LPS mm as the file itself states."""
    meaning = points.coordinates
    if meaning is not None and not (meaning.stated and meaning.system == "LPS"):
        print(f"{points.path}: {points.format}, {meaning}", file=sys.stderr)
