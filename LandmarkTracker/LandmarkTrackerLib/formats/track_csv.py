"""A track as a table: `track.csv`, one row a frame and landmark, positions in LPS mm.

A missing landmark keeps its row, with status `missing` and nothing under l, p, s and sigma_mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.points import Point, in_system, landmark_set
from LandmarkTrackerLib.formats.tables import number_in, read_table, write_table
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

COLUMNS = ("frame", "time", "name", "l", "p", "s", "sigma_mm", "score", "status")


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


def read_track_csv(path: Path) -> Track:
    """Read a track. Sigma is the same along every axis; times that are the frame numbers count frames.

    Raises:
        InputError: its columns are others, it has no row, a cell is no number, or its frames do not hold
            the same landmarks.
    """
    rows = read_table(path)
    if not rows or set(rows[0]) != set(COLUMNS):
        raise InputError(f"{path} is not a track; give a table with the columns {','.join(COLUMNS)}")
    lines = list(enumerate(rows, start=2))
    numbers, times, sets = [], [], []
    for _, group in groupby(lines, key=lambda item: item[1]["frame"]):
        frame = list(group)
        line, row = frame[0]
        numbers.append(number_in(path, row, "frame", line))
        times.append(number_in(path, row, "time", line))
        sets.append(landmark_set(path, [_point(path, row, line) for line, row in frame]))
        if sets[-1].names != sets[0].names:
            raise InputError(f"{path}: frame {row['frame']} does not hold the landmarks of the first frame")
    unit = "frame" if numbers == times else UNSTATED_UNIT
    return Track(np.array(times), tuple(sets), unit, tuple(int(n) for n in numbers))


def _point(path: Path, row: dict[str, str], line: int) -> Point:
    if row["status"] == "missing":
        return Point(row["name"], None)
    if row["status"] != "defined":
        raise InputError(f"{path}, row {line}: status '{row['status']}' is neither defined nor missing")
    position = [number_in(path, row, axis, line) for axis in "lps"]
    sigma, score = (number_in(path, row, column, line) for column in ("sigma_mm", "score"))
    return Point(row["name"], position, sigma, score)
