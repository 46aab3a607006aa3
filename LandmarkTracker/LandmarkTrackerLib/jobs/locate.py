"""Find the landmarks of annotated images in the image files of other subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import landmarks_beside, read_image, read_points
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.jobs.across import FoundIn, locate_in, with_example
from LandmarkTrackerLib.jobs.detect import found_in_files
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator


def locate_files(
    examples: Sequence[Path],
    targets: Sequence[Path],
    locator: Locator,
    folder: Path,
    overwrite: bool = False,
    max_sigma_mm: float | None = None,
    spacing: Sequence[float] = (),
) -> Iterator[FoundIn]:
    """Learn from the examples, then find and write as `jobs.detect.detect_files` does.

    Args:
        examples: images with a landmark file of the same name beside each; any of them may hold some of the
            landmarks only.
        targets: images of other subjects.
        max_sigma_mm: see `locate_in`.
        spacing: of images that are not calibrated, see `formats.read_image`.

    Raises:
        InputError: an example or its landmarks cannot be used, two targets would write the same result, or a
            result is there already.
    """
    shown = [(path, _landmarks_of(path, spacing).only_defined()) for path in examples]

    def find(images: Mapping[str, Callable[[], sitk.Image]]) -> Iterator[FoundIn]:
        return locate_in(images, locator, _learn(locator, shown, spacing), max_sigma_mm)

    yield from found_in_files(targets, find, folder, overwrite, shown, spacing)


def _landmarks_of(image: Path, spacing: Sequence[float]) -> LandmarkSet:
    """Those of the file beside it; the image is read only where they are counted in its pixels."""
    points = read_points(landmarks_beside(image))
    return points.landmarks(Grid.of(read_image(image, spacing)) if points.needs_image else None)


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
