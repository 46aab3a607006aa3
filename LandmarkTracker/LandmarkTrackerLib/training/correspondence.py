"""Training of the correspondence network without any label: two views of one image, their relation known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig
from LandmarkTrackerLib.networks.correspondence import FILTERS, CorrespondenceNetwork, Features
from LandmarkTrackerLib.simulation.scans import Extent
from LandmarkTrackerLib.training.config import RunConfig
from LandmarkTrackerLib.training.correspondence_loss import (
    Pairs,
    contrast_loss,
    hinge_loss,
    landmark_loss,
    matching_loss,
    repeatability_loss,
    sample_pairs,
)
from LandmarkTrackerLib.training.correspondence_samples import (
    DataConfig,
    PairsConfig,
    SimulatedPairs,
    read_sources,
)
from LandmarkTrackerLib.training.task import Draw

VALIDATION_PAIRS = 24


@dataclass(frozen=True)
class LossConfig:
    """The `[loss]` table.

    Attributes:
        positive, negative: margins of equation (3).
        contrast, repeat: weights of the contrast and the repeatability loss; the paper has neither.
    """

    positive: float = 0.1
    negative: float = 1.0
    contrast: float = 0.0
    repeat: float = 0.0


@dataclass(frozen=True)
class CorrespondenceConfig:
    """A training file: `landmark-tracker train correspondence FILE`."""

    run: RunConfig
    data: DataConfig
    input: PairInputConfig = field(default_factory=PairInputConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    extent: Extent = field(default_factory=Extent)
    loss: LossConfig = field(default_factory=LossConfig)
    filters: tuple[int, ...] = FILTERS
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4


class CorrespondenceTask:
    """Equations (1) to (3) on simulated pairs. See `Task`.

    Raises:
        InputError: a pattern of the data matches no file.
    """

    method = "correspondence"
    metric = "missed"

    def __init__(self, config: CorrespondenceConfig) -> None:
        self.config = config
        self._training, self._validation = (
            SimulatedPairs(
                read_sources(patterns, config.input, config.data.every),
                config.pairs,
                config.extent,
                config.input.spacing,
            )
            for patterns in (config.data.training, config.data.validation)
        )

    def network(self) -> CorrespondenceNetwork:
        layout = (torch.channels_last, torch.channels_last_3d)[self.config.input.dimension - 2]
        network = CorrespondenceNetwork(self.config.input.dimension, self.config.filters)
        return network.to(memory_format=layout)

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(
            network.parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )

    def samples(self) -> SimulatedPairs:
        return self._training

    def loss(self, network: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        fixed, moving = self._features(network, batch)
        weights = self.config.loss
        with torch.autocast(fixed.logits.device.type, enabled=False):
            pairs = self._pairs(network, fixed, moving, batch)
            total = (
                landmark_loss(pairs.fixed, pairs.truth.any(2))
                + landmark_loss(pairs.moving, pairs.truth.any(1))
                + hinge_loss(pairs.distances, pairs.truth, weights.positive, weights.negative)
                + matching_loss(pairs.logits, pairs.truth)
            )
            if weights.contrast:
                total = total + weights.contrast * contrast_loss(pairs.logits, pairs.truth)
            if weights.repeat:
                masks = batch["fixed_mask"], batch["moving_mask"]
                total = total + weights.repeat * repeatability_loss(
                    fixed.logits, moving.logits, batch["origins"], masks
                )
        return total

    def _features(self, network: torch.nn.Module, batch: Mapping[str, Tensor]) -> tuple[Features, Features]:
        """Both images in one pass of the shared branch."""
        both = network(torch.cat([batch["fixed"], batch["moving"]]))
        half = len(batch["fixed"])
        fixed, moving = (
            Features(both.logits[part], (both.coarse[0][part], both.coarse[1][part]))
            for part in (slice(half), slice(half, None))
        )
        return fixed, moving

    def _pairs(
        self, network: torch.nn.Module, fixed: Features, moving: Features, batch: Mapping[str, Tensor]
    ) -> Pairs:
        config = self.config.pairs
        masks = batch["fixed_mask"], batch["moving_mask"]
        return sample_pairs(
            network,  # type: ignore[arg-type]
            fixed,
            moving,
            batch["origins"],
            masks,
            config.count,
            config.cell,
            config.within,
        )

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        """On the same simulated pairs of the validation patients every time.

        matches: mutual best pairs of an image pair, whose landmarks are both probable.
        wrong: share of these beyond the threshold.
        missed: share of the K landmarks that are no right match; what is to be small.
        """
        device = next(network.parameters()).device
        found, right = 0.0, 0.0
        for n in range(VALIDATION_PAIRS):
            sample = self._validation[Draw(n % len(self._validation), (0, 2, n))]
            batch = {key: value[None].to(device) for key, value in sample.items()}
            pairs = self._pairs(network, *self._features(network, batch), batch)
            chosen = mutual_best(pairs.logits) & mutual_best(-pairs.distances)
            chosen &= (pairs.fixed > 0)[:, :, None] & (pairs.moving > 0)[:, None, :]
            found += float(chosen.sum())
            right += float((chosen & pairs.truth).sum())
        count = VALIDATION_PAIRS * pairs.truth.shape[1]
        return {
            "missed": 1 - right / count,
            "matches": found / VALIDATION_PAIRS,
            "wrong": 1 - right / max(found, 1),
        }

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        return {
            "input": asdict(self.config.input),
            "filters": list(self.config.filters),
            "cell": self.config.pairs.cell,
            "validation": dict(metrics),
        }


def mutual_best(scores: Tensor) -> Tensor:
    """(B, K1, K2) whether a pair is the best of its row and of its column."""
    return (scores == scores.amax(1, keepdim=True)) & (scores == scores.amax(2, keepdim=True))
