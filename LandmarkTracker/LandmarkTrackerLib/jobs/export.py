"""Write what was found: all files of a result, or none of them."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import Track

TRACK_FILES = ("track.csv", "track.seq.mrb", "overview.png")


def refuse_existing(folder: Path, names: tuple[str, ...], overwrite: bool) -> None:
    """Called before long work starts, so that nobody waits for a result that cannot be written.

    Raises:
        InputError: one of the files is there already and `overwrite` is False, or `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder as output")
    there = [name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise InputError(f"{folder / there[0]} exists; choose another output folder or add --overwrite")


@contextmanager
def all_or_nothing(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A scratch folder; its files and folders `names` move into `folder` when everything was written."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        yield scratch
        for name in names:
            _move(scratch / name, folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """A folder's files join those that the target holds already, which may be a person's."""
    if source.is_dir():
        target.mkdir(exist_ok=True)
        for path in sorted(source.iterdir()):
            _move(path, target / path.name)
    elif source.exists():
        source.replace(target)


def write_track(
    folder: Path, cine: Cine, track: Track, clicked: int, title: str, overwrite: bool = False
) -> list[Path]:
    """`track.csv`, `track.seq.mrb` and, where matplotlib is installed, `overview.png`. Returns their paths.

    Args:
        folder: made if it is not there.
        clicked: number of the frame in which the landmarks were shown.
        title: headline of the picture: what ran on what.

    Raises:
        InputError: a file is there already and `overwrite` is False.
    """
    from LandmarkTrackerLib.evaluation.overview import draw_track
    from LandmarkTrackerLib.formats.seq_mrb import write_seq_mrb
    from LandmarkTrackerLib.formats.track_csv import write_track_csv

    refuse_existing(folder, TRACK_FILES, overwrite)
    with all_or_nothing(folder, TRACK_FILES) as scratch:
        write_track_csv(scratch / "track.csv", track)
        write_seq_mrb(scratch / "track.seq.mrb", track)
        # Slicer's Python has no matplotlib, and its user sees the track in the slice views instead.
        if importlib.util.find_spec("matplotlib"):
            draw_track(cine, track, scratch / "overview.png", clicked, title)
    return [folder / name for name in TRACK_FILES if (folder / name).exists()]
