"""Find the landmarks that were shown in some images in the images of other subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import SimpleITK as sitk

from LandmarkTrackerLib.appearance import Appearance, turn_like
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import as_volume, is_calibrated, length_unit
from LandmarkTrackerLib.jobs.propagate import located, require_on_image
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.fit import doubt_of
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.step import Step


@dataclass(frozen=True)
class FoundIn:
    """One finished subject: its landmarks, or why there are none.

    Attributes:
        note: that the model was trained on other images, and what of the image differs from the example and
            is corrected for.
        unit: of positions and sigma: "mm", or "px" of an image that is not calibrated.
    """

    name: str
    landmarks: LandmarkSet | None
    failure: str = ""
    note: str = ""
    unit: str = "mm"


def examples_of(locator: Locator, shown: Iterable[tuple[sitk.Image, LandmarkSet]]) -> Examples:
    """What the locator learns from images with landmarks; all are turned like the first.

    Raises:
        InputError: nothing is shown, or a landmark lies off its image.
    """
    examples: Examples = ()
    for image, landmarks in shown:
        examples = with_example(locator, examples, image, landmarks)
    if not examples:
        raise InputError("no landmark is placed in any example; place at least one")
    return examples


def with_example(locator: Locator, examples: Examples, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
    """The examples and one more; the same if it shows no landmark.

    Raises:
        InputError: a landmark lies off the image, or it shows another plane than the first example.
    """
    placed, image = landmarks.only_defined(), as_volume(image)
    if not len(placed):
        return examples
    require_on_image(placed, image, "example")
    seen = Appearance.of(image)
    first = examples[0].seen if examples else None
    turned = turn_like(seen.grid, first.grid)(image) if first else image
    return examples + tuple(replace(e, seen=first or seen) for e in locator.describe(turned, placed))


def locate_in(
    images: Mapping[str, Callable[[], sitk.Image]],
    locator: Locator,
    examples: Examples,
    max_sigma_mm: float | None = None,
) -> Iterator[Step[FoundIn]]:
    """Yield every subject's landmarks in turn; a subject that cannot be read does not stop the others.

    Args:
        images: name to what reads the image, called when it is its turn.
        max_sigma_mm: a point less certain than this is missing; the locator's own limit if not given.
    """
    for done, (name, read) in enumerate(images.items(), start=1):
        try:
            found = locate_one(name, read(), locator, examples, max_sigma_mm)
        except InputError as error:
            found = FoundIn(name, None, str(error))
        yield Step(done, len(images), found)


def locate_one(
    name: str, image: sitk.Image, locator: Locator, examples: Examples, max_sigma_mm: float | None = None
) -> FoundIn:
    """One subject, turned like the examples.

    Raises:
        InputError: the locator cannot use the image, or it shows another plane than the examples.
    """
    limit = locator.max_sigma_mm if max_sigma_mm is None else max_sigma_mm
    image = as_volume(image)
    example, unit = examples[0].seen, length_unit(is_calibrated(image))
    doubt = doubt_of(locator, image)
    if example is None:
        return FoundIn(name, located(locator, examples, image, None, limit), note=doubt, unit=unit)
    seen = Appearance.of(image)
    turn = turn_like(seen.grid, example.grid)
    found = located(locator, examples, turn(image), None, limit)
    return FoundIn(
        name, turn.back(found), note="; ".join(filter(None, (doubt, seen.unlike(example)))), unit=unit
    )
