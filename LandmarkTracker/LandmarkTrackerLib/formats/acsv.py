"""A fiducial of Slicer's former Annotations, `.acsv`: `point|x|y|z|sel|vis` in RAS, its name a comment."""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile

RAS = Coordinates("RAS", "as Slicer's Annotations wrote it; the file does not state it", stated=False)


def parse(path: Path) -> PointFile:
    """The fiducial of a file.

    Raises:
        InputError: it holds none, or a ruler or region, or its position is no position.
    """
    lines = read_text(path).splitlines()
    named = (line.partition("=") for line in lines if line.startswith("#"))
    label = next((value.strip() for key, _, value in named if key.strip("# ").lower() == "name"), path.stem)
    rows = [line.split("|") for line in lines if line.strip() and not line.startswith("#")]
    kinds = [row[0].strip().lower() for row in rows]
    if "line" in kinds:
        raise InputError(f"{path} is a ruler or a region, not a fiducial; save a point list as .mrk.json")
    places = [row[1:4] for row, kind in zip(rows, kinds, strict=True) if kind == "point"]
    try:
        positions = [[float(x) for x in place] for place in places]
    except ValueError as error:
        raise InputError(f"{path} has a point that is none; save a point list as .mrk.json") from error
    if any(len(position) != 3 for position in positions):
        raise InputError(f"{path} has a point that is none; save a point list as .mrk.json")
    names = [label] if len(positions) == 1 else [f"{label}-{n}" for n in range(1, len(positions) + 1)]
    points = tuple(Point(name, position) for name, position in zip(names, positions, strict=True))
    return PointFile(path, "Slicer annotation", RAS, {"": points})
