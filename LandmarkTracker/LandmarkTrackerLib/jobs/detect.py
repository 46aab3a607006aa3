"""Find the landmarks that a Detector was trained for, in one image after the other."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_image, write_landmarks
from LandmarkTrackerLib.formats.files import number, stem, written
from LandmarkTrackerLib.formats.tables import write_table
from LandmarkTrackerLib.images import as_volume, is_constant
from LandmarkTrackerLib.jobs.across import FoundIn
from LandmarkTrackerLib.jobs.export import refuse_existing
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Detector

TABLE, PICTURE = "detections.csv", "overview.png"
COLUMNS = ("image", "name", "l", "p", "s", "sigma_mm", "score", "status")


def detect(images: Mapping[str, Callable[[], sitk.Image]], detector: Detector) -> Iterator[FoundIn]:
    """Yield every image's landmarks in turn, all names of the detector; missing where it was not found.

    An image that cannot be used does not stop the others; one without contrast holds no landmark.

    Args:
        images: name to what reads the image, called when it is its turn.
    """
    for name, read in images.items():
        try:
            image = as_volume(read())
            nothing = is_constant(image)
            yield FoundIn(name, LandmarkSet.missing(detector.names) if nothing else detector.detect(image))
        except InputError as error:
            yield FoundIn(name, None, str(error))


def detect_files(
    paths: Sequence[Path], detector: Detector, folder: Path, overwrite: bool = False
) -> Iterator[FoundIn]:
    """Detect in files, and write as they finish: one `STEM.mrk.json` an image.

    At the end, also where a caller stops early, come `detections.csv` and, where matplotlib is installed,
    `overview.png`, of what was finished.

    Raises:
        InputError: two images would write the same result, or a result is there already.
    """
    yield from found_in_files(paths, lambda images: detect(images, detector), folder, overwrite)


def found_in_files(
    paths: Sequence[Path],
    find: Callable[[Mapping[str, Callable[[], sitk.Image]]], Iterator[FoundIn]],
    folder: Path,
    overwrite: bool = False,
    examples: Sequence[tuple[Path, LandmarkSet]] = (),
) -> Iterator[FoundIn]:
    """Write the results of `find` as `detect_files` has it; `overview.png` starts with the examples.

    Raises:
        InputError: as `detect_files`.
    """
    names = [stem(path) for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two images are named '{name}'; find them into two output folders")
    refuse_existing(folder, (*(f"{name}.mrk.json" for name in names), TABLE, PICTURE), overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    images = {name: partial(read_image, path) for name, path in zip(names, paths, strict=True)}
    done: dict[str, LandmarkSet] = {}
    try:
        for found in find(images):
            if found.landmarks is not None:
                write_landmarks(folder / f"{found.name}.mrk.json", found.landmarks, overwrite=overwrite)
                done[found.name] = found.landmarks
            yield found
    finally:
        if done:
            write_detections(folder / TABLE, done, overwrite)
            # Slicer's Python has no matplotlib, and its user sees the points in the slice views instead.
            if importlib.util.find_spec("matplotlib"):
                from LandmarkTrackerLib.evaluation.montage import draw_detections

                shown = [(stem(path), partial(read_image, path), marks) for path, marks in examples]
                tiles = [(name, images[name], marks) for name, marks in done.items()]
                with written(folder / PICTURE, overwrite) as picture:
                    draw_detections(picture, tiles, shown)


def write_detections(path: Path, found: Mapping[str, LandmarkSet], overwrite: bool = False) -> None:
    """One row an image and landmark, LPS mm; a missing one keeps its row, without a position."""

    def rows() -> Iterator[list[str]]:
        for name, landmarks in found.items():
            for landmark, sigma in zip(landmarks, landmarks.sigma_mm, strict=True):
                there = landmark.status == "defined"
                numbers = [number(x) for x in (*landmark.position, sigma)] if there else [""] * 4
                yield [name, landmark.name, *numbers, number(landmark.score), landmark.status]

    write_table(path, COLUMNS, rows(), overwrite=overwrite)
