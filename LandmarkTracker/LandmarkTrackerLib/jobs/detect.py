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
from LandmarkTrackerLib.images import as_volume, is_calibrated, is_constant, length_unit
from LandmarkTrackerLib.jobs.across import FoundIn
from LandmarkTrackerLib.jobs.export import refuse_existing
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.fit import doubt_of
from LandmarkTrackerLib.methods.protocols import Detector
from LandmarkTrackerLib.step import Step

TABLE, PICTURE = "detections.csv", "overview.png"


def detect(images: Mapping[str, Callable[[], sitk.Image]], detector: Detector) -> Iterator[Step[FoundIn]]:
    """Yield every image's landmarks in turn, all names of the detector; missing where it was not found.

    An image that cannot be used does not stop the others; one without contrast holds no landmark.

    Args:
        images: name to what reads the image, called when it is its turn.
    """
    for done, (name, read) in enumerate(images.items(), start=1):
        try:
            image = as_volume(read())
            nothing = is_constant(image)
            landmarks = LandmarkSet.missing(detector.names) if nothing else detector.detect(image)
            found = FoundIn(
                name, landmarks, note=doubt_of(detector, image), unit=length_unit(is_calibrated(image))
            )
        except InputError as error:
            found = FoundIn(name, None, str(error))
        yield Step(done, len(images), found)


def detect_files(
    paths: Sequence[Path],
    detector: Detector,
    folder: Path,
    overwrite: bool = False,
    spacing: Sequence[float] = (),
) -> Iterator[Step[FoundIn]]:
    """Detect in files, and write as they finish: one `STEM.mrk.json` an image.

    At the end, also where a caller stops early, come `detections.csv` and, where matplotlib is installed,
    `overview.png`, of what was finished.

    Args:
        spacing: of images that are not calibrated, see `formats.read_image`.

    Raises:
        InputError: two images would write the same result, or a result is there already.
    """
    yield from found_in_files(paths, lambda images: detect(images, detector), folder, overwrite, (), spacing)


def found_in_files(
    paths: Sequence[Path],
    find: Callable[[Mapping[str, Callable[[], sitk.Image]]], Iterator[Step[FoundIn]]],
    folder: Path,
    overwrite: bool = False,
    examples: Sequence[tuple[Path, LandmarkSet]] = (),
    spacing: Sequence[float] = (),
) -> Iterator[Step[FoundIn]]:
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
    images = {name: partial(read_image, path, spacing) for name, path in zip(names, paths, strict=True)}
    done: dict[str, LandmarkSet] = {}
    units: dict[str, str] = {}
    try:
        for step in find(images):
            found = step.result
            if found is not None and found.landmarks is not None:
                file = folder / f"{found.name}.mrk.json"
                write_landmarks(file, found.landmarks, overwrite=overwrite, unit=found.unit)
                done[found.name], units[found.name] = found.landmarks, found.unit
            yield step
    finally:
        if done:
            write_detections(folder / TABLE, done, overwrite, units)
            # Slicer's Python has no matplotlib, and its user sees the points in the slice views instead.
            if importlib.util.find_spec("matplotlib"):
                from LandmarkTrackerLib.evaluation.montage import draw_detections

                shown = [(stem(path), partial(read_image, path, spacing), marks) for path, marks in examples]
                tiles = [(name, images[name], marks) for name, marks in done.items()]
                with written(folder / PICTURE, overwrite) as picture:
                    draw_detections(picture, tiles, shown)


def write_detections(
    path: Path,
    found: Mapping[str, LandmarkSet],
    overwrite: bool = False,
    units: Mapping[str, str] | None = None,
) -> None:
    """One row an image and landmark, LPS mm; a missing one keeps its row, without a position.

    Args:
        units: of each image's lengths. Sigma of one that is not calibrated is in a column `sigma_px`, and its
            position counts pixels too.
    """
    unit_of = {name: (units or {}).get(name, "mm") for name in found}
    sigmas = [unit for unit in ("mm", "px") if unit in unit_of.values()]

    def rows() -> Iterator[list[str]]:
        for name, landmarks in found.items():
            for landmark, sigma in zip(landmarks, landmarks.sigma_mm, strict=True):
                there = landmark.status != "missing"
                place = [number(x) for x in landmark.position] if there else [""] * 3
                doubt = [number(sigma) if there and unit == unit_of[name] else "" for unit in sigmas]
                yield [name, landmark.name, *place, *doubt, number(landmark.score), landmark.status]

    columns = ("image", "name", "l", "p", "s", *(f"sigma_{unit}" for unit in sigmas), "score", "status")
    write_table(path, columns, rows(), overwrite=overwrite)
