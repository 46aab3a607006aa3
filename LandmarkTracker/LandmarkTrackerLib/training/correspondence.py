"""Training of the correspondence network without any label: two views of one image, their relation known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig
from LandmarkTrackerLib.networks.correspondence import FILTERS, CorrespondenceNetwork, Features
from LandmarkTrackerLib.simulation.scans import Extent
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.correspondence_loss import (
    Pairs,
    contrast_loss,
    hinge_loss,
    landmark_loss,
    matching_loss,
    repeatability_loss,
    sample_pairs,
)
from LandmarkTrackerLib.training.correspondence_samples import PairsConfig, SimulatedPairs, read_sources
from LandmarkTrackerLib.training.data import TRAINED, split_items
from LandmarkTrackerLib.training.task import Draw

VALIDATION_PAIRS = 24
MARGINS = 0.1, 1.0  # of equation (3), for pairs that match and for those that do not


@dataclass(frozen=True)
class ViewConfig:
    """The `[input]` table.

    Attributes:
        size: pixels of either image along i, j (slices) or i, j, k (volumes), the same along every axis.
        whole: the whole slice or volume, centred in `size`, as in the paper; otherwise a part of that size
            anywhere in the body.
        spacing: mm of the network's pixels, the same along every axis.
        intensity: see `PairInputConfig`.
    """

    size: tuple[int, ...] = (192, 192)
    spacing: float = 1.0
    intensity: Literal["ct", "image"] = "ct"
    whole: bool = False

    def __post_init__(self) -> None:
        if len(self.size) not in (2, 3) or len(set(self.size)) > 1 or self.size[0] < 16:
            raise InputError(f"size = {list(self.size)} must be 2 or 3 equal numbers of at least 16")
        if not self.spacing > 0:
            raise InputError(f"spacing = {self.spacing} must be above 0")

    @property
    def network(self) -> PairInputConfig:
        dimension: Literal[2, 3] = 2 if len(self.size) == 2 else 3
        return PairInputConfig(dimension, self.spacing, self.intensity)


@dataclass(frozen=True)
class NetworkConfig:
    """The `[network]` table: `filters` of the levels from fine to coarse; see `CorrespondenceNetwork`."""

    filters: tuple[int, ...] = FILTERS
    normalise: bool = True
    transposed: bool = False


@dataclass(frozen=True)
class AugmentationConfig(Extent):
    """The `[augmentation]` table: how far the two images of a pair differ, see `Extent`, and how.

    Attributes:
        brightness, contrast: jitter of the grey values, which go from 0 to 1, to both sides.
        noise: largest SD of Gaussian noise, another one in each image; the paper has none.
        single: one change a pair, grey values, affine or elastic, of the moving image alone, as in the paper;
            otherwise grey values change in both images, and affine and elastic maps may come together.
        pose: also turn both images by right angles, mirror and scale them, which the paper does not.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    noise: float = 0.03
    single: bool = False
    pose: bool = True


@dataclass(frozen=True)
class LearningConfig:
    """The `[learning]` table.

    Attributes:
        rate, weight_decay: of Adam.
        count: K landmarks sampled in each image.
        cell: at most one landmark in each cell of this many pixels along each axis.
        apart: when images are matched by consistency alone, pixels within which only the most probable
            landmark counts; 0 takes every pixel above the threshold, as the paper does.
        contrast, repeat: weights of the contrast and the repeatability loss; the paper has neither.
    """

    rate: float = 1e-3
    weight_decay: float = 1e-4
    count: int = 400
    cell: int = 8
    apart: int = 2
    contrast: float = 0.0
    repeat: float = 0.0


@dataclass(frozen=True)
class CorrespondenceConfig:
    """A training file: `landmark-tracker train correspondence FILE`."""

    run: RunConfig
    data: tuple[DataConfig, ...]
    split: SplitConfig = field(default_factory=SplitConfig)
    input: ViewConfig = field(default_factory=ViewConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    learning: LearningConfig = field(default_factory=LearningConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)


class CorrespondenceTask:
    """Equations (1) to (3) on simulated pairs. See `Task`.

    Raises:
        InputError: the data cannot be used.
    """

    method = "correspondence"
    metric = "missed"

    def __init__(self, config: CorrespondenceConfig) -> None:
        self.config, self.input = config, config.input.network
        learning, changes = config.learning, config.augmentation
        self.pairs = PairsConfig(
            config.input.size[0],
            learning.count,
            learning.cell,
            brightness=changes.brightness,
            contrast=changes.contrast,
            noise=changes.noise,
            single=changes.single,
            pose=changes.pose,
            whole=config.input.whole,
        )
        items = split_items(config.data, config.split, seed=config.run.seed)
        self._training, self._validation = (
            SimulatedPairs(
                read_sources([item for item in items if item.part == part], self.input, config.input.whole),
                self.pairs,
                config.augmentation,
                self.input.spacing,
            )
            for part in TRAINED
        )

    def network(self) -> CorrespondenceNetwork:
        layout = (torch.channels_last, torch.channels_last_3d)[self.input.dimension - 2]
        network = CorrespondenceNetwork(self.input.dimension, **asdict(self.config.network))
        return network.to(memory_format=layout)

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        learning = self.config.learning
        return torch.optim.Adam(network.parameters(), lr=learning.rate, weight_decay=learning.weight_decay)

    def samples(self) -> SimulatedPairs:
        return self._training

    def loss(self, network: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        fixed, moving = self._features(network, batch)
        weights = self.config.learning
        with torch.autocast(fixed.logits.device.type, enabled=False):
            pairs = self._pairs(network, fixed, moving, batch)
            total = (
                landmark_loss(pairs.fixed, pairs.truth.any(2))
                + landmark_loss(pairs.moving, pairs.truth.any(1))
                + hinge_loss(pairs.distances, pairs.truth, *MARGINS)
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
        config = self.pairs
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
            "input": asdict(self.input),
            "filters": list(self.config.network.filters),
            "normalise": self.config.network.normalise,
            "transposed": self.config.network.transposed,
            "cell": self.pairs.cell,
            "apart": self.config.learning.apart,
            "validation": dict(metrics),
        }


def mutual_best(scores: Tensor) -> Tensor:
    """(B, K1, K2) whether a pair is the best of its row and of its column."""
    return (scores == scores.amax(1, keepdim=True)) & (scores == scores.amax(2, keepdim=True))
