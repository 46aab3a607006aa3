"""The training file of `landmark-tracker train scn`, table by table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.networks.heatmap import NetworkConfig
from LandmarkTrackerLib.simulation.augmentation import AugmentationConfig
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig, require_at_least


@dataclass(frozen=True)
class LearningConfig:
    """The `[learning]` table. 0 means the paper's value for the dimension.

    Attributes:
        optimiser: "adamw", or "nesterov" as in the paper (rate 1e-6, momentum 0.99, weight decay 0.0005,
            batch size 1), which needs `[run] clip`: without it all but the SCN diverge at full size.
        rate: learning rate.
        weight_decay: lambda of equation (2) for "nesterov"; decoupled for "adamw".
        momentum: of "nesterov".
        gamma: scale of the targets (100, in 3D 1000).
        alpha: weight of the norm of sigma (20, in 3D 1000).
        sigma: width of the targets that training starts from, in pixels of the network.
        learn_sigma: false keeps that width for all landmarks (Fig. 7).
    """

    optimiser: Literal["adamw", "nesterov"] = "adamw"
    rate: float = 1e-3
    weight_decay: float = 0.0005
    momentum: float = 0.99
    gamma: float = 0.0
    alpha: float = 0.0
    sigma: float = 2.0
    learn_sigma: bool = True

    def __post_init__(self) -> None:
        require_at_least(self, 0, "rate", "weight_decay", "momentum", "gamma", "alpha")
        if not self.sigma > 0:
            raise InputError(f"sigma = {self.sigma} must be above 0")


@dataclass(frozen=True)
class HeatmapTraining:
    """A training file of `landmark-tracker train scn`."""

    data: tuple[DataConfig, ...]
    input: InputConfig
    run: RunConfig
    split: SplitConfig = field(default_factory=SplitConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    learning: LearningConfig = field(default_factory=LearningConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
