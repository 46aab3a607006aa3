"""From an image to what a fully convolutional network sees, and exactly back.

The network's pixels are a `Grid` in the world like any other, so that an answer in network pixels becomes
millimetres by `grid.to_world`, half pixels included, whatever the image's size, spacing and orientation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class InputConfig:
    """The `[input]` table: how images become network inputs.

    Attributes:
        size: of the network's input along i, j (2D) or i, j, k (3D).
        spacing: mm, the same along every axis: volumes larger than `size` are processed in overlapping
            parts (4.4). 0 instead scales every image, keeping its aspect ratio, to fit `size` (section 3).
        intensity: what becomes -1 and 1: "dataset", the smallest and largest value of the training images
            (section 3); or "image", each image's own 0.5 and 99.5 percentiles, where intensities have no unit
            (MRI) and new images may come from another scanner.
        align: turn volumes by the principal axes of what is bright in them: for specimens in any pose.
    """

    size: tuple[int, ...]
    spacing: float = 0.0
    intensity: Literal["dataset", "image"] = "dataset"
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


def network_grid(image: Grid, config: InputConfig, axes: Array | None = None) -> Grid:
    """The network's pixels: isotropic, centred on the image, and as many as `config` says.

    With a fixed spacing there are more than `config.size` along an axis where the image is longer.

    Args:
        image: an oriented image's grid.
        axes: (3, 3) directions of the network's axes as columns; the image's own if not given.
    """
    direction = np.array(image.direction).reshape(3, 3)
    axes = direction if axes is None else axes
    # How far the image reaches along the network's axes, mm.
    reach = np.abs(axes.T @ direction) @ (np.array(image.size) * np.array(image.spacing))
    dimension = config.dimension
    size = np.array([*config.size, 1][:3])
    pitch = config.spacing or float((reach[:dimension] / size[:dimension]).max())
    if config.spacing:
        size[:dimension] = np.maximum(size[:dimension], np.ceil(reach[:dimension] / pitch - 1e-6))
    spacing = np.array([pitch, pitch, pitch if dimension == 3 else image.spacing[2]])
    middle = image.to_world((np.array(image.size) - 1) / 2)
    origin = middle - (axes * spacing) @ ((size - 1) / 2)
    return Grid(tuple(size.tolist()), tuple(spacing.tolist()), tuple(origin.tolist()), tuple(axes.ravel()))


def on_grid(image: sitk.Image, grid: Grid) -> Pixels:
    """(k, j, i) float32: the image resampled by cubic interpolation; its smallest value beyond its border.

    An image that is finer than the grid is smoothed before, so that nothing is aliased.
    """
    values = pixels(image)
    clean = sitk.GetImageFromArray(values)
    clean.CopyInformation(image)
    for axis, (count, step) in enumerate(zip(image.GetSize(), image.GetSpacing(), strict=True)):
        coarser = grid.spacing[0] / step
        if coarser > 1 and count >= 4:
            clean = sitk.RecursiveGaussian(clean, 0.4 * step * math.sqrt(coarser**2 - 1), direction=axis)
    # A spline needs four pixels along every axis; a slice has one through its plane.
    cubic = min(n for n in image.GetSize() if n > 1) >= 4
    return sitk.GetArrayFromImage(
        sitk.Resample(
            clean,
            grid.size,
            sitk.Transform(),
            sitk.sitkBSpline if cubic else sitk.sitkLinear,
            grid.origin,
            grid.spacing,
            grid.direction,
            float(values.min()),
            sitk.sitkFloat32,
        )
    )


def intensity_range(image: sitk.Image, config: InputConfig) -> tuple[float, float]:
    """What becomes -1 and 1 by `config.intensity`: the image's own, or its share in the data set's."""
    values = pixels(image)
    if config.intensity == "dataset":
        return float(values.min()), float(values.max())
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high)


def scaled(values: Pixels, limits: tuple[float, float], clip: bool) -> Pixels:
    """Intensities with `limits` moved to -1 and 1; an image without contrast becomes -1."""
    low, high = limits
    values = 2 * (values - np.float32(low)) / np.float32(max(high - low, 1e-6)) - 1
    return np.clip(values, -1, 1) if clip else values


def principal_axes(image: sitk.Image) -> list[Array]:
    """The four right-handed frames (3, 3) along the principal axes of what is bright, longest axis first.

    Bright is above Otsu's threshold. Which end of an axis is which, the image alone does not say.
    """
    mask = sitk.GetArrayFromImage(sitk.OtsuThreshold(image, 0, 1))
    where = np.argwhere(mask)[:, ::-1]
    if len(where) < 4:
        return [np.array(image.GetDirection()).reshape(3, 3)]
    world = Grid.of(image).to_world(where)
    _, axes = np.linalg.eigh(np.cov(world.T))
    frame = axes[:, ::-1] * np.array([1.0, 1.0, np.sign(np.linalg.det(axes[:, ::-1]))])
    return [frame * np.array(signs) for signs in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))]


def parts(length: int, size: int) -> list[int]:
    """Where parts of `size` begin that overlap by half and cover `length` (4.4)."""
    last = length - size
    return sorted({*range(0, last, max(size // 2, 1)), last})
