"""From an image to what a fully convolutional network sees, and exactly back.

The network's pixels are a `Grid` in the world like any other, so that an answer in network pixels becomes
millimetres by `grid.to_world`, half pixels included, whatever the image's size, spacing and orientation.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid, rotation
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array

Pixels = NDArray[np.float32]
# How much more than the bright part of a volume the network sees, and how many rolls of it are tried.
ROOM, ROLLS = 1.15, 8


@dataclass(frozen=True)
class InputConfig:
    """The `[input]` table: how images become network inputs.

    Attributes:
        size: of the network's input along i, j (2D) or i, j, k (3D).
        spacing: mm, the same along every axis: volumes larger than `size` are processed in overlapping
            parts (4.4). 0 instead scales every image, keeping its aspect ratio, to fit `size` (section 3).
        intensity: what becomes -1 and 1: "dataset", the smallest and largest value of the training images
            (section 3); or "image", each image's own 0.5 and 99.5 percentiles, where intensities have no unit
            (MRI) and new images may come from another scanner; or "matched", as "dataset" after the histogram
            within each image's outline was matched to the first training image's (section 4.1).
        align: for specimens in any pose. Volumes are turned along the longest axis of what is bright in them,
            and the way round is chosen in which the network answers best.
    """

    size: tuple[int, ...]
    spacing: float = 0.0
    intensity: Literal["dataset", "image", "matched"] = "dataset"
    align: bool = False

    def __post_init__(self) -> None:
        if len(self.size) not in (2, 3):
            raise InputError(f"size = {list(self.size)} must have 2 numbers for images or 3 for volumes")
        if self.align and self.dimension == 2:
            raise InputError("align = true is for volumes only; turn the images before")

    @property
    def dimension(self) -> int:
        return len(self.size)


def oriented(image: sitk.Image, dimension: int) -> sitk.Image:
    """Volumes with their axes towards L, P, S, however they are stored. Slices keep their rows and columns.

    Raises:
        InputError: the image has not the number of axes that the network was made for.
    """
    is_slice = Grid.of(image).is_slice
    if is_slice and dimension == 3:
        raise InputError("the model is for volumes and the image is one slice; give a volume")
    if not is_slice and dimension == 2:
        raise InputError("the model is for single slices and the image is a volume; give one slice of it")
    return image if is_slice else sitk.DICOMOrient(image, "LPS")


@dataclass(frozen=True)
class Frame:
    """What of the world the network is to see.

    Attributes:
        axes: (3, 3) directions of the network's axes as columns.
        middle: (3,) LPS mm.
        reach: (3,) mm along each axis.
    """

    axes: Array
    middle: Array
    reach: Array


def whole(image: Grid) -> Frame:
    """The whole image, from edge to edge of its border pixels, along its own axes."""
    size = np.array(image.size)
    axes = np.array(image.direction).reshape(3, 3)
    return Frame(axes, image.to_world((size - 1) / 2), size * np.array(image.spacing))


def bright(image: sitk.Image) -> list[Frame]:
    """Frames along the longest axis of what is above Otsu's threshold, from both ends, at `ROLLS` rolls.

    The image alone says where a specimen lies and how it is long, but not which end is which, and its roll
    only where the other two axes differ clearly. The frames are right-handed.
    """
    mask = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1))
    where = np.argwhere(mask)[:, ::-1]
    if len(where) < 4:
        return [whole(Grid.of(image))]
    world = Grid.of(image).to_world(where)
    _, vectors = np.linalg.eigh(np.cov(world.T))
    axes = vectors[:, ::-1] * np.array([1.0, 1.0, np.linalg.det(vectors[:, ::-1])])
    frames = []
    for end, roll in itertools.product((1.0, -1.0), np.arange(ROLLS) * 2 * math.pi / ROLLS):
        turned = axes @ rotation(roll, (1, 2), 3) * (end, 1, end)
        # A speck of noise does not count, and what is at the edge keeps some room.
        low, high = np.percentile(world @ turned, (0.5, 99.5), axis=0)
        frames.append(Frame(turned, turned @ ((low + high) / 2), (high - low) * ROOM))
    return frames


def network_grid(frame: Frame, config: InputConfig, thickness: float = 1.0) -> Grid:
    """The network's pixels: isotropic, centred on the frame, and as many as `config` says.

    With a fixed spacing there are more than `config.size` along an axis where the frame is longer.

    Args:
        thickness: mm, of a slice.
    """
    dimension = config.dimension
    size, reach = np.array([*config.size, 1][:3]), frame.reach
    pitch = config.spacing or float((reach[:dimension] / size[:dimension]).max())
    if config.spacing:
        size[:dimension] = np.maximum(size[:dimension], np.ceil(reach[:dimension] / pitch - 1e-6))
    spacing = np.array([pitch, pitch, pitch if dimension == 3 else thickness])
    origin = frame.middle - (frame.axes * spacing) @ ((size - 1) / 2)
    return Grid(
        tuple(size.tolist()),
        tuple(spacing.tolist()),
        tuple(origin.tolist()),
        tuple(frame.axes.ravel().tolist()),
    )


class Resampler:
    """One image on any number of grids, by cubic interpolation.

    An image that is finer than a grid is smoothed before, so that nothing is aliased; what that costs is paid
    once for grids of one spacing.
    """

    def __init__(self, image: sitk.Image) -> None:
        values = pixels(image)
        self.background = float(values.min())
        self._image = sitk.GetImageFromArray(values)
        self._image.CopyInformation(image)
        # A spline needs four pixels along every axis; a slice has one through its plane.
        self._cubic = min(n for n in (*image.GetSize(), 4) if n > 1) >= 4
        self._splines: dict[float, sitk.Image] = {}

    def on(self, grid: Grid) -> Pixels:
        """(k, j, i) float32; the image's smallest value beyond its border."""
        pitch = round(grid.spacing[0], 6)
        if pitch not in self._splines:
            self._splines[pitch] = self._spline(pitch)
        resampled = sitk.Resample(
            self._splines[pitch],
            grid.size,
            sitk.Transform(),
            sitk.sitkBSplineResampler if self._cubic else sitk.sitkLinear,
            grid.origin,
            grid.spacing,
            grid.direction,
            self.background,
            sitk.sitkFloat32,
        )
        return sitk.GetArrayFromImage(resampled)

    def _spline(self, pitch: float) -> sitk.Image:
        """What is interpolated for grids of this spacing (mm): smoothed, and as B-spline coefficients."""
        image = self._image
        for axis, (count, step) in enumerate(zip(image.GetSize(), image.GetSpacing(), strict=True)):
            if pitch > step and count >= 4:
                sigma = 0.4 * step * math.sqrt((pitch / step) ** 2 - 1)
                image = sitk.RecursiveGaussian(image, sigma, direction=axis)
        return sitk.BSplineDecomposition(image, 3) if self._cubic else image


def on_grid(image: sitk.Image, grid: Grid) -> Pixels:
    """(k, j, i) float32: the image on one grid, as `Resampler` has it."""
    return Resampler(image).on(grid)


def intensity_range(image: sitk.Image, config: InputConfig) -> tuple[float, float]:
    """What becomes -1 and 1 by `config.intensity`: the image's own, or its share in the data set's."""
    values = pixels(image)
    if config.intensity != "image":
        return float(values.min()), float(values.max())
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high)


def scaled(values: Pixels, limits: tuple[float, float], clip: bool) -> Pixels:
    """Intensities with `limits` moved to -1 and 1; an image without contrast becomes -1."""
    low, high = limits
    values = 2 * (values - np.float32(low)) / np.float32(max(high - low, 1e-6)) - 1
    return np.clip(values, -1, 1) if clip else values


def parts(length: int, size: int) -> list[int]:
    """Where parts of `size` begin that overlap by half and cover `length` (4.4)."""
    last = length - size
    return sorted({*range(0, last, max(size // 2, 1)), last})
