"""The landmarks that two images share, as files: a table, two point lists, and what programs want of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.formats.mrk_json import write_mrk_json
from LandmarkTrackerLib.formats.pairs_csv import write_pairs_csv
from LandmarkTrackerLib.formats.scans import ScanPair
from LandmarkTrackerLib.jobs.export import all_or_nothing
from LandmarkTrackerLib.landmarks import LandmarkPairs

PAIR_FILES = ("pairs.csv", "fixed.mrk.json", "moving.mrk.json")


def write_pairs(folder: Path, pairs: LandmarkPairs) -> list[Path]:
    """Write `PAIR_FILES`, replacing those that are there. Returns their paths."""
    with all_or_nothing(folder, PAIR_FILES) as scratch:
        _write(scratch, pairs)
    return [folder / name for name in PAIR_FILES]


def export_pairs(folder: Path, scans: ScanPair, programs: Sequence[str]) -> list[Path]:
    """The same, and one folder a program of `EXPORTS`. Returns the paths of files and folders.

    Raises:
        InputError: a program cannot take these scans, or there are too few pairs; nothing is written then.
    """
    # The point lists come last: where they are, everything is.
    names = (*programs, *PAIR_FILES)
    with all_or_nothing(folder, names) as scratch:
        _write(scratch, scans.pairs)
        for program in programs:
            (scratch / program).mkdir()
            EXPORTS[program](scratch / program, scans)
    return [folder / name for name in names]


def _write(folder: Path, pairs: LandmarkPairs) -> None:
    write_pairs_csv(folder / "pairs.csv", pairs)
    for name, landmarks in zip(PAIR_FILES[1:], pairs.landmarks, strict=True):
        write_mrk_json(folder / name, landmarks)
