"""The landmarks that two images share, as files: one table, and two point lists in the same order."""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.formats.files import number
from LandmarkTrackerLib.formats.mrk_json import write_mrk_json
from LandmarkTrackerLib.formats.tables import write_table
from LandmarkTrackerLib.jobs.export import all_or_nothing
from LandmarkTrackerLib.landmarks import LandmarkPairs

PAIR_FILES = ("pairs.csv", "fixed.mrk.json", "moving.mrk.json")
COLUMNS = ("name", "fixed_l", "fixed_p", "fixed_s", "moving_l", "moving_p", "moving_s", "score")


def write_pairs(folder: Path, pairs: LandmarkPairs) -> list[Path]:
    """Write `PAIR_FILES`, replacing those that are there. Returns their paths."""
    rows = (
        (name, *map(number, (*fixed, *moving, score)))
        for name, fixed, moving, score in zip(
            pairs.names, pairs.fixed, pairs.moving, pairs.score, strict=True
        )
    )
    with all_or_nothing(folder, PAIR_FILES) as scratch:
        write_table(scratch / "pairs.csv", COLUMNS, rows)
        for name, landmarks in zip(PAIR_FILES[1:], pairs.landmarks, strict=True):
            write_mrk_json(scratch / name, landmarks)
    return [folder / name for name in PAIR_FILES]
