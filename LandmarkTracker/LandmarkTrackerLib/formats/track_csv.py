"""A track as a table: `track.csv`, one row a frame and landmark, positions in LPS mm.

A missing landmark keeps its row, with status `missing` and nothing under l, p, s and sigma_mm. In the track
of a cine that is not calibrated, l, p, s and sigma count pixels, and the column is named `sigma_px`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile, in_system
from LandmarkTrackerLib.formats.tables import number_in, read_cells, read_table, whole_number_in, write_table
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT
from LandmarkTrackerLib.landmarks import LandmarkSet, Status, Track

UNITS = ("mm", "px")
FORMAT = "track"
LPS = Coordinates("LPS", "as its columns state")


def columns(unit: str = "mm") -> tuple[str, ...]:
    """Those of a track whose lengths are in this unit."""
    return ("frame", "time", "name", "l", "p", "s", f"sigma_{unit}", "score", "status")


def unit_of(names: Iterable[str]) -> str:
    """The unit of a track's lengths from the names of its columns; "" if they are others."""
    return next((unit for unit in UNITS if set(columns(unit)) == set(names)), "")


def write_track_csv(path: Path, track: Track, *, overwrite: bool = False) -> None:
    """Write a track.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    rows = (
        (frame, number(time), *cells)
        for frame, time, landmarks in zip(track.numbers, track.times, track, strict=True)
        for cells in _cells(landmarks)
    )
    write_table(path, columns(track.length_unit), rows, overwrite=overwrite)


def _cells(landmarks: LandmarkSet) -> Iterator[list[str]]:
    """name, l, p, s, sigma, score, status of every landmark."""
    for landmark, sigma in zip(landmarks, landmarks.sigma_mm, strict=True):
        if landmark.status != "missing":
            place = [number(x) for x in (*in_system(landmark.position, "LPS"), sigma)]
        else:
            place = [""] * 4
        yield [landmark.name, *place, number(landmark.score), landmark.status]


def is_track(path: Path) -> bool:
    """Whether a file is a table with the columns of a track."""
    return path.suffix.lower() == ".csv" and bool(unit_of({cell.lower() for cell in read_cells(path)[0]}))


def read_track_csv(path: Path) -> Track:
    """Read a track, its rows in any order. Sigma is the same along every axis; times that are the frame
    numbers count frames.

    Raises:
        InputError: its columns are others, it has no row, a cell is no number, a frame has two rows of one
            landmark or two times, or its frames do not hold the same landmarks.
    """
    frames, times, length_unit = _frames(path)
    first = next(iter(frames.values()))
    sets = []
    for frame in sorted(frames):
        if set(frames[frame]) != set(first):
            raise InputError(f"{path}: frame {frame} does not hold the landmarks of the first frame")
        points = tuple(frames[frame][name] for name in first)
        sets.append(PointFile(path, FORMAT, LPS, {"": points}).landmarks())
    numbers = tuple(sorted(frames))
    at = np.array([times[frame] for frame in numbers])
    unit = "frame" if list(numbers) == at.tolist() else UNSTATED_UNIT
    return Track(at, tuple(sets), unit, numbers, length_unit)


def parse(path: Path) -> PointFile:
    """The landmarks of every frame. Raises as `read_track_csv`."""
    frames, _times, _unit = _frames(path)
    return PointFile(
        path, FORMAT, LPS, {str(frame): tuple(points.values()) for frame, points in frames.items()}
    )


def _frames(path: Path) -> tuple[dict[int, dict[str, Point]], dict[int, float], str]:
    """Frame number to its landmarks by name, and to its time; and the unit of lengths."""
    rows = read_table(path)
    unit = unit_of(rows[0]) if rows else ""
    if not unit:
        raise InputError(f"{path} is not a track; give a table with the columns {','.join(columns())}")
    frames: dict[int, dict[str, Point]] = {}
    times: dict[int, float] = {}
    for line, row in enumerate(rows, start=2):
        frame = whole_number_in(path, row, "frame", line)
        time = number_in(path, row, "time", line)
        if not np.isfinite(time) or times.setdefault(frame, time) != time:
            raise InputError(f"{path}, row {line}: frame {frame} is at time {row['time']}; give it one time")
        point = _point(path, row, line, unit)
        if frames.setdefault(frame, {}).setdefault(point.name, point) is not point:
            raise InputError(
                f"{path}, row {line}: frame {frame} has '{point.name}' twice; remove one of the rows"
            )
    return frames, times, unit


def _point(path: Path, row: dict[str, str], line: int, unit: str) -> Point:
    if row["status"] == "missing":
        return Point(row["name"], None)
    if row["status"] not in get_args(Status):
        raise InputError(
            f"{path}, row {line}: status '{row['status'][:80]}' is none of {', '.join(get_args(Status))}"
        )
    position = [number_in(path, row, axis, line) for axis in "lps"]
    sigma, score = (number_in(path, row, column, line) for column in (f"sigma_{unit}", "score"))
    return Point(row["name"], position, sigma, score, row["status"] == "uncertain")
