"""Landmarks as a table that people and spreadsheets read: `.csv`.

Read: Slicer's export (`label,l,p,s,defined,...`, or `r,a,s`) and the plain `name,l,p,s` or `name,r,a,s`, in
any order of columns, with `score` and `sigma_mm` where they are known. A row without coordinates, with
`defined` 0 or with `status` missing is a missing landmark. Written: Slicer's columns, then `score` and
`sigma_mm`; sigma along each axis is kept in `.mrk.json` only.
"""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import Point, in_system, landmark_set
from LandmarkTrackerLib.formats.tables import number_in, read_table, write_table
from LandmarkTrackerLib.landmarks import LandmarkSet

SLICER_COLUMNS = ("label", "l", "p", "s", "defined", "selected", "visible", "locked", "description")
SYSTEMS = {"LPS": ("l", "p", "s"), "RAS": ("r", "a", "s")}


def read_points_csv(path: Path) -> LandmarkSet:
    """Read landmarks from a table.

    Raises:
        InputError: its columns are not those above, or it holds no landmark, two of one name, or a cell
            that is no number.
    """
    rows = read_table(path)
    columns = list(rows[0]) if rows else []
    if "frame" in columns:
        raise InputError(f"{path} is a track of many frames; give the landmarks of one image")
    label = next((column for column in ("label", "name") if column in columns), None)
    system = next((name for name, axes in SYSTEMS.items() if set(axes) <= set(columns)), None)
    if rows and (label is None or system is None):
        raise InputError(f"{path} lacks the columns label,l,p,s (or r,a,s); name them in its first row")
    points = [
        _point(path, row, str(label), SYSTEMS[str(system)], line) for line, row in enumerate(rows, start=2)
    ]
    return landmark_set(path, points, system or "LPS")


def _point(path: Path, row: dict[str, str], label: str, axes: tuple[str, ...], line: int) -> Point:
    empty = not any(row[axis] for axis in axes)
    if empty or row.get("defined", "1") == "0" or row.get("status", "defined") != "defined":
        return Point(row[label], None)
    return Point(
        row[label],
        [number_in(path, row, axis, line) for axis in axes],
        number_in(path, row, "sigma_mm", line) if row.get("sigma_mm") else 0.0,
        number_in(path, row, "score", line) if row.get("score") else 1.0,
    )


def write_points_csv(path: Path, landmarks: LandmarkSet, *, overwrite: bool = False) -> None:
    """Write a table that Slicer imports into a point list.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    rows = []
    for landmark, sigma_mm in zip(landmarks, landmarks.sigma_mm, strict=True):
        found = landmark.status == "defined"
        place = [number(x) for x in in_system(landmark.position, "LPS")] if found else ["", "", ""]
        doubt = [number(landmark.score), number(sigma_mm)] if found else [0, ""]
        rows.append([landmark.name, *place, int(found), int(found), 1, 0, "", *doubt])
    write_table(path, (*SLICER_COLUMNS, "score", "sigma_mm"), rows, overwrite=overwrite)
