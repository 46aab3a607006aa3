"""Slicer's older Markups file, `.fcsv`, and the unversioned form of Slicer 3.

Columns: `id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID` and, in newer files and without a
heading, position status and whether the point was placed automatically. Without a version line a file is
`label,x,y,z,sel,vis` in RAS. Score and sigma have no column: they are kept in the description.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile, coordinate_system, in_system
from LandmarkTrackerLib.landmarks import LandmarkSet

# vtkMRMLMarkupsNode's numbers for the state of a position.
DEFINED, MISSING = 2, 3
COLUMNS = "id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID"
DOUBT = re.compile(r"^score=(\S+) sigma_(?:mm|px)=(\S+)$")


def read_fcsv(path: Path) -> LandmarkSet:
    """Read a point list, in LPS.

    Raises:
        InputError: a line is cut short or no numbers, or the file holds no landmark or two of one name.
    """
    return parse(path).landmarks()


def parse(path: Path) -> PointFile:
    """The control points of a file. Raises as `read_fcsv`."""
    lines = read_text(path).splitlines()
    comments = {
        key.strip().lower(): value.strip()
        for key, _, value in (line.lstrip("# ").partition("=") for line in lines if line.startswith("#"))
    }
    body = "\n".join(line for line in lines if line.strip() and not line.startswith("#"))
    if "markups fiducial file version" in comments:
        system = comments.get("coordinatesystem")
        source = "as the file states" if system else "Slicer's default"
        coordinates = Coordinates(coordinate_system(path, system or "LPS"), source)
        return PointFile(path, "Slicer fiducials", coordinates, {"": _points(path, body, _point)})
    coordinates = Coordinates("RAS", "as Slicer 3 wrote it; the file does not state it", stated=False)
    return PointFile(path, "Slicer 3 fiducials", coordinates, {"": _points(path, body, _slicer3_point)})


def _points(path: Path, body: str, parse: Callable[[list[str]], Point]) -> tuple[Point, ...]:
    points = []
    row: list[str] = []
    try:
        for row in csv.reader(io.StringIO(body)):
            points.append(parse(row))
    except (IndexError, ValueError, csv.Error) as error:
        line = " ".join(",".join(row).split())[:80]
        raise InputError(f"{path}: the line '{line}' is not a control point; correct it") from error
    return tuple(points)


def _point(row: list[str]) -> Point:
    if len(row) > 14 and int(row[14]) != DEFINED:
        return Point(row[11], None)
    doubt = DOUBT.match(row[12]) if len(row) > 12 else None
    score, sigma = (float(x) for x in doubt.groups()) if doubt else (1.0, 0.0)
    # As in .mrk.json: not selected, and a score below 1.
    uncertain = score < 1 and int(row[9]) == 0
    return Point(row[11], [float(x) for x in row[1:4]], sigma, score, uncertain)


def _slicer3_point(row: list[str]) -> Point:
    position = [float(x) for x in row[1:4]]
    if len(position) < 3:
        raise IndexError("a position has three coordinates")
    return Point(row[0], position)


def write_fcsv(
    path: Path, landmarks: LandmarkSet, *, system: str = "LPS", overwrite: bool = False, unit: str = "mm"
) -> None:
    """Write a point list that Slicer opens.

    Args:
        unit: of positions and sigma: "mm", or "px" of an image that is not calibrated.
        system: "LPS", or "RAS" for programs that ignore the header and expect RAS (plastimatch).

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    with written(path, overwrite) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.write(
            f"# Markups fiducial file version = 5.0\n# CoordinateSystem = {system}\n# columns = {COLUMNS}\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        for n, (landmark, sigma) in enumerate(zip(landmarks, landmarks.sigma_mm, strict=True), start=1):
            found = landmark.status != "missing"
            certain = int(landmark.status == "defined")
            place = [number(x) for x in in_system(landmark.position, system)] if found else [0, 0, 0]
            doubt = f"score={number(landmark.score)} sigma_{unit}={number(sigma)}" if found else ""
            status = DEFINED if found else MISSING
            writer.writerow([n, *place, 0, 0, 0, 1, 1, certain, 0, landmark.name, doubt, "", status, 0])
