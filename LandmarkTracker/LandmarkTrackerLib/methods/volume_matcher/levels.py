"""Both volumes as the search sees them: isotropic grids along L, P, S, each coarser one half as fine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.geometry import Grid
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

FINEST_VOXELS = 8_000_000  # of the finest level: its descriptors are the largest thing in memory
CLIPPED = 0.001  # share of the voxels at either end that is metal, padding or a defect
BODY_SHARE = 0.1  # a component below this share of the largest is not the body
COARSEST = 10  # voxels along the shortest axis that a level has at least


@dataclass(frozen=True)
class Level:
    """A volume sampled every `spacing` mm along L, P, S.

    Attributes:
        values: (z, y, x) float32, scaled to 0 to 1.
        body: (z, y, x) bool.
        origin: (3,) LPS mm of voxel 0.
        spacing: mm.
    """

    values: Tensor
    body: Tensor
    origin: Tensor
    spacing: float

    @property
    def size(self) -> Tensor:
        """(3,) voxels along x, y, z."""
        return torch.tensor(self.values.shape[::-1])

    def to_voxel(self, points: Tensor) -> Tensor:
        """LPS mm (..., 3) to continuous voxel numbers x, y, z."""
        return (points - self.origin) / self.spacing

    def to_mm(self, voxel: Tensor) -> Tensor:
        """Voxel numbers x, y, z (..., 3) to LPS mm."""
        return self.origin + voxel * self.spacing

    def contains(self, points: Tensor, margin: float = 0.0) -> Tensor:
        """(...) whether LPS mm (..., 3) lie in the volume, `margin` voxels from its border or more."""
        voxel = self.to_voxel(points)
        return ((voxel >= margin - 0.5) & (voxel <= self.size - 0.5 - margin)).all(dim=-1)

    def read(self, points: Tensor) -> Tensor:
        """Linear interpolation at LPS mm (..., 3); beyond the border the nearest voxel."""
        where = (2 * self.to_voxel(points) + 1) / self.size - 1
        flat = where.reshape(1, -1, 1, 1, 3).float()
        read = functional.grid_sample(
            self.values[None, None], flat, padding_mode="border", align_corners=False
        )
        return read.reshape(points.shape[:-1])

    def halved(self) -> Level:
        """Means of 2 x 2 x 2 voxels."""
        values = functional.avg_pool3d(self.values[None, None], 2)[0, 0]
        body = functional.avg_pool3d(self.body[None, None].float(), 2)[0, 0] >= 0.5
        return Level(values, body, self.origin + self.spacing / 2, 2 * self.spacing)


def working_spacing(fixed: sitk.Image, moving: sitk.Image) -> float:
    """mm of the finest level: half a voxel of the finer scan, more where a volume is large.

    Coarse scans are interpolated: patches count voxels, and small ones follow a motion that changes quickly.
    """
    half = min(math.prod(image.GetSpacing()) ** (1 / 3) for image in (fixed, moving)) / 2
    volume = max(math.prod(image.GetSize()) * math.prod(image.GetSpacing()) for image in (fixed, moving))
    return max(half, (volume / FINEST_VOXELS) ** (1 / 3))


def pyramid(image: sitk.Image, spacing: float, count: int) -> list[Level]:
    """The volume on `count` levels, the finest first; fewer where it is small."""
    levels = [_finest(image, spacing)]
    while len(levels) < count and min(levels[-1].values.shape) >= 2 * COARSEST:
        levels.append(levels[-1].halved())
    return levels


def _finest(image: sitk.Image, spacing: float) -> Level:
    # Means of whole voxels first: nothing that is finer than the level may alias, and little memory is used.
    shrink = [max(1, int(spacing / s + 1e-6)) for s in image.GetSpacing()]
    shrink = [min(f, n) for f, n in zip(shrink, image.GetSize(), strict=True)]
    if max(shrink) > 1:
        image = sitk.BinShrink(image, shrink)
    grid = Grid.of(image)
    ends = np.array(grid.size) - 0.5
    corners = grid.to_world(
        [[i, j, k] for i in (-0.5, ends[0]) for j in (-0.5, ends[1]) for k in (-0.5, ends[2])]
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.maximum(np.rint((high - low) / spacing), 1).astype(int)
    origin = (low + high) / 2 - (size - 1) / 2 * spacing
    target = sitk.Image(size.tolist(), sitk.sitkUInt8)
    target.SetSpacing([spacing] * 3)
    target.SetOrigin(origin.tolist())
    resample = sitk.ResampleImageFilter()
    resample.SetReferenceImage(target)
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetOutputPixelType(sitk.sitkFloat32)
    resample.UseNearestNeighborExtrapolatorOn()
    array = sitk.GetArrayFromImage(resample.Execute(image))
    finite = np.isfinite(array)
    some = array[finite]
    low_value, high_value = np.quantile(some[:: max(1, some.size // 1_000_000)], (CLIPPED, 1 - CLIPPED))
    array[~finite] = low_value
    values = np.clip((array - low_value) / max(high_value - low_value, 1e-12), 0, 1).astype(np.float32)
    return Level(
        torch.from_numpy(values), torch.from_numpy(body_of(values)), torch.from_numpy(origin).float(), spacing
    )


def body_of(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(z, y, x) bool: what is brighter than the background of any modality, with the holes in its slices.

    Args:
        values: (z, y, x) 0 to 1.
    """
    image = sitk.GetImageFromArray(values)
    threshold = sitk.OtsuThresholdImageFilter()
    threshold.SetNumberOfThreads(1)
    threshold.Execute(image)
    tissue = image > 0.5 * threshold.GetThreshold()
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(tissue))
    counts = np.bincount(sitk.GetArrayViewFromImage(parts).ravel())[1:]
    if not len(counts):
        return np.ones(values.shape, bool)
    last = int((counts >= BODY_SHARE * counts[0]).sum())
    mask = sitk.GetArrayFromImage(sitk.And(parts <= last, parts > 0))
    return (
        np.stack([sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(m))) for m in mask]) > 0
    )
