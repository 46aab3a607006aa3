"""MIND-SSC: what the surroundings of a voxel look like to themselves (Heinrich et al., MICCAI 2013).

Twelve distances between patches around a voxel, none of which contains it, relative to their mean: the same
in any modality in which the same borders show.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn import functional

CHANNELS = 12
APART = 2  # voxels from the voxel to the centre of each of the six patches
SLAB = 24  # slices at a time
SIX = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
# Neighbouring patches of the six: those that do not lie opposite each other.
PAIRS = tuple(
    (a, b)
    for a, b in itertools.combinations(range(6), 2)
    if sum(x * y for x, y in zip(SIX[a], SIX[b], strict=True)) == 0
)


def mind_ssc(values: Tensor) -> Tensor:
    """Descriptors (z, y, x, 12) of a volume (z, y, x), 0 to 1 each; slab by slab, to bound memory."""
    margin = APART + 1
    padded = functional.pad(values[None, None], [margin] * 6, mode="replicate")[0, 0]
    found = torch.empty(*values.shape, CHANNELS)
    noise = _noise(values)
    for first in range(0, len(values), SLAB):
        last = min(first + SLAB, len(values))
        found[first:last] = _slab(padded[first : last + 2 * margin], noise)
    return found


def _noise(values: Tensor) -> float:
    """A floor of the variance, so that a constant region is described as such and not divided by nothing."""
    steps = (values[:, :, 1:] - values[:, :, :-1]) ** 2
    return 1e-3 * float(steps.mean()) + 1e-8


def _slab(padded: Tensor, noise: float) -> Tensor:
    """(z - 2 margin, ...) descriptors of a slab that is padded by the margin on all sides."""
    around = []
    inner = [n - 2 * APART for n in padded.shape]
    for offset in SIX:
        z, y, x = (APART + APART * o for o in offset)
        around.append(padded[z : z + inner[0], y : y + inner[1], x : x + inner[2]])
    distances = torch.stack([_box((around[a] - around[b]).square_()) for a, b in PAIRS], dim=-1)
    distances -= distances.amin(dim=-1, keepdim=True)
    spread = distances.mean(dim=-1, keepdim=True).clamp_(min=noise)
    return distances.div_(spread).neg_().exp_()


def _box(values: Tensor) -> Tensor:
    """Means over 3 x 3 x 3 voxels; the result is one voxel smaller on every side."""
    values = values[:-2] + values[1:-1] + values[2:]
    values = values[:, :-2] + values[:, 1:-1] + values[:, 2:]
    return (values[:, :, :-2] + values[:, :, 1:-1] + values[:, :, 2:]) / 27
