"""The correspondence network of Grewal et al. 2020 (section 2.2), for images and volumes.

Tensors are (B, C, *spatial). Locations are (B, K, d) in pixels of the input, (i, j[, k]), from the centre of
the first pixel.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from LandmarkTrackerLib.networks.nd import convolution, grow_linear, require_divisible
from LandmarkTrackerLib.networks.sampling import sample

FILTERS = (16, 32, 64, 128, 256)


class Features(NamedTuple):
    """What a branch says of one image.

    Attributes:
        logits: (B, 1, *spatial) landmark probability before the sigmoid.
        coarse: feature maps of the last two downsampling blocks, (B, C, *spatial / stride) each.
    """

    logits: Tensor
    coarse: tuple[Tensor, Tensor]


class CorrespondenceNetwork(nn.Module):
    """The Siamese branch and the feature descriptor matching module. Both images go through the same branch.

    Args:
        dimension: 2 or 3 spatial axes.
        filters: of the successive downsampling blocks.
        normalise: batch normalisation after every convolution, which the paper does not mention.
        transposed: up-convolutions of 2 x 2, as in the U-Net that the paper names, in place of linear
            interpolation.
    """

    def __init__(
        self,
        dimension: int,
        filters: tuple[int, ...] = FILTERS,
        normalise: bool = True,
        transposed: bool = False,
    ) -> None:
        super().__init__()
        self.multiple = 2 ** (len(filters) - 1)
        inputs = (1, *filters[:-1])
        self.down = nn.ModuleList(
            _block(dimension, a, b, normalise) for a, b in zip(inputs, filters, strict=True)
        )
        pairs = list(reversed(list(pairwise(filters))))
        grow = (nn.ConvTranspose2d, nn.ConvTranspose3d)[dimension - 2]
        self.grow = nn.ModuleList(grow(b, a, 2, stride=2) for a, b in pairs) if transposed else None
        self.up = nn.ModuleList(
            _block(dimension, 2 * a if transposed else a + b, a, normalise) for a, b in pairs
        )
        self.landmark = convolution(dimension, filters[0], 1, 1)
        self.matching = nn.Linear(filters[-2] + filters[-1], 2)

    def forward(self, image: Tensor) -> Features:
        """(B, 1, *spatial) to features. Spatial sizes are multiples of `multiple`."""
        require_divisible(image.shape[2:], self.multiple)
        pool = (functional.max_pool2d, functional.max_pool3d)[image.ndim - 4]
        blocks: list[Tensor] = []
        for block in self.down:
            blocks.append(block(pool(blocks[-1], 2) if blocks else image))
        features = blocks[-1]
        for level, (block, skip) in enumerate(zip(self.up, reversed(blocks[:-1]), strict=True)):
            grown = grow_linear(features) if self.grow is None else self.grow[level](features)
            features = block(torch.cat([skip, grown], dim=1))
        return Features(self.landmark(features).float(), (blocks[-2].float(), blocks[-1].float()))

    def pair_logits(self, fixed: Tensor, moving: Tensor) -> Tensor:
        """Matching logits of all pairs: descriptors (B, K1, C) and (B, K2, C) to (B, K1, K2).

        The linear layer gives two logits of the element-wise product of two descriptors, read by a softmax.
        Only their difference counts, so that all pairs are one matrix product: (f1 * w) f2^T + b.
        """
        weight = self.matching.weight[1] - self.matching.weight[0]
        bias = self.matching.bias[1] - self.matching.bias[0]
        return (fixed * weight) @ moving.transpose(1, 2) + bias


def _block(dimension: int, inputs: int, outputs: int, normalise: bool) -> nn.Sequential:
    norm = (nn.BatchNorm2d, nn.BatchNorm3d)[dimension - 2]
    return nn.Sequential(
        convolution(dimension, inputs, outputs, 3),
        norm(outputs) if normalise else nn.Identity(),
        nn.ReLU(inplace=True),
        convolution(dimension, outputs, outputs, 3),
        norm(outputs) if normalise else nn.Identity(),
        nn.ReLU(inplace=True),
    )


def sample_landmarks(logits: Tensor, cell: int, count: int) -> Tensor:
    """The most probable pixel of every `cell` (8 in the paper), and of these the `count` best (2.2.2, 2.4).

    Args:
        logits: (B, 1, *spatial).

    Returns:
        (B, K, d) whole pixels, best first; K is `count`, or the number of cells if there are fewer.
    """
    pool = (functional.max_pool2d, functional.max_pool3d)[logits.ndim - 4]
    best, where = pool(logits.detach(), cell, return_indices=True, ceil_mode=True)
    best, where = best.flatten(1), where.flatten(1)
    chosen = where.gather(1, best.topk(min(count, best.shape[1]), dim=1).indices)
    return torch.stack(list(reversed(torch.unravel_index(chosen, logits.shape[2:]))), dim=2).float()


def read_at(maps: Tensor, locations: Tensor, spatial: torch.Size) -> Tensor:
    """Linear interpolation of maps (B, C, *any size) that cover an image of size `spatial`: (B, K, C)."""
    return sample(maps, locations, "border", spatial[::-1]).transpose(1, 2)


def describe(features: Features, locations: Tensor) -> Tensor:
    """Descriptors (B, K, C) at locations (B, K, d): both blocks' features side by side (2.2.1)."""
    spatial = features.logits.shape[2:]
    return torch.cat([read_at(maps, locations, spatial) for maps in features.coarse], dim=2)


def descriptor_distances(fixed: Tensor, moving: Tensor) -> Tensor:
    """||f1 - f2||_2 of L2-normalised descriptors for all pairs: (B, K1, C), (B, K2, C) to (B, K1, K2)."""
    fixed, moving = functional.normalize(fixed, dim=2), functional.normalize(moving, dim=2)
    squared = 2 - 2 * fixed @ moving.transpose(1, 2)
    return squared.clamp(min=1e-8).sqrt()
