"""What a trained model is worth: errors of landmarks, error maps, and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.evaluation.cyclic import ErrorMap, cyclic_error, template_error
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats.annotated import Annotated
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator

from reproduce_tmn.config import MapsConfig
from reproduce_tmn.spread import Spread

# Images that are timed, unless they take longer than this together.
TIMED, PATIENCE_S = 10, 20.0

# Name, image, template matching, cyclic error.
Maps = tuple[str, sitk.Image, ErrorMap, ErrorMap]
Read = Callable[[], sitk.Image]
# From an image to the landmarks, as each of several sets of examples shows them.
Ask = Callable[[sitk.Image], list[LandmarkSet]]


def asking(locator: Locator, sets: Sequence[Sequence[Annotated]], names: Sequence[str]) -> Ask:
    """Seek the landmarks as each set of examples shows them, all sets in one look at the image."""
    shown: dict[str, tuple[Annotated, list[int]]] = {}
    for number, items in enumerate(sets):
        for item in items:
            shown.setdefault(item.name, (item, []))[1].append(number)
    examples: Examples = ()
    for item, numbers in shown.values():
        points = item.landmarks.select(names).positions
        labels = tuple(f"{number} {name}" for number in numbers for name in names)
        examples += locator.describe(item.read(), LandmarkSet(labels, np.tile(points, (len(numbers), 1))))

    def ask(image: sitk.Image) -> list[LandmarkSet]:
        found = locator.locate(examples, image)
        return [found.select([f"{number} {name}" for name in names]) for number in range(len(sets))]

    return ask


def landmark_errors(
    ask: Ask, targets: Sequence[Annotated], names: Sequence[str], field: Field
) -> Iterator[Array]:
    """(sets, landmarks) distance in pixels of the field, in each target in turn; NaN without an answer."""
    for item in targets:
        image = item.read()
        truth = item.landmarks.select(names).positions
        off = np.stack([found.positions - truth for found in ask(image)])
        yield np.linalg.norm(off, axis=2) / field.pitch(Grid.of(image))


def described(locator: Locator, items: Sequence[Annotated], names: Sequence[str]) -> Examples:
    """What a locator keeps of these examples."""
    examples: Examples = ()
    for item in items:
        examples += locator.describe(item.read(), item.landmarks.select(names))
    return examples


def milliseconds(answer: Callable[[sitk.Image], Any], targets: Sequence[Annotated]) -> float:
    """The fastest of a few images: what else the computer does counts least there."""
    images = [item.read() for item in targets[:TIMED]]
    begun, fastest = time.monotonic(), np.inf
    for image in images:
        started = time.perf_counter()
        answer(image)
        fastest = min(fastest, 1000 * (time.perf_counter() - started))
        if time.monotonic() - begun > PATIENCE_S:
            break
    return float(fastest)


def template_errors(
    locator: Locator, reads: Sequence[Read], config: MapsConfig, field: Field
) -> Iterator[tuple[float, Spread]]:
    """Share done and the errors, in pixels of the field, of template matching in these images (III.A)."""
    spread = Spread()
    for number, read in enumerate(reads):
        for step in template_error(locator, read(), config.template_step):
            yield (number + step.done / step.total) / len(reads), spread
            if step.result is not None:
                spread.add(step.result.errors / field.pitch(step.result.lattice.grid))
    yield 1.0, spread


def error_maps(
    locator: Locator, items: Sequence[Annotated], config: MapsConfig
) -> Iterator[tuple[float, list[Maps]]]:
    """Share done and what is finished: the cyclic error of the first items through the first items of other
    patients (section III.B), and template matching at the same pixels for the picture."""
    finished: list[Maps] = []
    sources = items[: config.images]
    for number, item in enumerate(sources):
        image = item.read()
        others = [other for other in items if other.subject != item.subject][: config.targets]
        parts = (
            template_error(locator, image, config.step),
            cyclic_error(locator, image, {other.name: other.read for other in others}, config.step),
        )
        maps: list[ErrorMap] = []
        for half, part in enumerate(parts):
            for step in part:
                maps += [step.result] if step.result else []
                yield (number + (half + step.done / step.total) / 2) / len(sources), finished
        finished.append((item.name, image, maps[0], maps[1]))


def map_figures(finished: Sequence[Maps], field: Field) -> dict[str, float]:
    """The cyclic error in pixels of the field over all pixels of all images, and the share of answers."""
    spread = Spread()
    for _, _, _, cyclic in finished:
        spread.add(cyclic.errors / field.pitch(cyclic.lattice.grid))
    return spread.figures("cyclic")
