"""convexAdam (Siebert et al. 2021) as a Matcher at given points; its defaults for MIND."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import SimpleITK as sitk
import torch
from convexAdam.convex_adam_MIND import convex_adam_pt
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs

SPACING = 2.0  # mm
AGREE = 1.0  # voxels between a point and where the way there and back ends


class ConvexAdam:
    """Registers both ways on voxels of 2 mm; a point counts that comes back within a voxel.

    Args:
        points: (N, 3) LPS mm of the fixed volume.
    """

    def __init__(self, points: Array) -> None:
        self.points = points

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        # Both on the fixed volume's place in the world, as the method wants them.
        target = _grid(fixed)
        a, b = (
            sitk.Resample(image, target, sitk.Transform(), sitk.sitkLinear, float(pixels(image).min()))
            for image in (fixed, moving)
        )
        grid = Grid.of(a)
        index = grid.to_index(self.points)
        there = index + _read(_field(a, b), index)
        again = there + _read(_field(b, a), there)
        keep = (np.linalg.norm(again - index, axis=1) < AGREE) & grid.contains(grid.to_world(there))
        return LandmarkPairs(self.points[keep], grid.to_world(there[keep]), np.ones(int(keep.sum())))


def _grid(image: sitk.Image) -> sitk.Image:
    size = [max(1, round(n * s / SPACING)) for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    target = sitk.Image(size, sitk.sitkFloat32)
    target.SetSpacing([SPACING] * 3)
    target.SetOrigin(image.GetOrigin())
    target.SetDirection(image.GetDirection())
    return target


def _field(fixed: sitk.Image, moving: sitk.Image) -> Array:
    """(k, j, i, 3) voxels along k, j, i."""
    a, b = (torch.from_numpy(np.clip(pixels(image), -1024, 3071)) for image in (fixed, moving))
    with contextlib.redirect_stdout(io.StringIO()):
        return convex_adam_pt(a, b, dtype=torch.float32, device=torch.device("cpu"))


def _read(field: Array, index: Array) -> Array:
    """(N, 3) displacement along i, j, k at continuous indices (N, 3)."""
    size = np.array(field.shape[:3][::-1])
    where = torch.from_numpy((2 * index + 1) / size - 1).float().reshape(1, -1, 1, 1, 3)
    values = torch.from_numpy(field.astype(np.float32)).permute(3, 0, 1, 2)[None]
    read = torch.nn.functional.grid_sample(values, where, padding_mode="border", align_corners=False)
    return read[0, :, :, 0, 0].T.flip(1).double().numpy()
