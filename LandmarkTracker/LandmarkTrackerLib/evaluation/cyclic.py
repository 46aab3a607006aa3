"""How reliably a pixel is found again, measured without labels (Frueh et al. 2022, II.D and III.A).

Every second pixel of a source image is sought in other images, and what is found there is sought again in the
source: the cyclic error of equation 4 is the distance between where this ends and where it began. Template
matching is the same without the other image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, uniform_filter

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.step import Step

# Pixels that are sought at once: an image is encoded anew for each such part.
CHUNK = 1024
# Less than this share of the way from the darkest to the brightest value is background.
BACKGROUND = 0.06


@dataclass(frozen=True)
class Lattice:
    """The pixels of a slice that are sought, every `step`-th along both axes.

    Attributes:
        grid: of the slice.
        step: pixels from one to the next.
    """

    grid: Grid
    step: int = 2

    def __post_init__(self) -> None:
        if not self.grid.is_slice:
            raise InputError(f"the image has {self.grid.size[2]} slices; give one slice")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the lattice."""
        columns, rows = (-(-n // self.step) for n in self.grid.size[:2])
        return rows, columns

    @property
    def index(self) -> Array:
        """(rows x columns, 3) continuous index, row after row."""
        rows, columns = self.shape
        j, i = np.mgrid[:rows, :columns] * float(self.step)
        return np.stack([i.ravel(), j.ravel(), np.zeros(rows * columns)], axis=1)

    def chunks(self, at_once: int) -> list[NDArray[np.int_]]:
        """The rows of `index` in parts of at most this many."""
        count = math.prod(self.shape)
        return [np.arange(n, min(n + at_once, count)) for n in range(0, count, at_once)]


@dataclass(frozen=True)
class ErrorMap:
    """The error of every pixel of a lattice, over one target or more.

    Attributes:
        lattice: which pixels.
        errors: (targets, rows, columns) mm; NaN where the locator gave no place.
        sigma: (targets, rows, columns) mm, what the locator itself expected: of the way there and of the way
            back, squared and added.
        body: (rows, columns) whether the pixel is not background.
    """

    lattice: Lattice
    errors: Array
    sigma: Array
    body: NDArray[np.bool_]

    @property
    def mean(self) -> Array:
        """(rows, columns) mm over the targets; NaN where there is no answer in any."""
        return _over_targets(np.nanmean, self.errors)

    @property
    def sd(self) -> Array:
        """(rows, columns) mm over the targets."""
        return _over_targets(np.nanstd, self.errors)

    @property
    def mean_sigma(self) -> Array:
        """(rows, columns) mm over the targets."""
        return _over_targets(np.nanmean, self.sigma)

    def summary(self) -> dict[str, float]:
        """Numbers over all pixels and, with `body_`, over those that are not background.

        Returns:
            mean, sd, median, p95: mm. answered: share of the searches that gave a place. correlation: of
            error and sigma, by rank. within_sigma: share of the errors below 1.515 sigma, within which lie
            68 % of a Gaussian of two axes.
        """
        everywhere = np.ones_like(self.body)
        return {
            f"{prefix}{name}": value
            for prefix, where in (("", everywhere), ("body_", self.body))
            for name, value in self._summary(where).items()
        }

    def _summary(self, where: NDArray[np.bool_]) -> dict[str, float]:
        errors, sigma = self.errors[:, where].ravel(), self.sigma[:, where].ravel()
        there = np.isfinite(errors)
        if not there.any():
            return {"answered": 0.0}
        errors, sigma, answered = errors[there], sigma[there], float(there.mean())
        known = np.isfinite(sigma)
        return {
            "mean": float(errors.mean()),
            "sd": float(errors.std()),
            "median": float(np.median(errors)),
            "p95": float(np.quantile(errors, 0.95)),
            "answered": answered,
            "correlation": _rank_correlation(errors[known], sigma[known]),
            "within_sigma": float((errors[known] <= 1.515 * sigma[known]).mean()),
        }


def cyclic_error(
    locator: Locator,
    source: sitk.Image,
    targets: Mapping[str, Callable[[], sitk.Image]],
    step: int = 2,
    at_once: int = CHUNK,
) -> Iterator[Step[ErrorMap]]:
    """The cyclic error of every `step`-th pixel of the source over the targets; yields after each chunk.

    Args:
        source: one slice.
        targets: name to what reads the image; each is read once.
        at_once: pixels in a chunk.

    Raises:
        InputError: there is no target, or an image cannot be used.
    """
    if not targets:
        raise InputError("there is no target image; give at least one other image")
    yield from _map(locator, source, targets, step, at_once)


def template_error(locator: Locator, source: sitk.Image, step: int = 2) -> Iterator[Step[ErrorMap]]:
    """The error of every `step`-th pixel sought in its own image (section III.A); yields after each chunk."""
    yield from _map(locator, source, {}, step, CHUNK)


def _map(
    locator: Locator,
    source: sitk.Image,
    targets: Mapping[str, Callable[[], sitk.Image]],
    step: int,
    at_once: int,
) -> Iterator[Step[ErrorMap]]:
    source = as_volume(source)
    lattice = Lattice(Grid.of(source), step)
    world = lattice.grid.to_world(lattice.index)
    chunks = lattice.chunks(at_once)
    shape = (max(len(targets), 1), len(world))
    errors, sigma = np.full(shape, np.nan), np.full(shape, np.nan)
    total, done = shape[0] * len(chunks), 0
    images: list[Callable[[], sitk.Image] | None] = list(targets.values()) or [None]
    shown: dict[int, Examples] = {}
    for row, read in enumerate(images):
        target = source if read is None else as_volume(read())
        for number, chunk in enumerate(chunks):
            if number not in shown:
                shown[number] = locator.describe(source, _points(world[chunk]))
            found = locator.locate(shown[number], target)
            if read is not None:
                found = _back(locator, found, target, source)
            errors[row, chunk] = np.linalg.norm(found.positions - world[chunk], axis=1)
            sigma[row, chunk] = found.sigma_mm
            done += 1
            if done < total:
                yield Step(done, total)
    rows, columns = lattice.shape
    result = ErrorMap(
        lattice,
        errors.reshape(-1, rows, columns),
        sigma.reshape(-1, rows, columns),
        body(source)[::step, ::step],
    )
    yield Step(total, total, result)


def _back(locator: Locator, there: LandmarkSet, target: sitk.Image, source: sitk.Image) -> LandmarkSet:
    """From where the points are in the target back to the source; their sigma with that of both ways."""
    names = there.names
    there = there.without(~Grid.of(target).contains(there.positions))
    placed = there.only_defined()
    if not len(placed):
        return LandmarkSet.missing(names)
    back = locator.locate(locator.describe(target, placed), source).select(placed.names)
    return replace(back, sigmas=np.hypot(back.sigmas, placed.sigmas)).select(names)


def _points(world: Array) -> LandmarkSet:
    return LandmarkSet(tuple(str(n) for n in range(len(world))), world)


def body(image: sitk.Image) -> NDArray[np.bool_]:
    """(rows, columns) which pixels of a slice are brighter, smoothed over 5 pixels, than the background, and
    what they enclose.
    """
    smooth = pixels(sitk.Mean(sitk.Cast(image, sitk.sitkFloat32), (2, 2, 0)))[0]
    low, high = np.percentile(smooth, (1, 99))
    bright = smooth > low + BACKGROUND * (high - low)
    # Without the specks of the air.
    return np.asarray(binary_fill_holes(uniform_filter(bright.astype(float), 7, mode="nearest") > 0.5))


def _over_targets(function: Callable[..., Array], values: Array) -> Array:
    known = np.isfinite(values).any(axis=0)
    result = np.full(values.shape[1:], np.nan)
    result[known] = function(values[:, known], axis=0)
    return result


def _rank_correlation(a: Array, b: Array) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks)[0, 1])
