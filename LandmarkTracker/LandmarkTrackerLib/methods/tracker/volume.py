"""A tracker of slices on volumes: each landmark is followed in the three planes that cross at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples, Locator, names_of

Volume = NDArray[np.float32]

# The image axes that each plane holds, and the one through it.
PLANES = ((0, 1, 2), (0, 2, 1), (1, 2, 0))
# Pixels of a plane's side around the landmark.
SIDE = 64
# A plane through the last place does not hold the landmark yet; those through the answers come closer.
PASSES = 3


@dataclass(frozen=True)
class VolumeTracker:
    """Passes slices on to a Locator of slices, and shows it three planes around each landmark of a volume.

    It moves the landmark within each plane through its last place; the three answers become one, and the
    planes through that are looked at again. Each axis is seen in two planes, whose answers are weighed by
    their certainty. A landmark is missing when fewer than two planes find it.

    Attributes:
        slices: works on images of one slice.
    """

    slices: Locator

    @property
    def max_sigma_mm(self) -> float:
        return self.slices.max_sigma_mm

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        if Grid.of(image).is_slice:
            return self.slices.describe(image, landmarks)
        volume, grid = pixels(image), Grid.of(image)
        features = {
            mark.name: tuple(
                self.slices.describe(_cut(volume, grid, mark.position, plane), landmarks.select([mark.name]))
                for plane in PLANES
            )
            for mark in landmarks
        }
        return (Example(landmarks, features),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        if Grid.of(image).is_slice:
            return self.slices.locate(examples, image, prior)
        volume, grid, names = pixels(image), Grid.of(image), names_of(examples)
        found = [self._follow(examples, volume, grid, name, prior) for name in names]
        positions, sigmas, scores = (np.array([f[n] for f in found]) for n in range(3))
        return LandmarkSet(names, positions, sigmas, scores, scores > 0)

    def _follow(
        self, examples: Examples, volume: Volume, grid: Grid, name: str, prior: LandmarkSet | None
    ) -> tuple[Array, Array, float]:
        """Position (3,) LPS mm, sigma (3,) mm along the image's axes and score, 0 if it is missing."""
        shown = [example for example in examples if name in example.landmarks]
        at = shown[-1].landmarks[name].position
        if prior is not None and name in prior and prior[name].status != "missing":
            at = prior[name].position
        sigma, score = np.full(3, np.nan), 0.0
        for _ in range(PASSES):
            answers = [
                self.slices.locate(
                    sum((example.features[name][n] for example in shown), start=()),
                    _cut(volume, grid, at, plane),
                    LandmarkSet.of({name: at}),
                )
                for n, plane in enumerate(PLANES)
            ]
            at, sigma, score = _fused(answers, grid, at)
        return at, sigma, score


def _fused(answers: Sequence[LandmarkSet], grid: Grid, at: Array) -> tuple[Array, Array, float]:
    """The planes' answers as one; where none sees an axis, the landmark stays at `at` and its score is 0."""
    directions = np.array(grid.direction).reshape(3, 3)
    weights, moves, spreads = np.zeros((3, 3)), np.zeros((3, 3)), np.zeros((3, 3))
    for n, (answer, (a, b, _)) in enumerate(zip(answers, PLANES, strict=True)):
        if answer.defined[0]:
            moves[n, [a, b]] = ((answer.positions[0] - at) @ directions)[[a, b]]
            spreads[n, [a, b]] = answer.sigmas[0, :2]
            weights[n, [a, b]] = answer.sigmas[0, :2] ** -2.0
    total = weights.sum(axis=0)
    seen = total > 0
    share = np.divide(weights, total, out=np.zeros_like(weights), where=seen)
    position = at + directions @ (share * moves).sum(axis=0)
    # Two planes see the same tissue and err alike: together they are no more certain than they are alone.
    sigma = np.where(seen, (share * spreads).sum(axis=0), np.nan)
    present = np.mean([answer.scores[0] for answer in answers if answer.defined[0]] or [0.0])
    return position, sigma, float(present) * float(seen.all())


def _cut(volume: Volume, grid: Grid, at: Array, plane: tuple[int, int, int]) -> sitk.Image:
    """SIDE x SIDE square pixels around a point, as fine as the volume's finest axis, in one of its planes.

    The volume (k, j, i) is interpolated linearly, and continued with its border's values.
    """
    pitch, index = min(grid.spacing), grid.to_index(at)
    steps = np.arange(SIDE) - (SIDE - 1) / 2
    a, b, through = plane
    values = _along(volume, 2 - through, index[[through]])
    for axis in (a, b):
        values = _along(values, 2 - axis, index[axis] + steps * pitch / grid.spacing[axis])
    # What is left of (k, j, i) is (b, a), because b > a.
    image = sitk.GetImageFromArray(values.reshape(1, SIDE, SIDE))
    directions = np.array(grid.direction).reshape(3, 3)[:, list(plane)]
    image.SetOrigin((np.asarray(at) + directions[:, :2].sum(axis=1) * pitch * steps[0]).tolist())
    image.SetSpacing((pitch,) * 3)
    image.SetDirection(directions.ravel().tolist())
    return image


def _along(values: Volume, axis: int, at: Array) -> Volume:
    """Linear interpolation at these places along one axis."""
    at = np.clip(at, 0, values.shape[axis] - 1)
    low = np.minimum(at.astype(int), max(values.shape[axis] - 2, 0))
    part = (at - low).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(3)])
    below = values.take(low, axis)
    return below + part * (values.take(np.minimum(low + 1, values.shape[axis] - 1), axis) - below)
