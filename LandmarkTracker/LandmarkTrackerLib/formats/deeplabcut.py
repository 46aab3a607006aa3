"""DeepLabCut's tables, of labelled images and of analysed videos: `.csv`.

Rows of headings (`scorer`, perhaps `individuals`, `bodyparts`, `coords`), then an image a row, in one column
(`labeled-data/VIDEO/img0012.png`, with backslashes where it was labelled on Windows, or the number of a
frame) or in three. Pixels, x to the right and y down, counted from the centre of the first; a blank is a
landmark that is not seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile
from LandmarkTrackerLib.formats.tables import BLANK, number_in, read_cells

PIXELS = Coordinates("pixel", "as DeepLabCut counts them; the file does not state it", stated=False)
HEADINGS = ("scorer", "individuals", "bodyparts", "coords")
COORDS = ("x", "y", "likelihood")


def is_deeplabcut(cells: list[list[str]]) -> bool:
    """Whether a table has the headings of DeepLabCut."""
    return {"bodyparts", "coords"} <= {row[0] for row in cells[:4]}


def parse(path: Path) -> PointFile:
    """The landmarks of every image. The likelihood of an analysed video is the score.

    Raises:
        InputError: the headings are others, a row is cut short or no numbers, or an image comes twice.
    """
    cells = read_cells(path)
    heads = {row[0]: row for row in cells[:4] if row[0] in HEADINGS}
    if not is_deeplabcut(cells):
        raise InputError(f"{path} is not a table of DeepLabCut; it lacks the rows bodyparts and coords")
    width = len(heads["coords"])
    first = next((n for n, head in enumerate(heads["coords"]) if n and head), width)
    images: dict[str, tuple[Point, ...]] = {}
    for line, row in enumerate(cells[len(heads) :], start=len(heads) + 1):
        if len(row) != width or any(len(head) != width for head in heads.values()):
            raise InputError(f"{path}, row {line}: {len(row)} cells under {width} headings; correct the row")
        name = "/".join(row[:first]).replace("\\", "/").strip("/")
        if name in images:
            raise InputError(f"{path}, row {line}: '{name}' comes twice; remove one of the rows")
        images[name] = _points(path, heads, row, first, line)
    return PointFile(path, "DeepLabCut table", PIXELS, images)


def _points(
    path: Path, heads: dict[str, list[str]], row: list[str], first: int, line: int
) -> tuple[Point, ...]:
    individuals = heads.get("individuals", [""] * len(row))
    several = len(set(individuals[first:])) > 1
    found: dict[str, dict[str, float]] = {}
    for column in range(first, len(row)):
        what = heads["coords"][column]
        if what not in COORDS:
            raise InputError(f"{path}: '{what[:80]}' under coords is none of {', '.join(COORDS)}")
        part = heads["bodyparts"][column]
        name = f"{individuals[column]} {part}" if several else part
        cell = {what: "nan" if row[column].lower() in BLANK else row[column]}
        found.setdefault(name, {})[what] = number_in(path, cell, what, line)
    points = []
    for name, values in found.items():
        if not {"x", "y"} <= set(values):
            raise InputError(f"{path}: '{name[:80]}' lacks x or y; export it again")
        likelihood = values.get("likelihood", np.nan)
        score = 1.0 if np.isnan(likelihood) else likelihood
        points.append(Point(name, (values["x"], values["y"]), score=score))
    return tuple(points)
