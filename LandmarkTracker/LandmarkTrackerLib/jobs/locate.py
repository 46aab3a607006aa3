"""Find the landmarks of annotated images in the image files of other subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.formats.annotated import TABLE, annotated_images, landmarks_of
from LandmarkTrackerLib.jobs.across import FoundIn, locate_in, with_example
from LandmarkTrackerLib.jobs.detect import found_in_files
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.step import Step


def locate_files(
    examples: Sequence[Path],
    targets: Sequence[Path],
    locator: Locator,
    folder: Path,
    overwrite: bool = False,
    max_sigma_mm: float | None = None,
    spacing: Sequence[float] = (),
) -> Iterator[Step[FoundIn]]:
    """Learn from the examples, then find and write as `jobs.detect.detect_files` does.

    Args:
        examples: images with a landmark file of the same name beside each, folders of such images, or tables
            of their landmarks; any image may hold some of the landmarks only.
        targets: images of other subjects.
        max_sigma_mm: see `locate_in`.
        spacing: of images that are not calibrated, see `formats.read_image`.

    Raises:
        InputError: an example or its landmarks cannot be used, two targets would write the same result, or a
            result is there already.
    """
    shown = [pair for example in examples for pair in _shown_in(example, spacing)]

    def find(images: Mapping[str, Callable[[], sitk.Image]]) -> Iterator[Step[FoundIn]]:
        return locate_in(images, locator, _learn(locator, shown, spacing), max_sigma_mm)

    yield from found_in_files(targets, find, folder, overwrite, shown, spacing)


def _shown_in(example: Path, spacing: Sequence[float]) -> list[tuple[Path, LandmarkSet]]:
    """Images with their landmarks: one image, a folder of annotated images, or a table of their landmarks."""
    if example.suffix.lower() == ".csv" or (example.is_dir() and _is_annotated(example)):
        return [
            (item.path, item.landmarks.only_defined()) for item in annotated_images(example, spacing=spacing)
        ]
    return [(example, landmarks_of(example, spacing).only_defined())]


def _is_annotated(folder: Path) -> bool:
    """Whether a folder holds annotated images, rather than the slices of one."""
    return (folder / TABLE).is_file() or any(folder.glob("*.mrk.json"))


def _learn(locator: Locator, shown: Sequence[tuple[Path, LandmarkSet]], spacing: Sequence[float]) -> Examples:
    examples: Examples = ()
    for path, landmarks in shown:
        try:
            examples = with_example(locator, examples, read_image(path, spacing), landmarks)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    if not examples:
        raise InputError("no landmark is placed in any example; place at least one")
    return examples
