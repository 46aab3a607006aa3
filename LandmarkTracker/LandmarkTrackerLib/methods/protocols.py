"""Three jobs, three protocols: all that jobs, evaluation, front ends and benchmarks rely on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.appearance import Appearance
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs, LandmarkSet
from LandmarkTrackerLib.step import Step


@dataclass(frozen=True)
class Example:
    """What one image taught a Locator: the landmarks shown in it, and whatever the method keeps of them.

    Attributes:
        seen: how the image looked, where other subjects' images are turned like it.
    """

    landmarks: LandmarkSet
    features: Any
    seen: Appearance | None = None


# Several images may show landmarks (a click and its corrections): examples are added with `+`.
Examples = tuple[Example, ...]


class Locator(Protocol):
    """Finds *these* points again."""

    @property
    def max_sigma_mm(self) -> float:
        """Above this standard deviation (mm) the method's own answer is not worth showing."""
        ...

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Once per click: encode the defined landmarks of this image. `landmarks` lie on the image."""
        ...

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """Once per frame: where the landmarks of `examples` are in this image.

        `prior` is the answer in the neighbouring frame, for methods that search near it; None when there is
        no neighbour (another subject). The result holds every name of the examples, in their order.
        """
        ...


class Detector(Protocol):
    """Finds the points that it was trained for."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def detect(self, image: sitk.Image) -> LandmarkSet: ...


@runtime_checkable
class AlwaysAnswering(Protocol):
    """A Detector that has a place for every landmark, also for those that it reports missing."""

    def answers(self, image: sitk.Image) -> tuple[LandmarkSet, NDArray[np.bool_]]:
        """Every landmark, and which of them `detect` reports."""
        ...


class Matcher(Protocol):
    """Finds points that two images share."""

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs: ...


@runtime_checkable
class SteppedMatcher(Matcher, Protocol):
    """A Matcher that can say how far it is, and be stopped between its steps."""

    def steps(self, fixed: sitk.Image, moving: sitk.Image) -> Iterator[Step[LandmarkPairs]]:
        """Yields before the first and after every step; the last one holds the pairs."""
        ...


def names_of(examples: Examples) -> tuple[str, ...]:
    """Every landmark that some example shows, in the order of first appearance."""
    return tuple(dict.fromkeys(name for example in examples for name in example.landmarks.names))


def trust(sigma_mm: Array, within_mm: float = 5.0) -> Array:
    """Score in [0, 1]: the chance that the true point lies within `within_mm`, were sigma (N,) right."""
    with np.errstate(divide="ignore"):
        scores = -np.expm1(-0.5 * (within_mm / np.asarray(sigma_mm, dtype=float)) ** 2)
    return np.nan_to_num(scores, nan=0.0)
