"""Localization U-Net (Payer et al. 2019, section 3.1), for images and volumes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from LandmarkTrackerLib.networks.nd import (
    activated,
    convolution,
    grow_linear,
    heatmap_layer,
    require_divisible,
    shrink,
)


class LocalizationUNet(nn.Module):
    """U-Net with one width throughout, average pooling, linear upsampling and padded convolutions.

    Two convolutions a level on the way down and, after joining the skip connection, on the way up; dropout
    in the deepest two levels; a 1 x 1 layer for the heatmaps, as Ronneberger et al. 2015 have it.

    Args:
        dimension: 2 or 3 spatial axes.
        landmarks: N heatmaps.
        width: outputs of every intermediate convolution; the paper has 128, and 64 in its 3D experiments.
        levels: 5; 4 in the paper's 3D experiments.
        dropout: in the deepest two levels.
        channels: of the input.
    """

    def __init__(
        self,
        dimension: int,
        landmarks: int,
        width: int = 128,
        levels: int | None = None,
        dropout: float = 0.5,
        channels: int = 1,
    ) -> None:
        super().__init__()
        levels = levels or (5, 4)[dimension - 2]
        self.multiple = 2 ** (levels - 1)

        def pair(inputs: int, depth: int) -> nn.Sequential:
            rest = [nn.Dropout(dropout)] if depth >= levels - 2 else []
            return nn.Sequential(
                activated(convolution(dimension, inputs, width, 3)),
                activated(convolution(dimension, width, width, 3)),
                *rest,
            )

        self.down = nn.ModuleList(pair(width if depth else channels, depth) for depth in range(levels))
        self.up = nn.ModuleList(
            nn.Sequential(
                activated(convolution(dimension, 2 * width, width, 3)),
                activated(convolution(dimension, width, width, 3)),
            )
            for _ in range(levels - 1)
        )
        self.heatmaps = heatmap_layer(dimension, width, landmarks, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, *spatial) to (B, N, *spatial). Spatial sizes are multiples of 2^(levels - 1)."""
        require_divisible(image.shape[2:], self.multiple)
        features, skips = image, []
        for depth, level in enumerate(self.down):
            features = level(shrink(features) if depth else features)
            skips.append(features)
        for level, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            features = level(torch.cat([skip, grow_linear(features)], dim=1))
        return self.heatmaps(features)
