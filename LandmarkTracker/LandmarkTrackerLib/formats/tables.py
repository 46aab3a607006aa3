"""Tables in text: a header and rows, separated by commas, semicolons or tabs, as spreadsheets write them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written

# What stands in a cell that holds nothing.
BLANK = ("", "nan", "na", "n/a", "none", "null", "-")
YES = ("1", "1.0", "true", "yes", "y", "t")
NO = ("0", "0.0", "false", "no", "n", "f", *BLANK)
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")
NUMBER = re.compile(r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)


def read_cells(path: Path) -> list[list[str]]:
    """The cells of a table, header included, without blank rows. A decimal comma becomes a point.

    Raises:
        InputError: the file is missing or empty, or no table.
    """
    text = read_text(path)
    header = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise InputError(f"{path} is not a table ({error}); export it again") from error
    cells = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not cells:
        raise InputError(f"{path} is not a table: no column has a name; export it again")
    if delimiter != ",":
        _with_points(cells)
    return cells


def _with_points(cells: list[list[str]]) -> None:
    """Write decimal commas as points in the columns where every cell is a number or blank."""
    body = cells[1:]
    for column in range(len(cells[0])):
        inside = [row[column] for row in body if column < len(row) and row[column].lower() not in BLANK]
        commas = [cell for cell in inside if DECIMAL_COMMA.fullmatch(cell)]
        if commas and all(DECIMAL_COMMA.fullmatch(cell) or NUMBER.fullmatch(cell) for cell in inside):
            for row in body:
                if column < len(row):
                    row[column] = row[column].replace(",", ".")


def read_table(path: Path) -> list[dict[str, str]]:
    """One dictionary a row, keyed by the lower-case column name.

    Raises:
        InputError: the file is missing or empty, or a row has more or fewer cells than the header.
    """
    cells = read_cells(path)
    columns = [column.lower() for column in cells[0]]
    if len(set(columns)) < len(columns):
        raise InputError(f"{path} has two columns of one name; name each column once")
    for line, row in enumerate(cells[1:], start=2):
        if len(row) != len(columns):
            raise InputError(
                f"{path}, row {line}: {len(row)} cells under {len(columns)} columns; correct the row"
            )
    return [dict(zip(columns, row, strict=True)) for row in cells[1:]]


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
    # Python would also take 1_0 for ten.
    if not NUMBER.fullmatch(row[column]):
        raise InputError(f"{path}, row {line}: '{row[column][:80]}' under {column} is not a number")
    return float(row[column])


def number_or(default: float, path: Path, row: dict[str, str], column: str, line: int) -> float:
    """The same, where there may be no such column, or nothing in the cell. Raises as `number_in`."""
    return default if column not in row or is_blank(row, column) else number_in(path, row, column, line)


def whole_number_in(path: Path, row: dict[str, str], column: str, line: int) -> int:
    """The whole number in a cell.

    Raises:
        InputError: it is not one.
    """
    value = number_in(path, row, column, line)
    if not value.is_integer():
        raise InputError(f"{path}, row {line}: '{row[column][:80]}' under {column} is not a whole number")
    return int(value)


def yes_or_no(path: Path, row: dict[str, str], column: str, line: int) -> bool:
    """What a cell says, in the words of spreadsheets and programs; a blank cell says no.

    Raises:
        InputError: it says neither.
    """
    cell = row[column].lower()
    if cell not in YES + NO:
        raise InputError(f"{path}, row {line}: '{row[column][:80]}' under {column} is neither yes nor no")
    return cell in YES


def is_blank(row: dict[str, str], *columns: str) -> bool:
    """Whether nothing stands in any of these cells."""
    return all(row[column].lower() in BLANK for column in columns)
