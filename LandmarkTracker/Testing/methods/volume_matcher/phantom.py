"""A textured volume in the world, and what becomes of it under a known motion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid

SIZE, SPACING = (40, 38, 36), 3.0


def blank() -> sitk.Image:
    """The frame: voxels of 3 mm, the middle at the world's origin."""
    image = sitk.Image(SIZE, sitk.sitkFloat32)
    image.SetSpacing([SPACING] * 3)
    image.SetOrigin([-(n - 1) / 2 * SPACING for n in SIZE])
    return image


def texture(seed: int) -> sitk.Image:
    """Smooth random texture with detail everywhere."""
    rng = np.random.default_rng(seed)
    noise = sitk.GetImageFromArray(rng.normal(size=SIZE[::-1]).astype(np.float32))
    fine, coarse = (sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, s)) for s in (1.5, 4.0))
    values = 100 + 15 * (fine / fine.std() + coarse / coarse.std())
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.CopyInformation(blank())
    return image


def moved(image: sitk.Image, comes_from: Callable[[np.ndarray], np.ndarray]) -> sitk.Image:
    """The image that shows at each point, LPS mm (N, 3), what `image` shows where it comes from."""
    grid = Grid.of(image)
    index = np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), axis=-1).reshape(-1, 3)
    at = grid.to_world(index)
    moves = (comes_from(at) - at).reshape(*grid.size, 3).transpose(2, 1, 0, 3)
    field = sitk.GetImageFromArray(np.ascontiguousarray(moves), isVector=True)
    field.CopyInformation(image)
    return sitk.Resample(
        image, sitk.DisplacementFieldTransform(field), sitk.sitkLinear, 0.0, sitk.sitkFloat32
    )


def turned(points: np.ndarray) -> np.ndarray:
    """An affine map: 17 degrees about z, larger by a tenth, 9, -6 and 5 mm."""
    c, s = np.cos(0.3), np.sin(0.3)
    return points @ (1.1 * np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])) + (9.0, -6.0, 5.0)


def bent(points: np.ndarray) -> np.ndarray:
    """An elastic map: up to 5 mm along each axis, a wave every 120 mm."""
    return points + 5 * np.sin(2 * np.pi * points[:, [1, 2, 0]] / 120 + (0.3, 1.0, 2.0))
