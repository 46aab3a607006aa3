"""A heatmap network together with the width of its targets, which is learned with it (section 2.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from LandmarkTrackerLib.networks.scn import LocalAppearance, SpatialConfigurationNet
from LandmarkTrackerLib.networks.unet import LocalizationUNet

Architecture = Literal["scn", "unet", "la"]


@dataclass(frozen=True)
class NetworkConfig:
    """The `[network]` table. 0 means the paper's value for the dimension.

    Attributes:
        architecture: "scn"; "unet" for the Localization U-Net; "la" for the LA-Net.
        width: outputs of every intermediate convolution.
        levels: of the SCN's local appearance (4), the LA-Net (4) or the U-Net (5, in 3D 4).
        factor: how much coarser the spatial configuration is (16, in 3D 4).
        kernel: of the spatial configuration (11, in 3D 7).
        dropout: probability.
    """

    architecture: Architecture = "scn"
    width: int = 128
    levels: int = 0
    factor: int = 0
    kernel: int = 0
    dropout: float = 0.5


class HeatmapNetwork(nn.Module):
    """One of the three networks and log sigma (N,), the logarithm of the target widths in pixels.

    The logarithm keeps sigma positive, whatever step the optimiser takes.
    """

    def __init__(self, config: NetworkConfig, dimension: int, landmarks: int, sigma: float = 2.0) -> None:
        super().__init__()
        self.body = _body(config, dimension, landmarks)
        self.log_sigma = nn.Parameter(torch.full((landmarks,), math.log(sigma)))
        # Channels last is a third faster on CPUs.
        self.to(memory_format=(torch.channels_last, torch.channels_last_3d)[dimension - 2])

    @property
    def multiple(self) -> int:
        """Spatial sizes must be multiples of this."""
        return self.body.multiple

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, *spatial) to heatmaps (B, N, *spatial) and sigma (N,) in pixels."""
        return self.body(image), self.log_sigma.exp()


def _body(
    config: NetworkConfig, dimension: int, landmarks: int
) -> SpatialConfigurationNet | LocalizationUNet | LocalAppearance:
    width, dropout = config.width, config.dropout
    if config.architecture == "unet":
        return LocalizationUNet(dimension, landmarks, width, config.levels or None, dropout)
    levels = config.levels or 4
    if config.architecture == "la":
        return LocalAppearance(dimension, landmarks, width, levels, dropout)
    factor, kernel = config.factor or None, config.kernel or None
    return SpatialConfigurationNet(dimension, landmarks, width, levels, dropout, factor, kernel)
