"""Where keypoints went: every displacement in reach is compared, and neighbours agree on one smooth motion.

Coupled convex optimisation (Heinrich 2014): in turn, every keypoint takes the displacement
that looks best not too far from what its neighbours say, and the neighbours' motion is fitted to all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from LandmarkTrackerLib.methods.volume_matcher.levels import Level
from LandmarkTrackerLib.methods.volume_matcher.mind import CHANNELS
from LandmarkTrackerLib.methods.volume_matcher.motion import Motion, lattice
from torch import Tensor

# A patch is 27 descriptors, every second voxel, each of which sees some 7 voxels itself.
PATCH = tuple(itertools.product((-2, 0, 2), repeat=3))
CHUNK = 128  # keypoints at a time
COUPLING = (
    0.003,
    0.01,
    0.03,
    0.1,
    0.3,
)  # of the squared distance in voxels, in units of the typical contrast
NOWHERE = 1.0  # the distance to what lies beyond the other volume; the most a descriptor can differ

Smooth = Callable[[Tensor, Tensor], Tensor]


def offsets(radius: int) -> Tensor:
    """(D, 3) displacements x, y, z in voxels within a cube, in the order of the costs."""
    n = 2 * radius + 1
    return lattice((n, n, n), torch.full((3,), -float(radius)), 1.0)


def warped(level: Level, other: Level, motion: Motion) -> tuple[Tensor, Tensor]:
    """The other volume in the place of `level`, (z, y, x): values, and whether they are in the volume."""
    values, inside = torch.empty_like(level.values), torch.empty_like(level.body)
    for k in range(len(values)):
        at = lattice((1, *level.values.shape[1:]), level.to_mm(torch.tensor([0.0, 0.0, k])), level.spacing)
        there = motion(at)
        values[k] = other.read(there).reshape(values[k].shape)
        inside[k] = other.contains(there).reshape(inside[k].shape)
    return values, inside


def costs(fixed: Tensor, moving: Tensor, inside: Tensor, at: Tensor, radius: int) -> Tensor:
    """(N, D) mean squared difference of the descriptors around each keypoint and around each displacement.

    Args:
        fixed, moving: (z, y, x, 12) on the same grid.
        inside: (z, y, x) whether a voxel of `moving` shows anything.
        at: (N, 3) keypoints, voxel numbers x, y, z.
    """
    shape = torch.tensor(fixed.shape[:3][::-1])
    width, reach = 2 * radius + 1, radius + 2
    around = lattice((2 * reach + 1,) * 3, torch.full((3,), -float(reach)), 1.0).long()
    patch = torch.tensor(PATCH).flip(1)
    flat, other, seen = fixed.reshape(-1, CHANNELS), moving.reshape(-1, CHANNELS), inside.flatten()
    middle = offsets(radius).long()
    found = []
    for some in at.split(CHUNK):
        here = flat[_rows(some[:, None] + patch, shape)]
        window = other[_rows(some[:, None] + around, shape)]
        # |a - b|^2 of every descriptor in the window and every one in the patch, summed where they lie alike.
        pairs = torch.baddbmm(
            window.square().sum(dim=-1, keepdim=True), window, here.transpose(1, 2), alpha=-2
        )
        pairs = pairs.reshape(len(some), *[2 * reach + 1] * 3, len(PATCH))
        total = here.square().sum(dim=(1, 2))[:, None, None, None].expand(-1, width, width, width).clone()
        for n, (z, y, x) in enumerate(PATCH):
            total += pairs[:, z + 2 : z + 2 + width, y + 2 : y + 2 + width, x + 2 : x + 2 + width, n]
        mean = (total / (len(PATCH) * CHANNELS)).clamp_(min=0).flatten(1)
        target = some[:, None] + middle
        there = seen[_rows(target, shape)] & ((target >= 0) & (target < shape)).all(dim=-1)
        found.append(torch.where(there, mean, torch.full((), NOWHERE)))
    return torch.cat(found) if found else torch.zeros(0, width**3)


def _rows(voxel: Tensor, shape: Tensor) -> Tensor:
    x, y, z = voxel.clamp(min=0).minimum(shape - 1).unbind(dim=-1)
    return (z * shape[1] + y) * shape[0] + x


@dataclass(frozen=True)
class Found:
    """What the search found for N keypoints.

    Attributes:
        moves: (N, 3) displacements in voxels, finer than a voxel.
        said: (N, 3) what the smooth motion of all says.
        own: (N, 3) the displacement that looks best, whatever the neighbours say.
        distance: (N,) descriptor distance at the displacement that was taken.
        margin: (N,) how much larger the distance is elsewhere: relative to the mean over the window, 0 to 1.
        weight: (N,) how much each counts for the motion.
    """

    moves: Tensor
    said: Tensor
    own: Tensor
    distance: Tensor
    margin: Tensor
    weight: Tensor


def coupled(cost: Tensor, radius: int, smooth: Smooth) -> Found:
    """The displacements that look alike and agree.

    Args:
        cost: (N, D) of `costs`.
        smooth: from displacements (N, 3) in voxels and weights (N,) to the motion of all at the keypoints.
    """
    steps = offsets(radius)
    mean, best = cost.mean(dim=1), cost.amin(dim=1)
    contrast = (mean - best).clamp(min=0)
    unit = float(contrast.median().clamp(min=1e-6)) if len(cost) else 1.0
    trusted = (contrast / unit).clamp(max=2)
    own = _finer(cost, steps, cost.argmin(dim=1), radius)
    said = torch.zeros(len(cost), 3)
    moves, weight = own, trusted
    for coupling in COUPLING:
        penal = cost + coupling * unit * torch.cdist(said, steps).square()
        moves = _finer(penal, steps, penal.argmin(dim=1), radius)
        away = (moves - said).norm(dim=1)
        width = away.median().clamp(min=0.5)
        weight = trusted / (1 + (away / (2 * width)) ** 2) ** 2 if coupling > COUPLING[0] else trusted
        said = smooth(moves, weight)
    distance = cost.gather(1, penal.argmin(dim=1, keepdim=True))[:, 0]
    far = torch.cdist(moves, steps) > 2
    elsewhere = torch.where(far, cost, torch.full((), torch.inf)).amin(dim=1)
    margin = ((elsewhere - distance) / mean.clamp(min=1e-6)).clamp(-1, 1).nan_to_num(0, 0, 0)
    return Found(moves, said, own, distance, margin, weight)


def _finer(cost: Tensor, steps: Tensor, best: Tensor, radius: int) -> Tensor:
    """(N, 3) the minimum of a parabola through the best displacement (N,) and the next, along each axis."""
    n = 2 * radius + 1
    moves = steps[best].clone()
    rows = torch.arange(len(cost))
    middle = cost[rows, best]
    for axis, stride in enumerate((1, n, n * n)):
        inner = steps[best, axis].abs() < radius
        low = cost[rows, torch.where(inner, best - stride, best)]
        high = cost[rows, torch.where(inner, best + stride, best)]
        bend = low + high - 2 * middle
        part = torch.where(
            inner & (bend > 1e-12), (low - high) / (2 * bend.clamp(min=1e-12)), torch.zeros(())
        )
        moves[:, axis] += part.clamp(-0.5, 0.5)
    return moves
