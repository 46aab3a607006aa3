"""MITK's point set, `.mps`: XML with an id and `x`, `y`, `z` in LPS mm for each point of each time step."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile
from LandmarkTrackerLib.landmarks import Array

LPS = Coordinates("LPS", "as MITK has it; the file does not state it", stated=False)


def parse(path: Path) -> PointFile:
    """The points of every time step, named by their ids.

    Raises:
        InputError: the file is damaged, no point set or several, or a point lacks a number.
    """
    text = read_text(path).lstrip()
    # Nobody writes one, and its entities could be made to fill the memory.
    if "<!DOCTYPE" in text:
        raise InputError(f"{path} has a document type, which a point set of MITK has not; export it again")
    try:
        sets = list(ElementTree.fromstring(text).iter("point_set"))
        if len(sets) != 1:
            raise InputError(f"{path} holds {len(sets)} point sets of MITK; save one in a file")
        steps = sets[0].findall("time_series") or sets
        images = {_text(step, "time_series_id", "0"): _points(step) for step in steps}
    except (ElementTree.ParseError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged or no point set of MITK; export it again") from error
    return PointFile(path, "MITK points", LPS, images)


def _points(step: ElementTree.Element) -> tuple[Point, ...]:
    matrix, offset = _to_world(step.find("Geometry3D"))
    return tuple(
        Point(
            _text(point, "id"),
            (matrix @ np.array([float(_text(point, axis)) for axis in "xyz"]) + offset).tolist(),
        )
        for point in step.findall("point")
    )


def _text(element: ElementTree.Element, name: str, default: str | None = None) -> str:
    """What a child holds. Raises KeyError if there is none and no default."""
    text = element.findtext(name, default)
    if text is None:
        raise KeyError(name)
    return text.strip()


def _to_world(geometry: ElementTree.Element | None) -> tuple[Array, Array]:
    """Matrix and offset from the points' own coordinates, which are the world's as a rule."""
    if geometry is None:
        return np.eye(3), np.zeros(3)
    matrix, offset = geometry.find("IndexToWorld"), geometry.find("Offset")
    if matrix is None or offset is None:
        raise KeyError("IndexToWorld")
    rows = [[float(matrix.attrib[f"m_{row}_{column}"]) for column in range(3)] for row in range(3)]
    return np.array(rows), np.array([float(offset.attrib[axis]) for axis in "xyz"])
