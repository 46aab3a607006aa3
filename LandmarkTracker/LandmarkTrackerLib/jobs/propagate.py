"""Find the landmarks that were shown in some frames of a cine in all its other frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, is_calibrated, is_constant, length_unit
from LandmarkTrackerLib.landmarks import LandmarkSet, Track
from LandmarkTrackerLib.methods.protocols import Examples, Locator, names_of
from LandmarkTrackerLib.step import Step

Direction = Literal["forward", "backward", "both"]


@dataclass(frozen=True)
class Found:
    """One finished frame."""

    frame: int
    time: float
    landmarks: LandmarkSet


def frames_in_order(length: int, start: int, direction: Direction) -> list[int]:
    """The frames that a propagation visits: the start, then forward to the end, then backward to frame 0."""
    if direction not in get_args(Direction):
        raise InputError(f"direction '{direction}' is not one of {', '.join(get_args(Direction))}")
    forward = list(range(start + 1, length)) if direction != "backward" else []
    backward = list(range(start - 1, -1, -1)) if direction != "forward" else []
    return [start, *forward, *backward]


def propagate(
    cine: Cine,
    locator: Locator,
    shown: Mapping[int, LandmarkSet],
    direction: Direction = "both",
    start: int | None = None,
    max_sigma_mm: float | None = None,
) -> Iterator[Step[Found]]:
    """Yield every visited frame's landmarks, the start frame first.

    Args:
        cine: frames, read one at a time.
        locator: the method.
        shown: frame number to the landmarks that a person placed in it; LPS mm. Frames hold exactly what was
            shown in them. All of them serve as examples.
        direction: where to go from `start`.
        start: the frame to go from; the first of `shown` if not given.
        max_sigma_mm: a point less certain than this is missing; the locator's own limit if not given.

    Raises:
        InputError: nothing is shown, a frame does not exist or is constant, or a landmark lies off the image.
    """
    if not any(landmarks.defined.any() for landmarks in shown.values()):
        raise InputError("no landmark is placed in any frame; click at least one")
    limit = locator.max_sigma_mm if max_sigma_mm is None else max_sigma_mm
    start = next(iter(shown)) if start is None else start
    _require_frame(cine, start)
    examples = _learn(cine, locator, shown)
    names = names_of(examples)

    def answer(frame: int, prior: LandmarkSet | None) -> LandmarkSet:
        placed = shown[frame].only_defined() if frame in shown else None
        if placed is not None and set(names) <= set(placed.names):
            return placed.select(names)
        image = cine[frame]
        found = located(locator, examples, image, prior, limit).select(names)
        return found if placed is None else found.updated(placed)

    at_start = prior = answer(start, None)
    order = frames_in_order(len(cine), start, direction)
    yield Step(1, len(order), Found(start, float(cine.times[start]), at_start))
    for done, frame in enumerate(order[1:], start=2):
        if frame == start - 1:
            prior = at_start
        landmarks = answer(frame, prior)
        # A lost point leaves its last place as the prior, so that it can be found again when it comes back.
        prior = prior.updated(landmarks.only_defined())
        yield Step(done, len(order), Found(frame, float(cine.times[frame]), landmarks))


def located(
    locator: Locator, examples: Examples, image: sitk.Image, prior: LandmarkSet | None, limit: float
) -> LandmarkSet:
    """The locator's answer with what nobody should rely on made missing: off the image, or too uncertain."""
    if is_constant(image):
        return LandmarkSet.missing(names_of(examples))
    found = locator.locate(examples, image, prior)
    with np.errstate(invalid="ignore"):
        lost = ~Grid.of(image).contains(found.positions) | ~(found.sigma_mm <= limit)
    return found.without(lost)


def track_of(cine: Cine, found: Mapping[int, LandmarkSet]) -> Track:
    """A track over the frames that were visited, in frame order."""
    frames = sorted(found)
    times = np.array([cine.times[t] for t in frames])
    return Track(times, tuple(found[t] for t in frames), cine.time_unit, tuple(frames), cine.length_unit)


def _learn(cine: Cine, locator: Locator, shown: Mapping[int, LandmarkSet]) -> Examples:
    examples: Examples = ()
    for frame, landmarks in shown.items():
        _require_frame(cine, frame)
        placed = landmarks.only_defined()
        if not len(placed):
            continue
        image = cine[frame]
        if is_constant(image):
            raise InputError(
                f"{cine.name}: frame {frame} is constant; place landmarks where there is an image"
            )
        require_on_image(placed, image, f"{cine.name}, frame {frame}")
        examples += locator.describe(image, placed)
    return examples


def _require_frame(cine: Cine, frame: int) -> None:
    if not 0 <= frame < len(cine):
        raise InputError(f"{cine.name} has frames 0 to {len(cine) - 1}; there is no frame {frame}")


def require_on_image(landmarks: LandmarkSet, image: sitk.Image, where: str) -> None:
    """Raises InputError naming the first landmark that does not lie on the image.

    A landmark clicked on a slice may lie anywhere within the slice's thickness.
    """
    unit = length_unit(is_calibrated(image))
    for name, on in zip(landmarks.names, Grid.of(image).contains(landmarks.positions), strict=True):
        if not on:
            at = ", ".join(f"{x:.1f}" for x in landmarks[name].position)
            raise InputError(
                f"{where}: landmark '{name}' at LPS ({at}) {unit} lies outside the image; "
                "check that the points belong to it and are in the right coordinate system"
            )
