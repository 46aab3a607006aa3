"""Foerstner keypoints, spread over the body: their surroundings fix a displacement in every direction."""

from __future__ import annotations

import torch
from LandmarkTrackerLib.methods.volume_matcher.levels import Level
from torch import Tensor
from torch.nn import functional

BORDER = 3  # voxels


def distinctiveness(values: Tensor) -> Tensor:
    """(z, y, x) 1 / trace of the inverse structure tensor: large where no direction is ambiguous."""
    padded = functional.pad(values[None, None], [1] * 6, mode="replicate")[0, 0]
    gradients = [
        (padded.narrow(a, 2, n) - padded.narrow(a, 0, n))[
            tuple(slice(1, -1) if b != a else slice(None) for b in range(3))
        ]
        for a, n in enumerate(values.shape)
    ]
    xx, yy, zz = (_smooth(g * g) for g in gradients)
    xy, xz, yz = (_smooth(gradients[a] * gradients[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    minors = (yy * zz - yz * yz) + (xx * zz - xz * xz) + (xx * yy - xy * xy)
    determinant = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    return (determinant / minors.clamp(min=1e-20)).clamp(min=0)


def _smooth(values: Tensor) -> Tensor:
    """A Gaussian of about 1.4 voxels: three boxes of 3, twice over the shared border."""
    v = values[None, None]
    for _ in range(3):
        for axis in range(3):
            kernel, pad = [1, 1, 1], [0, 0, 0]
            kernel[axis], pad[axis] = 3, 1
            v = functional.avg_pool3d(v, kernel, 1, pad, count_include_pad=False)
    return v[0, 0]


def apart(level: Level, most: int, least: int) -> int:
    """Voxels along the sides of cubes of which about `most` fill the body; not below `least`."""
    return max(least, round((float(level.body.sum()) / most) ** (1 / 3)))


def keypoints(level: Level, side: int) -> Tensor:
    """(N, 3) voxel numbers x, y, z: the most distinct voxel of every cube of `side` voxels, in the body.

    Outside the body only what is more distinct than half of the keypoints in it counts (the lung that a
    field of view cuts open is no closed part of the body, but has vessels).
    """
    side = min(side, *level.values.shape)
    found = distinctiveness(level.values)
    for axis in range(3):
        found.narrow(axis, 0, min(BORDER, found.shape[axis])).zero_()
        found.narrow(axis, max(found.shape[axis] - BORDER, 0), min(BORDER, found.shape[axis])).zero_()
    best, where = functional.max_pool3d(found[None, None], side, return_indices=True, ceil_mode=True)
    best, where = best.flatten(), where.flatten()
    best, where = best[best > 0], where[best > 0]
    inside = level.body.flatten()[where]
    if inside.any():
        keep = inside | (best > best[inside].median())
        best, where = best[keep], where[keep]
    ny, nx = level.values.shape[1:]
    return torch.stack([where % nx, where // nx % ny, where // (nx * ny)], dim=1)
