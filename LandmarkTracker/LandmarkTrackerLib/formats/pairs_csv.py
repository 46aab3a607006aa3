"""Point pairs as a table, `pairs.csv`: one row a pair, LPS mm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import PAIR, Coordinates, Point, PointFile
from LandmarkTrackerLib.formats.tables import is_blank, number_in, number_or, read_table, write_table
from LandmarkTrackerLib.landmarks import LandmarkPairs

COLUMNS = ("name", "fixed_l", "fixed_p", "fixed_s", "moving_l", "moving_p", "moving_s", "score")


def write_pairs_csv(path: Path, pairs: LandmarkPairs, *, overwrite: bool = False) -> None:
    """Write pairs.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    rows = (
        (name, *map(number, (*fixed, *moving, score)))
        for name, fixed, moving, score in zip(
            pairs.names, pairs.fixed, pairs.moving, pairs.score, strict=True
        )
    )
    write_table(path, COLUMNS, rows, overwrite=overwrite)


def read_pairs_csv(path: Path) -> LandmarkPairs:
    """Read pairs; `score` may be left out and is 1 then. A row without a place in either image is left out.

    Raises:
        InputError: a column is missing, there is no pair, a cell is no number, or two pairs share a name.
    """
    return parse(path).pairs(None, None)


def parse(path: Path) -> PointFile:
    """The points of both images. Raises as `read_pairs_csv`."""
    rows = read_table(path)
    lost = [column for column in COLUMNS[:-1] if rows and column not in rows[0]]
    if not rows or lost:
        raise InputError(f"{path} is not a table of pairs; give the columns {','.join(COLUMNS)}")
    for name, count in Counter(row["name"] for row in rows).items():
        if count > 1:
            raise InputError(f"{path}: {count} pairs are named '{name}'; rename all but one of them")
    sides: dict[str, tuple[Point, ...]] = {}
    for role in PAIR:
        columns = [f"{role}_{axis}" for axis in "lps"]
        sides[role] = tuple(
            Point(
                row["name"],
                None if is_blank(row, *columns) else [number_in(path, row, c, line) for c in columns],
                score=number_or(1.0, path, row, "score", line),
            )
            for line, row in enumerate(rows, start=2)
        )
    return PointFile(path, "table of pairs", Coordinates("LPS", "as its columns state"), sides)
