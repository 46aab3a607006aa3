"""Tables in text: comma-separated with a header, as spreadsheets and Slicer write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written


def read_table(path: Path) -> list[dict[str, str]]:
    """One dictionary a row, keyed by the lower-case column name.

    Raises:
        InputError: the file is missing or empty, or a row has more or fewer cells than the header.
    """
    text = read_text(path)
    header = text.splitlines()[0]
    delimiter = max(",;\t", key=header.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True))
    columns = [column.strip().lower() for column in rows[0]]
    if len(set(columns)) < len(columns):
        raise InputError(f"{path} has two columns of one name; name each column once")
    for line, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(columns):
            raise InputError(
                f"{path}, row {line}: {len(row)} cells under {len(columns)} columns; mend the row"
            )
    return [dict(zip(columns, (cell.strip() for cell in row), strict=True)) for row in rows[1:] if row]


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, overwrite: bool = False
) -> None:
    """Write a header and rows, whole or not at all."""
    with written(path, overwrite) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def number_in(path: Path, row: dict[str, str], column: str, line: int) -> float:
    """The number in a cell.

    Raises:
        InputError: it is not one.
    """
    try:
        return float(row[column])
    except ValueError as error:
        raise InputError(f"{path}, row {line}: '{row[column]}' under {column} is not a number") from error
