"""SpatialConfiguration-Net (Payer et al. 2019, sections 2.2 and 3), for images and volumes.

Tensors are (B, C, *spatial); heatmaps have one channel a landmark and the size of the input.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from LandmarkTrackerLib.networks.nd import (
    activated,
    convolution,
    grow_cubic,
    grow_linear,
    heatmap_layer,
    require_divisible,
    shrink,
)


class Heatmaps(NamedTuple):
    """Equation (4): `product` = `appearance` * `configuration`, each (B, N, *spatial)."""

    product: Tensor
    appearance: Tensor
    configuration: Tensor


class _Level(nn.Module):
    """Three convolutions, dropout after the first; the level below branches off before the last."""

    def __init__(self, dimension: int, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.first = activated(convolution(dimension, inputs, width, 3))
        self.dropout = nn.Dropout(dropout)
        self.second = activated(convolution(dimension, width, width, 3))
        self.last = activated(convolution(dimension, width, width, 3))

    def before_last(self, image: Tensor) -> Tensor:
        return self.second(self.dropout(self.first(image)))


class LocalAppearance(nn.Module):
    """Locally accurate, possibly ambiguous heatmaps (2.2.2). Alone, it is the LA-Net of 4.1.3."""

    def __init__(
        self,
        dimension: int,
        landmarks: int,
        width: int = 128,
        levels: int = 4,
        dropout: float = 0.5,
        channels: int = 1,
    ) -> None:
        super().__init__()
        inputs = [channels] + [width] * (levels - 1)
        self.levels = nn.ModuleList(_Level(dimension, n, width, dropout) for n in inputs)
        self.heatmaps = heatmap_layer(dimension, width, landmarks, 3)
        self.multiple = 2 ** (levels - 1)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, *spatial) to (B, N, *spatial); linear. Spatial sizes are multiples of 2^(levels - 1)."""
        require_divisible(image.shape[2:], self.multiple)
        return self.heatmaps(self._refined(image, 0))

    def _refined(self, image: Tensor, depth: int) -> Tensor:
        """The level's own output plus what the levels below it say, as a residual."""
        level = self.levels[depth]
        assert isinstance(level, _Level)
        features = level.before_last(image)
        output = level.last(features)
        if depth + 1 < len(self.levels):
            output = output + grow_linear(self._refined(shrink(features), depth + 1))
        return output


class SpatialConfiguration(nn.Module):
    """From the appearance heatmaps of all landmarks to where each can be (2.2.3), at a lower resolution."""

    def __init__(self, dimension: int, landmarks: int, width: int, factor: int, kernel: int) -> None:
        super().__init__()
        self.factor, self.kernel = factor, kernel
        self.layers = nn.Sequential(
            activated(convolution(dimension, landmarks, width, kernel)),
            activated(convolution(dimension, width, width, kernel)),
            activated(convolution(dimension, width, width, kernel)),
            heatmap_layer(dimension, width, landmarks, kernel),
            nn.Tanh(),
        )

    def forward(self, appearance: Tensor) -> Tensor:
        """(B, N, *spatial) to (B, N, *spatial), about -1 to 1. Spatial sizes are multiples of `factor`."""
        require_divisible(appearance.shape[2:], self.factor)
        return grow_cubic(self.layers(shrink(appearance, self.factor)), self.factor)


class SpatialConfigurationNet(nn.Module):
    """The SCN with the paper's sizes as defaults.

    Args:
        dimension: 2 or 3 spatial axes.
        landmarks: N heatmaps.
        width: outputs of every intermediate convolution; the paper has 128, and 64 in its 3D experiments.
        levels: of the local appearance component.
        dropout: after the first convolution of each level.
        factor: how much coarser the spatial configuration is; 16, in 3D 4.
        kernel: of the spatial configuration; 11, in 3D 7.
        channels: of the input.
    """

    def __init__(
        self,
        dimension: int,
        landmarks: int,
        width: int = 128,
        levels: int = 4,
        dropout: float = 0.5,
        factor: int | None = None,
        kernel: int | None = None,
        channels: int = 1,
    ) -> None:
        super().__init__()
        factor = factor or (16, 4)[dimension - 2]
        kernel = kernel or (11, 7)[dimension - 2]
        self.appearance = LocalAppearance(dimension, landmarks, width, levels, dropout, channels)
        self.configuration = SpatialConfiguration(dimension, landmarks, width, factor, kernel)
        self.multiple = max(self.appearance.multiple, factor)

    def components(self, image: Tensor) -> Heatmaps:
        """The final heatmaps and the two that they are the product of. Input as in `forward`."""
        appearance = self.appearance(image)
        configuration = self.configuration(appearance)
        # The product is what the loss sees: in single precision, also under autocast.
        with torch.autocast(image.device.type, enabled=False):
            appearance, configuration = appearance.float(), configuration.float()
            return Heatmaps(appearance * configuration, appearance, configuration)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, *spatial) to (B, N, *spatial). Spatial sizes are multiples of `multiple`."""
        return self.components(image).product
