"""A track as a table: `track.csv`, one row a frame and landmark, positions in LPS mm.

A missing landmark keeps its row, with status `missing` and nothing under l, p, s and sigma_mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile, in_system
from LandmarkTrackerLib.formats.tables import number_in, read_cells, read_table, whole_number_in, write_table
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

COLUMNS = ("frame", "time", "name", "l", "p", "s", "sigma_mm", "score", "status")
FORMAT = "track"
LPS = Coordinates("LPS", "as its columns state")


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
    write_table(path, COLUMNS, rows, overwrite=overwrite)


def _cells(landmarks: LandmarkSet) -> Iterator[list[str]]:
    """name, l, p, s, sigma_mm, score, status of every landmark."""
    for landmark, sigma in zip(landmarks, landmarks.sigma_mm, strict=True):
        if landmark.status == "defined":
            place = [number(x) for x in (*in_system(landmark.position, "LPS"), sigma)]
        else:
            place = [""] * 4
        yield [landmark.name, *place, number(landmark.score), landmark.status]


def is_track(path: Path) -> bool:
    """Whether a file is a table with the columns of a track."""
    return path.suffix.lower() == ".csv" and set(COLUMNS) <= {cell.lower() for cell in read_cells(path)[0]}


def read_track_csv(path: Path) -> Track:
    """Read a track, its rows in any order. Sigma is the same along every axis; times that are the frame
    numbers count frames.

    Raises:
        InputError: its columns are others, it has no row, a cell is no number, a frame has two rows of one
            landmark or two times, or its frames do not hold the same landmarks.
    """
    frames, times = _frames(path)
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
    return Track(at, tuple(sets), unit, numbers)


def parse(path: Path) -> PointFile:
    """The landmarks of every frame. Raises as `read_track_csv`."""
    frames, _ = _frames(path)
    return PointFile(
        path, FORMAT, LPS, {str(frame): tuple(points.values()) for frame, points in frames.items()}
    )


def _frames(path: Path) -> tuple[dict[int, dict[str, Point]], dict[int, float]]:
    """Frame number to its landmarks by name, and to its time."""
    rows = read_table(path)
    if not rows or set(rows[0]) != set(COLUMNS):
        raise InputError(f"{path} is not a track; give a table with the columns {','.join(COLUMNS)}")
    frames: dict[int, dict[str, Point]] = {}
    times: dict[int, float] = {}
    for line, row in enumerate(rows, start=2):
        frame = whole_number_in(path, row, "frame", line)
        time = number_in(path, row, "time", line)
        if not np.isfinite(time) or times.setdefault(frame, time) != time:
            raise InputError(f"{path}, row {line}: frame {frame} is at time {row['time']}; give it one time")
        point = _point(path, row, line)
        if frames.setdefault(frame, {}).setdefault(point.name, point) is not point:
            raise InputError(
                f"{path}, row {line}: frame {frame} has '{point.name}' twice; remove one of the rows"
            )
    return frames, times


def _point(path: Path, row: dict[str, str], line: int) -> Point:
    if row["status"] == "missing":
        return Point(row["name"], None)
    if row["status"] != "defined":
        raise InputError(f"{path}, row {line}: status '{row['status'][:80]}' is neither defined nor missing")
    position = [number_in(path, row, axis, line) for axis in "lps"]
    sigma, score = (number_in(path, row, column, line) for column in ("sigma_mm", "score"))
    return Point(row["name"], position, sigma, score)
