"""Landmarks as a table that people and spreadsheets read: `.csv`, `.tsv`.

Read: a row a landmark, in any order of columns. Its name: `label`, `name`, `landmark`, `bodypart`, `point`,
or a column without a heading; else the rows are numbered. Its place: `l,p,s` or `r,a,s` in mm, `i,j` or
`i,j,k` or `x,y` in pixels, or `x,y,z`, which does not say what it is unless ANTs' column `t` stands beside
it (LPS mm). `score` and `sigma_mm` (`sigma_px` on an image that is not calibrated) where they are known;
`image` or `frame`, where several images are in one table. A row without coordinates (blank, or NaN), with
`defined` false or blank, or with `status` missing is a missing landmark.

Written: Slicer's columns, then `score`, `sigma_mm` and `status` (defined, uncertain or missing); sigma along
each axis is kept in `.mrk.json` only.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile, in_system
from LandmarkTrackerLib.formats.tables import (
    is_blank,
    number_in,
    number_or,
    read_table,
    write_table,
    yes_or_no,
)
from LandmarkTrackerLib.landmarks import LandmarkSet, Status

SLICER_COLUMNS = ("label", "l", "p", "s", "defined", "selected", "visible", "locked", "description")
NAMES = ("label", "name", "landmark", "bodypart", "point", "")
IMAGES = ("image", "frame")
IN_COLUMNS = "as its columns state"
COUNTED = "as tables of pixels count them; the file does not state it"
# What each set of columns means; the first that is there counts.
PLACES: dict[tuple[str, ...], Coordinates | None] = {
    ("l", "p", "s"): Coordinates("LPS", IN_COLUMNS),
    ("r", "a", "s"): Coordinates("RAS", IN_COLUMNS),
    ("i", "j", "k"): Coordinates("pixel", COUNTED, stated=False),
    ("i", "j"): Coordinates("pixel", COUNTED, stated=False),
    ("x", "y", "z"): None,
    ("x", "y"): Coordinates("pixel", COUNTED, stated=False),
}
ANTS = Coordinates("LPS", "as ANTs has it; the file does not state it", stated=False, flat=True)
MISSING = ("missing", "undefined", "preview", "")


def read_points_csv(path: Path) -> LandmarkSet:
    """Read landmarks from a table of one image, in mm.

    Raises:
        InputError: its columns are not those above, or it holds no landmark, two of one name, or a cell
            that is no number.
    """
    return parse(path).landmarks()


def parse(path: Path) -> PointFile:
    """The landmarks of every image in a table. Raises as `read_points_csv`."""
    rows = read_table(path)
    columns = tuple(rows[0]) if rows else ()
    axes = next((axes for axes in PLACES if set(axes) <= set(columns)), None)
    if rows and axes is None:
        raise InputError(
            f"{path} lacks the columns label,l,p,s (or r,a,s in mm, or i,j,k in pixels); "
            "name them in its first row"
        )
    axes = axes or ()
    is_ants = axes == ("x", "y", "z") and "t" in columns
    label = next((column for column in NAMES if column in columns), None)
    if is_ants and label and len({row[label] for row in rows}) < len(rows):
        # ANTs gives every point a label, which may be the same for all.
        label = None
    image = next((column for column in IMAGES if column in columns), None)
    images: dict[str, list[Point]] = {}
    for line, row in enumerate(rows, start=2):
        points = images.setdefault(row[image] if image else "", [])
        name = row[label] if label is not None else str(len(points) + 1)
        points.append(_point(path, row, name, axes, line))
    return PointFile(
        path,
        "ANTs points" if is_ants else "table of landmarks",
        ANTS if is_ants else PLACES.get(axes),
        {name: tuple(points) for name, points in images.items()},
    )


def _point(path: Path, row: dict[str, str], name: str, axes: tuple[str, ...], line: int) -> Point:
    if is_blank(row, *axes) or not _found(path, row, line):
        return Point(name, None)
    return Point(
        name,
        [number_in(path, row, axis, line) for axis in axes],
        number_or(0.0, path, row, "sigma_px" if row.get("sigma_px") else "sigma_mm", line),
        number_or(1.0, path, row, "score", line),
        row.get("status", "").lower() == "uncertain",
    )


def _found(path: Path, row: dict[str, str], line: int) -> bool:
    status = row.get("status", "defined").lower()
    if status not in (*get_args(Status), *MISSING):
        raise InputError(
            f"{path}, row {line}: status '{status[:80]}' is none of {', '.join(get_args(Status))}"
        )
    return status not in MISSING and ("defined" not in row or yes_or_no(path, row, "defined", line))


def write_points_csv(
    path: Path, landmarks: LandmarkSet, *, overwrite: bool = False, unit: str = "mm"
) -> None:
    """Write a table that Slicer imports into a point list.

    Args:
        unit: of positions and sigma: "mm", or "px" of an image that is not calibrated.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    rows = []
    for landmark, sigma_mm in zip(landmarks, landmarks.sigma_mm, strict=True):
        found = landmark.status != "missing"
        certain = landmark.status == "defined"
        place = [number(x) for x in in_system(landmark.position, "LPS")] if found else ["", "", ""]
        doubt = [number(landmark.score), number(sigma_mm)] if found else [0, ""]
        rows.append([landmark.name, *place, int(found), int(certain), 1, 0, "", *doubt, landmark.status])
    write_table(path, (*SLICER_COLUMNS, "score", f"sigma_{unit}", "status"), rows, overwrite=overwrite)
