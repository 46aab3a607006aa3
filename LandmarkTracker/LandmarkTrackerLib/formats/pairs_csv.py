"""Point pairs as a table, `pairs.csv`: one row a pair, LPS mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.tables import number_in, read_table, write_table
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
    """Read pairs; `score` may be left out and is 1 then.

    Raises:
        InputError: a column is missing, there is no pair, a cell is no number, or two pairs share a name.
    """
    rows = read_table(path)
    lost = [column for column in COLUMNS[:-1] if rows and column not in rows[0]]
    if not rows or lost:
        raise InputError(f"{path} is not a table of pairs; give the columns {','.join(COLUMNS)}")
    values = np.array(
        [
            [number_in(path, row, c, line) for c in COLUMNS[1:-1]]
            + [number_in(path, row, "score", line) if row.get("score") else 1.0]
            for line, row in enumerate(rows, start=2)
        ]
    )
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds a position that is not finite; leave out pairs that were not found")
    try:
        names = tuple(row["name"] for row in rows)
        return LandmarkPairs(values[:, :3], values[:, 3:6], values[:, 6], names)
    except ValueError as error:
        raise InputError(f"{path}: {error}; rename one of them") from error
