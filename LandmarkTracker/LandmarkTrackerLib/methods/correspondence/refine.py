"""Moves the moving point of each pair to where the image around it looks most like that around the fixed one.

Lucas and Kanade's registration of small patches (Baker and Matthews 2004), seen through the local affine map
of the pairs around. Grey values count relative to the patch's mean and contrast. Positions are in pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.network_grid import Pixels
from LandmarkTrackerLib.networks.sampling import sample

RADIUS = {2: 5, 3: 4}  # pixels of a patch to each side
ROUNDS = 10
FARTHEST = 3.0  # pixels that a point may move
ALIKE = 0.6  # correlation below which a patch shows noise, or something else
STIFFNESS = 0.002  # against edges that look alike all along
CHUNK = 1024  # points in memory at a time
FLAT = 0.005  # least contrast of a patch that counts; a flat one would magnify its rounding errors


def refined(fixed: Pixels, moving: Pixels, at: Array, partner: Array, shape: Array) -> Array:
    """Better positions (N, d) of `partner`; a point whose surroundings do not look alike stays.

    Args:
        fixed, moving: grey values ([k,] j, i), 0 to 1.
        at, partner: (N, d) the pairs.
        shape: (N, d, d) maps a step in the fixed image to one in the moving image: step @ shape.
    """
    channels = _channels(fixed, 0), _channels(moving, at.shape[1])
    parts = [np.zeros((0, at.shape[1]))]
    for start in range(0, len(at), CHUNK):
        some = slice(start, start + CHUNK)
        parts.append(_moved(*channels, at[some], partner[some], shape[some]))
    return np.concatenate(parts)


def _moved(fixed: Tensor, moving: Tensor, at: Array, partner: Array, shape: Array) -> Array:
    """`refined` on `_channels`."""
    d = at.shape[1]
    steps = torch.arange(-RADIUS[d], RADIUS[d] + 1, dtype=torch.float32)
    offsets = torch.stack(torch.meshgrid(*[steps] * d, indexing="ij"), -1).reshape(-1, d)
    window = torch.exp(-(offsets**2).sum(1) / (2 * (RADIUS[d] / 1.5) ** 2))
    window = window / window.sum()
    a, start = (torch.from_numpy(x).float() for x in (at, partner))
    template = _standard(_read(fixed, a[:, None] + offsets)[..., 0], window)[0]
    around = offsets @ torch.from_numpy(shape).float()
    best, moved = start, torch.zeros_like(start)
    highest = torch.full((len(start),), -torch.inf)
    for _ in range(ROUNDS + 1):
        read = _read(moving, (start + moved)[:, None] + around)
        shown, contrast = _standard(read[..., 0], window)
        alike = (window * template * shown).sum(1)
        better = alike > highest
        best = torch.where(better[:, None], start + moved, best)
        highest = torch.where(better, alike, highest)
        slope = read[..., 1:] / contrast[..., None]
        slope = slope - (window[:, None] * slope).sum(1, keepdim=True)
        weighted = slope * window[:, None]
        normal = weighted.transpose(1, 2) @ slope + STIFFNESS * torch.eye(d)
        step = torch.linalg.solve(normal, (weighted * (template - shown)[..., None]).sum(1))
        moved = (moved + step.clamp(-1, 1)).clamp(-FARTHEST, FARTHEST)
    return torch.where((highest > ALIKE)[:, None], best, start).double().numpy()


def _standard(patches: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Patches (N, P) less their mean, by their contrast; and the contrast (N, 1)."""
    centred = patches - (patches * window).sum(1, keepdim=True)
    contrast = (centred**2 * window).sum(1, keepdim=True).sqrt().clamp(min=FLAT)
    return centred / contrast, contrast


def _channels(grey: Pixels, derivatives: int) -> Tensor:
    """(1, 1 + derivatives, *spatial): grey values and their slopes along i, j[, k]."""
    image = torch.from_numpy(grey)
    slopes = torch.gradient(image)[::-1] if derivatives else ()
    return torch.stack([image, *slopes])[None]


def _read(channels: Tensor, points: Tensor) -> Tensor:
    """Linear interpolation at pixels (N, P, d): (N, P, C)."""
    return sample(channels, points[None], "border")[0].movedim(0, -1)
