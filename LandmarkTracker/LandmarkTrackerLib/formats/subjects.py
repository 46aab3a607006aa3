"""Whose image a file is: images of one subject never lie on both sides of a split."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import stem
from LandmarkTrackerLib.formats.tables import read_table

# Either heads the column of subjects.
SUBJECT = ("subject", "patient")


def check_rule(rule: str) -> None:
    """Raises InputError if a subject rule (see `subject_rule`) cannot be one."""
    if not rule or rule.endswith(".csv"):
        return
    try:
        groups = re.compile(rule).groups
    except re.error as error:
        raise InputError(f"subject '{rule}' is not a regular expression: {error}") from error
    if not groups:
        raise InputError(f"subject '{rule}' has no group; put brackets around the subject's name")


def subject_rule(rule: str, folder: Path) -> Callable[[Path], str | None]:
    """From a file of the folder to its subject; None for a file that a table does not list.

    Args:
        rule: "" makes every file a subject of its own; a name that ends in ".csv" is a table in the folder
            with the columns `file` and `subject` (or `patient`); everything else is a regular expression
            whose first group, found in the path below the folder without its suffix, is the subject.

    Raises:
        InputError: there is no such table or it lacks a column; when called, a path does not fit the
            expression.
    """
    check_rule(rule)
    if not rule:
        return stem
    if rule.endswith(".csv"):
        listed = _listed(folder / rule)
        return lambda path: listed.get(path.name)

    def found(path: Path) -> str:
        match = re.search(rule, path.relative_to(folder).with_name(stem(path)).as_posix())
        if match is None:
            raise InputError(f"the subject of {path.name} cannot be told by '{rule}'; change the expression")
        return str(match.group(1))

    return found


def _listed(table: Path) -> dict[str, str]:
    rows = read_table(table)
    column = next((name for name in SUBJECT if rows and name in rows[0]), "")
    if not column or "file" not in rows[0]:
        raise InputError(f"{table} must be a CSV file with the columns file and subject (or patient)")
    return {row["file"]: row[column] for row in rows}
