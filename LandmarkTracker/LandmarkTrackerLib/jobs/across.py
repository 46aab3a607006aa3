"""Find the landmarks that were shown in some images in the images of other subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.jobs.propagate import located, require_on_image
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator


@dataclass(frozen=True)
class FoundIn:
    """One finished subject: its landmarks, or why there are none."""

    name: str
    landmarks: LandmarkSet | None
    failure: str = ""


def examples_of(locator: Locator, shown: Iterable[tuple[sitk.Image, LandmarkSet]]) -> Examples:
    """What the locator learns from images with landmarks.

    Raises:
        InputError: nothing is shown, or a landmark lies off its image.
    """
    examples: Examples = ()
    for image, landmarks in shown:
        placed = landmarks.only_defined()
        if len(placed):
            image = as_volume(image)
            require_on_image(placed, Grid.of(image), "example")
            examples += locator.describe(image, placed)
    if not examples:
        raise InputError("no landmark is placed in any example; place at least one")
    return examples


def locate_in(
    images: Mapping[str, Callable[[], sitk.Image]],
    locator: Locator,
    examples: Examples,
    max_sigma_mm: float | None = None,
) -> Iterator[FoundIn]:
    """Yield every subject's landmarks in turn; a subject that cannot be read does not stop the others.

    Args:
        images: name to what reads the image, called when it is its turn.
        max_sigma_mm: a point less certain than this is missing; the locator's own limit if not given.
    """
    limit = locator.max_sigma_mm if max_sigma_mm is None else max_sigma_mm
    for name, read in images.items():
        try:
            yield FoundIn(name, located(locator, examples, as_volume(read()), None, limit))
        except InputError as error:
            yield FoundIn(name, None, str(error))
