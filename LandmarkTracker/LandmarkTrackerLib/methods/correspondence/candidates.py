"""Landmarks of one image with their descriptors, found block by block: large images take no more memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.network_grid import Pixels
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork, describe


@dataclass(frozen=True)
class Candidates:
    """Landmarks of an image before it is matched.

    Attributes:
        index: (N, d) pixels along i, j[, k], with their fractions.
        probability: (N,) of being a landmark.
        descriptors: (N, C).
    """

    index: Array
    probability: Array
    descriptors: Tensor

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class Blocks:
    """How an image is cut into what the network takes at a time, in pixels along every axis.

    Attributes:
        core: the part whose landmarks count.
        halo: what the network sees around it.
    """

    core: int
    halo: int

    def starts(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The first pixel ([k,] j, i) of every core of an image of this shape."""
        return list(itertools.product(*(range(0, n, self.core) for n in shape)))


# The halo covers most of what the deepest block sees; slices up to 512 pixels are one block.
BLOCKS = {2: Blocks(512, 64), 3: Blocks(64, 16)}


def find_candidates(
    network: CorrespondenceNetwork, grey: Pixels, threshold: float, apart: int, blocks: Blocks
) -> Iterator[Candidates]:
    """Every local maximum of the landmark probability above `threshold` (section 2.5), block by block.

    Args:
        network: in evaluation mode.
        grey: (j, i) or (k, j, i), 0 to 1.
        apart: pixels within which there is no higher probability, along each axis; 0 takes every pixel above
            the threshold, at its centre.
    """
    for start in blocks.starts(grey.shape):
        yield _in_block(network, grey, start, threshold, apart, blocks)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of all blocks."""
    return Candidates(
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.probability for part in parts]),
        torch.cat([part.descriptors for part in parts]),
    )


def _in_block(
    network: CorrespondenceNetwork,
    grey: Pixels,
    start: tuple[int, ...],
    threshold: float,
    apart: int,
    blocks: Blocks,
) -> Candidates:
    """The candidates of the core that starts at `start` ([k,] j, i)."""
    device = next(network.parameters()).device
    first = [max(s - blocks.halo, 0) for s in start]
    stop = [min(s + blocks.core + blocks.halo, n) for s, n in zip(start, grey.shape, strict=True)]
    seen = torch.from_numpy(grey[tuple(slice(a, b) for a, b in zip(first, stop, strict=True))])
    # Background on the far side, up to a size that the network can halve.
    room = [-n % network.multiple for n in seen.shape]
    padding = [p for n in reversed(room) for p in (0, n)]
    features = network(functional.pad(seen, padding)[None, None].to(device))
    peaks = _peaks(features.logits[0, 0], threshold, apart)
    core_first = torch.tensor([s - f for s, f in zip(start, first, strict=True)], device=device)
    core_stop = torch.tensor(
        [min(s + blocks.core, n) - f for s, n, f in zip(start, grey.shape, first, strict=True)],
        device=device,
    )
    peaks = peaks[((peaks >= core_first) & (peaks < core_stop)).all(dim=1)]
    at = peaks.flip(1) + (_vertex(features.logits[0, 0], peaks).flip(1) if apart else 0.0)
    probability = features.logits[0, 0][tuple(peaks.T)].sigmoid()
    descriptors = describe(features, at[None])[0]
    index = at.cpu().numpy().astype(float) + np.array(first[::-1])
    return Candidates(index, probability.cpu().numpy().astype(float), descriptors)


def _peaks(logits: Tensor, threshold: float, apart: int) -> Tensor:
    """(N, d) pixels ([k,] j, i) that are the highest within `apart` and above the threshold."""
    pool = (functional.max_pool2d, functional.max_pool3d)[logits.ndim - 2]
    highest = pool(logits[None, None], 2 * apart + 1, stride=1, padding=apart)[0, 0]
    return torch.nonzero((logits == highest) & (logits.sigmoid() > threshold))


def _vertex(values: Tensor, peaks: Tensor) -> Tensor:
    """(N, d) where between the pixels a parabola through three values has its top, along each axis."""
    offsets = torch.zeros(peaks.shape, device=values.device)
    at = values[tuple(peaks.T)]
    for axis, size in enumerate(values.shape):
        step = torch.zeros_like(peaks)
        step[:, axis] = 1
        before, after = (values[tuple(_within(peaks + sign * step, values.shape).T)] for sign in (-1, 1))
        curvature = before - 2 * at + after
        offset = 0.5 * (before - after) / curvature
        inner = (peaks[:, axis] > 0) & (peaks[:, axis] < size - 1) & (curvature < 0)
        offsets[:, axis] = torch.where(inner, offset.clamp(-0.5, 0.5), 0)
    return offsets


def _within(index: Tensor, shape: torch.Size) -> Tensor:
    return torch.minimum(index.clamp(min=0), torch.tensor(shape, device=index.device) - 1)
