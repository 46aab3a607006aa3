"""The field of a 2D network: a fixed grid of square pixels, laid centred over whatever image comes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array

# The darkest and brightest percent are where air and coils are; what lies between is spread over 0 to 1.
PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class Field:
    """What the network sees, in mm of the image's plane: an image of any size and spacing is resampled to it.

    The centre of the field is the centre of the image, so no part of the geometry has to be learned or
    guessed. Points of the field count columns and rows from the centre of its first pixel, as an image's
    indices do.

    Attributes:
        size: columns, rows.
        spacing: mm a pixel.
        fit: lay the whole image into the field instead, however many mm it spans: for radiographs, whose
            files state the spacing of the detector or none. `spacing` is then only what a pixel usually is.
    """

    size: tuple[int, int]
    spacing: float
    fit: bool = False

    def pitch(self, grid: Grid) -> float:
        """mm a pixel of the field where it lies over this image."""
        if not self.fit:
            return self.spacing
        return float((np.array(grid.size[:2]) * grid.spacing[:2] / self.size).max())

    def from_index(self, grid: Grid, index: ArrayLike) -> Array:
        """Continuous image index (..., 2 or 3) to field points (..., 2)."""
        centred = np.asarray(index, dtype=float)[..., :2] - (np.array(grid.size[:2]) - 1) / 2
        scale = np.array(grid.spacing[:2]) / self.pitch(grid)
        return np.asarray(centred * scale + (np.array(self.size) - 1) / 2)

    def to_index(self, grid: Grid, points: ArrayLike) -> Array:
        """Field points (..., 2) to continuous index (..., 3) in the image's only slice."""
        centred = np.asarray(points, dtype=float) - (np.array(self.size) - 1) / 2
        index = centred * self.pitch(grid) / np.array(grid.spacing[:2]) + (np.array(grid.size[:2]) - 1) / 2
        return np.concatenate([index, np.zeros((*index.shape[:-1], 1))], axis=-1)

    def contains(self, points: ArrayLike) -> np.ndarray:
        """(...) whether field points (..., 2) fall on a pixel of the field; a point that is NaN does not."""
        points = np.asarray(points, dtype=float)
        return np.asarray(((points >= -0.5) & (points <= np.array(self.size) - 0.5)).all(axis=-1))

    def show(self, image: sitk.Image) -> NDArray[np.float32]:
        """(rows, columns) brightness 0 to 1 of one slice; 0 beyond the image.

        Raises:
            InputError: the image has more than one slice.
        """
        grid = Grid.of(image)
        if not grid.is_slice:
            raise InputError(
                f"this model works on slices, and the image has {grid.size[2]}; "
                "give it one slice, or choose a method for volumes"
            )
        return self.resample(normalised(pixels(image)[0]), grid)

    def resample(self, brightness: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
        """(j, i) pixels of an image to (rows, columns) of the field, smoothed where the field is coarser."""
        across, down = (
            _interpolation(self.size[axis], self.pitch(grid), grid.size[axis], grid.spacing[axis])
            for axis in (0, 1)
        )
        return np.asarray(down @ brightness @ across.T, dtype=np.float32)


def normalised(brightness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spread what lies between the PERCENTILES over 0 to 1; the rest is clipped."""
    low, high = np.percentile(brightness, PERCENTILES)
    if high <= low:
        low, high = float(brightness.min()), float(brightness.max())
    return np.clip((brightness - low) / max(high - low, 1e-12), 0, 1).astype(np.float32)


@lru_cache(maxsize=16)
def _interpolation(points: int, step: float, count: int, spacing: float) -> NDArray[np.float32]:
    """(points, count) matrix: linear interpolation along one axis after a Gaussian that prevents aliasing.

    Both are symmetric, so a ramp stays exactly the ramp that it was: nothing moves.
    """
    at = (np.arange(points) - (points - 1) / 2) * step / spacing + (count - 1) / 2
    # Room around the image, so that smoothing fades to 0 beyond it.
    ratio = step / spacing
    margin = math.ceil(2 * ratio) + 1
    samples = np.arange(-margin, count + margin)
    linear = np.clip(1 - np.abs(at[:, None] - samples), 0, None)
    if ratio > 1:
        sigma = 0.5 * math.sqrt(ratio**2 - 1)
        blur = np.exp(-0.5 * ((samples[:, None] - samples) / sigma) ** 2)
        blur[blur < 1e-7] = 0
        linear = linear @ (blur / blur.sum(axis=1).max())
    return np.ascontiguousarray(linear[:, margin : margin + count], dtype=np.float32)
