"""Many cases, one after the other: a bad one does not stop the rest, and a rerun does only what is left.

What became of each case stands in a table that is written anew after every case, so that it is right even
when the run is killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import (
    landmarks_beside,
    open_cine,
    read_image,
    read_landmarks,
    write_landmarks,
)
from LandmarkTrackerLib.formats.files import natural, stem
from LandmarkTrackerLib.formats.image_file import suffix_of
from LandmarkTrackerLib.formats.stack import FrameAxis
from LandmarkTrackerLib.formats.tables import read_table, write_table
from LandmarkTrackerLib.jobs.across import FoundIn, locate_one
from LandmarkTrackerLib.jobs.detect import detect
from LandmarkTrackerLib.jobs.export import write_track
from LandmarkTrackerLib.jobs.propagate import Direction, propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.fit import doubt_of
from LandmarkTrackerLib.methods.protocols import Detector, Examples, Locator
from LandmarkTrackerLib.step import Step, results

TABLE = "cases.csv"


@dataclass(frozen=True)
class Done:
    """What a case found.

    Attributes:
        points: landmarks looked for, over all frames.
        missing: how many of them were not found.
        unit: of lengths: "mm", or "px" where the images are not calibrated.
        note: why the results need a look; "" if nothing speaks against them.
    """

    points: int
    missing: int
    unit: str = "mm"
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One thing to do.

    Attributes:
        name: unique in its batch.
        result: the file that is there when the case is complete, and not before.
        work: does it, and returns what it found.
    """

    name: str
    result: Path
    work: Callable[[], Done]


@dataclass(frozen=True)
class Outcome:
    """A row of the table.

    Attributes:
        status: "done" or "failed".
        points: landmarks looked for, over all frames.
        missing: how many of them were not found.
        message: why it failed, or why its results need a look.
        unit: of lengths, as in `Done`.
    """

    case: str
    status: str
    points: str = ""
    missing: str = ""
    seconds: str = ""
    message: str = ""
    unit: str = ""


COLUMNS = tuple(field.name for field in fields(Outcome))


def run(cases: Sequence[Case], folder: Path, overwrite: bool = False) -> Iterator[Step[tuple[Outcome, bool]]]:
    """Yield each case's outcome, and whether it was done now; `folder/cases.csv` keeps them all.

    Args:
        folder: for the table.
        overwrite: do again what is complete.

    Raises:
        InputError: there is no case, or two of one name.
    """
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two cases are named '{name}'; rename one of the files")
    if not cases:
        raise InputError("there is nothing to do; give a folder with images")
    table = folder / TABLE
    known = {row["case"]: Outcome(**row) for row in read_table(table)} if table.is_file() else {}
    for done, case in enumerate(cases, start=1):
        complete = case.result.exists() and not overwrite
        if complete:
            known[case.name] = known.get(case.name) or Outcome(case.name, "done")
        else:
            known[case.name] = attempt(case)
        rows = [tuple(asdict(known[name]).values()) for name in names if name in known]
        write_table(table, COLUMNS, rows, overwrite=True)
        yield Step(done, len(cases), (known[case.name], not complete))


def attempt(case: Case) -> Outcome:
    """Do one case. Whatever goes wrong becomes its message."""
    begin = time.perf_counter()
    try:
        done = case.work()
    except Exception as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        return Outcome(case.name, "failed", message=kind + " ".join(str(error).split()))
    seconds = f"{time.perf_counter() - begin:.1f}"
    return Outcome(case.name, "done", str(done.points), str(done.missing), seconds, done.note, done.unit)


def images_in(folder: Path, output: Path) -> list[Path]:
    """The images, cines and folders of frames in a folder, frame 2 before frame 10; not the output folder.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give one with images")
    entries = [
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.resolve() != output.resolve()
    ]
    return sorted(
        (path for path in entries if path.is_dir() or suffix_of(path)), key=lambda path: natural(path.name)
    )


def track_cases(
    folder: Path,
    output: Path,
    locator: Locator,
    title: str,
    frame: int = 0,
    direction: Direction = "both",
    max_sigma_mm: float | None = None,
    spacing: Sequence[float] = (),
    frames_axis: FrameAxis | None = None,
    frame_rate: float | None = None,
) -> list[Case]:
    """Every cine of a folder, with the landmarks of the file of the same name; results in a folder each.

    Args:
        title: what runs, for the pictures.
        frame: on which frame the landmarks lie.
        spacing: of cines that are not calibrated, see `formats.open_cine`.
        frames_axis, frame_rate: of 3D files that keep frames as slices, see `formats.open_cine`.
    """

    def track(path: Path) -> Done:
        cine = open_cine(path, None, spacing, frames_axis, frame_rate)
        shown = read_landmarks(landmarks_beside(path), cine.grid, frame)
        steps = results(propagate(cine, locator, {frame: shown}, direction, max_sigma_mm=max_sigma_mm))
        result = track_of(cine, {step.frame: step.landmarks for step in steps})
        write_track(output / stem(path), cine, result, frame, f"{cine.name}, {title}", overwrite=True)
        return _counted(result.frames, cine.length_unit, doubt_of(locator, cine[frame]))

    # The picture comes last, but not everywhere; the sequence comes after the table.
    return [
        Case(stem(path), output / stem(path) / "track.seq.mrb", partial(track, path))
        for path in images_in(folder, output)
    ]


def locate_cases(
    folder: Path,
    output: Path,
    locator: Locator,
    examples: Examples,
    max_sigma_mm: float | None = None,
    spacing: Sequence[float] = (),
) -> list[Case]:
    """Every image of a folder, each another subject; one `NAME.mrk.json` each."""

    def locate(path: Path) -> FoundIn:
        return locate_one(stem(path), read_image(path, spacing), locator, examples, max_sigma_mm)

    return _image_cases(folder, output, locate)


def detect_cases(folder: Path, output: Path, detector: Detector, spacing: Sequence[float] = ()) -> list[Case]:
    """Every image of a folder; one `NAME.mrk.json` each."""

    def detected(path: Path) -> FoundIn:
        (found,) = results(detect({path.name: partial(read_image, path, spacing)}, detector))
        return found

    return _image_cases(folder, output, detected)


def _image_cases(folder: Path, output: Path, find: Callable[[Path], FoundIn]) -> list[Case]:
    def work(path: Path, result: Path) -> Done:
        found = find(path)
        if found.landmarks is None:
            raise InputError(found.failure)
        write_landmarks(result, found.landmarks, overwrite=True, unit=found.unit)
        return _counted([found.landmarks], found.unit, found.note)

    cases = []
    for path in images_in(folder, output):
        result = output / f"{stem(path)}.mrk.json"
        cases.append(Case(stem(path), result, partial(work, path, result)))
    return cases


def _counted(sets: Sequence[LandmarkSet], unit: str, note: str) -> Done:
    missing = sum(int((~found.defined).sum()) for found in sets)
    return Done(sum(len(found) for found in sets), missing, unit, note)
