"""From a path to the reader of its points, by its name and by what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import (
    acsv,
    ants,
    deeplabcut,
    dirlab,
    elastix,
    fcsv,
    mitk_mps,
    mni_tag,
    mrk_json,
    niftyreg,
    pairs_csv,
    plastimatch,
    points_csv,
    pts,
    tps,
    track_csv,
)
from LandmarkTrackerLib.formats.files import read_text, require_file
from LandmarkTrackerLib.formats.points import PointFile, unnamed
from LandmarkTrackerLib.formats.tables import read_cells

Reader = Callable[[Path], PointFile]
# The largest file that is opened only to see whether it holds points.
SMALL = 1 << 20


def read_points(path: Path, coordinates: str | None = None) -> PointFile:
    """The points of a file of any known format, before they are put into the world.

    Args:
        coordinates: what the numbers mean, of `points.CHOICES`, where the file does not state it.

    Raises:
        InputError: the file is missing, damaged, of another format, without any landmark, or states other
            coordinates.
    """
    path = require_file(Path(path))
    return READERS[_suffix(path)](path).understood(coordinates)


def is_landmark_file(path: Path) -> bool:
    """Whether a file holds landmarks: by its name, or where others have such a name, by what it holds."""
    suffix = next((suffix for suffix in READERS if path.name.lower().endswith(suffix)), None)
    if suffix not in (".json", ".txt"):
        return suffix is not None
    try:
        return path.stat().st_size <= SMALL and bool(read_points(path))
    except (InputError, OSError):
        return False


def _table(path: Path) -> PointFile:
    """A table with a header: of DeepLabCut, of a track, of pairs, or of landmarks."""
    cells = read_cells(path)
    columns = {cell.lower() for cell in cells[0]}
    if deeplabcut.is_deeplabcut(cells):
        return deeplabcut.parse(path)
    if track_csv.unit_of(columns):
        return track_csv.parse(path)
    if columns >= set(pairs_csv.COLUMNS[:-1]):
        return pairs_csv.parse(path)
    return points_csv.parse(path)


def _text(path: Path) -> PointFile:
    """Text by its grammar: the formats of elastix, ANTs, NiftyReg, DIR-Lab and plastimatch, or a table."""
    text = read_text(path)
    if elastix.is_points(text):
        return elastix.parse(path)
    if elastix.OUTPUT_POINT.search(text):
        return elastix.parse_output_points(path)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        rows = [[float(word) for word in line.replace(",", " ").split()] for line in lines]
    except ValueError:
        return _words(path)
    widths = {len(row) for row in rows}
    width = widths.pop() if len(widths) == 1 else 0
    if width == 4 and len(rows) > 2 and not any(rows[0] + rows[-1]):
        return ants.parse_point_set(path)
    if width in (4, 6):
        return niftyreg.parse(path)
    if width == 3:
        return _triples(path, rows)
    if width == 2:
        return PointFile(path, "text of two numbers a line", None, {"": unnamed(rows)})
    raise InputError(f"{path} is not a landmark file: its lines hold other than 2, 3, 4 or 6 numbers each")


def _triples(path: Path, rows: list[list[float]]) -> PointFile:
    """Three numbers a line. Whole ones may count voxels or mm: the name tells those of DIR-Lab."""
    numbers = np.array(rows)
    whole = bool(np.isfinite(numbers).all() and (numbers % 1 == 0).all() and numbers.min() >= 1)
    name = path.name.lower()
    if whole and ("xyz" in name or "dirlab" in name):
        return dirlab.parse(path)
    if whole:
        return PointFile(path, "text of three whole numbers a line", None, {"": unnamed(rows)})
    return plastimatch.parse(path)


def _words(path: Path) -> PointFile:
    columns = {cell.lower() for cell in read_cells(path)[0]}
    if "bodyparts" in columns or any(columns >= set(axes) for axes in points_csv.PLACES):
        return _table(path)
    raise _unknown(path)


def _unknown(path: Path) -> InputError:
    return InputError(f"{path} is not a landmark file; its name ends with {', '.join(READERS)}")


# By suffix; the first that fits counts.
READERS: dict[str, Reader] = {
    ".mrk.json": mrk_json.parse,
    ".fcsv": fcsv.parse,
    ".csv": _table,
    ".tsv": _table,
    ".json": mrk_json.parse,
    ".acsv": acsv.parse,
    ".txt": _text,
    ".tps": tps.parse,
    ".pts": pts.parse,
    ".tag": mni_tag.parse,
    ".mps": mitk_mps.parse,
}


def _suffix(path: Path) -> str:
    for suffix in READERS:
        if path.name.lower().endswith(suffix):
            return suffix
    raise _unknown(path)
