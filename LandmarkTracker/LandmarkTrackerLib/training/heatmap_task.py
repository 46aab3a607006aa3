"""Train a heatmap network (SCN, Localization U-Net, LA-Net) to detect a set of landmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.heatmap import (
    METHOD,
    Calibration,
    HeatmapConfig,
    NetworkImage,
    locate,
    prepare,
)
from LandmarkTrackerLib.methods.network_grid import InputConfig, intensity_range, oriented
from LandmarkTrackerLib.methods.peaks import Peaks
from LandmarkTrackerLib.networks.heatmap import HeatmapNetwork, NetworkConfig
from LandmarkTrackerLib.training.config import RunConfig
from LandmarkTrackerLib.training.elastic import AugmentationConfig, changed_intensity, cut_away, draw_warp
from LandmarkTrackerLib.training.heatmap_calibration import calibrate
from LandmarkTrackerLib.training.heatmap_loss import heatmap_loss
from LandmarkTrackerLib.training.landmark_data import (
    Annotated,
    DataConfig,
    annotated_images,
    landmark_names,
    split,
)
from LandmarkTrackerLib.training.task import Draw


@dataclass(frozen=True)
class LossConfig:
    """The `[loss]` table. 0 means the paper's value for the dimension.

    Attributes:
        gamma: scale of the targets (100, in 3D 1000).
        alpha: weight of the norm of sigma (20, in 3D 1000).
        sigma: that training starts from, in pixels of the network.
    """

    gamma: float = 0.0
    alpha: float = 0.0
    sigma: float = 2.0


@dataclass(frozen=True)
class OptimiserConfig:
    """The `[optimiser]` table.

    Attributes:
        method: "adamw", or "nesterov" as in the paper (rate 1e-6, momentum 0.99, weight decay 0.0005, batch
            size 1).
        rate: learning rate.
        weight_decay: lambda of equation (2) for "nesterov"; decoupled for "adamw".
        momentum: of "nesterov".
    """

    method: Literal["adamw", "nesterov"] = "adamw"
    rate: float = 1e-3
    weight_decay: float = 0.0005
    momentum: float = 0.99


@dataclass(frozen=True)
class HeatmapTraining:
    """A training file of `landmark-tracker train scn`."""

    data: DataConfig
    input: InputConfig
    run: RunConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True)
class _Example:
    """An image of the data set in memory; `centres` (N, d) in pixels of the view, NaN where missing."""

    view: NetworkImage
    centres: Array
    known: np.ndarray


class HeatmapTask:
    """Reads and checks everything at once; raises InputError before training starts.

    Args:
        config: the training file.
        training, validation: annotated images; from `config.data` if not given.
    """

    method = METHOD
    metric = "error_mm"

    def __init__(
        self,
        config: HeatmapTraining,
        training: Sequence[Annotated] | None = None,
        validation: Sequence[Annotated] = (),
    ) -> None:
        self.config = config
        if training is None:
            training, validation = split_of(config)
        dimension = config.input.dimension
        names = landmark_names([*training, *validation], config.data.landmarks)
        self.model = HeatmapConfig(
            names, config.network, config.input, config.loss.gamma or (100.0, 1000.0)[dimension - 2]
        )
        self.alpha = config.loss.alpha or (20.0, 1000.0)[dimension - 2]
        self._require_size()
        images = [item.read(Grid.of(training[0].read())) for item in training]
        if config.input.intensity == "dataset":
            ranges = np.array([intensity_range(image, config.input) for image in images])
            self.model = replace(self.model, limits=(float(ranges[:, 0].min()), float(ranges[:, 1].max())))
        self.training = self._examples(training, images)
        self.validation = self._examples(validation, [item.read() for item in validation])

    def network(self) -> HeatmapNetwork:
        return HeatmapNetwork(
            self.config.network, self.config.input.dimension, len(self.model.names), self.config.loss.sigma
        )

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """Weight decay is for the weights w of equation (2), not for biases and sigma."""
        config = self.config.optimiser
        weights = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]

        def groups(decay: float) -> list[dict[str, Any]]:
            return [{"params": weights, "weight_decay": decay}, {"params": others}]

        if config.method == "adamw":
            return torch.optim.AdamW(groups(config.weight_decay), lr=config.rate, weight_decay=0.0)
        # The gradient of lambda |w|^2 is 2 lambda w.
        decay = groups(2 * config.weight_decay)
        return torch.optim.SGD(decay, lr=config.rate, momentum=config.momentum, nesterov=True)

    def samples(self) -> HeatmapSamples:
        return HeatmapSamples(self.training, self.config.augmentation, self.config.input)

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        image, centres, known = batch
        heatmaps, sigma = network(image)
        return heatmap_loss(heatmaps, centres, known, sigma, self.model.gamma, self.alpha)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Point-to-point errors (mm) of all peaks, and what they teach about heights and widths."""
        assert isinstance(network, HeatmapNetwork)
        rng = np.random.default_rng(0)
        errors, sigmas, heights, absent = [], [], [], []
        for example in self.validation:
            peaks = locate(network, example.view, self.model)
            there = example.known & np.isfinite(example.centres).all(axis=1)
            distance = np.linalg.norm(peaks.index - example.centres, axis=1)[there]
            errors.append(distance * example.view.grid.spacing[0])
            sigmas.append(peaks.sigma[there] * example.view.grid.spacing[0])
            heights.append(peaks.height[there])
            absent.append(self._heights_where_absent(network, example, rng))
        error = np.concatenate(errors)
        calibration = calibrate(
            error, np.concatenate(sigmas), np.concatenate(heights), np.concatenate(absent)
        )
        return {
            "error_mm": float(error.mean()),
            "median_mm": float(np.median(error)),
            "sigma_px": float(network.log_sigma.exp().mean()),
            "min_height": calibration.min_height,
            "sigma_scale": calibration.sigma_scale,
        }

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        calibration = Calibration(metrics["min_height"], metrics["sigma_scale"])
        return replace(self.model, calibration=calibration).to_dict()

    def _heights_where_absent(
        self, network: HeatmapNetwork, example: _Example, rng: np.random.Generator
    ) -> Array:
        """Peak heights of landmarks in a part of the image that was taken away."""
        centres = example.centres[np.isfinite(example.centres).all(axis=1)]
        if not len(centres):
            return locate(network, example.view, self.model).height[example.known]
        image = torch.from_numpy(example.view.pixels)[None]
        image, _ = cut_away(rng, image, centres)
        peaks: Peaks = locate(network, NetworkImage(image[0].numpy(), example.view.grid), self.model)
        return peaks.height[_blank(image[0].numpy(), example.centres) & example.known]

    def _require_size(self) -> None:
        multiple = self.network().multiple
        for size in self.config.input.size:
            if size % multiple:
                raise InputError(
                    f"size = {list(self.config.input.size)} must be multiples of {multiple} for this network"
                )

    def _examples(self, items: Sequence[Annotated], images: Sequence[Any]) -> list[_Example]:
        examples = []
        reference: Array | None = None
        for item, image in zip(items, images, strict=True):
            try:
                views = prepare(oriented(image, self.config.input.dimension), self.model)
            except InputError as error:
                raise InputError(f"{item.path}: {error}") from error
            landmarks = item.landmarks.select(self.model.names)
            centres = [view.grid.to_index(landmarks.positions) for view in views]
            # Which way round an aligned volume lies is free: all take the way of the first.
            reference = centres[0] if reference is None else reference
            best = int(np.argmin([_apart(c, reference) for c in centres]))
            known = np.array([name in item.landmarks for name in self.model.names])
            examples.append(_Example(views[best], centres[best][:, : self.config.input.dimension], known))
        return examples


class HeatmapSamples:
    """Augmented images with the landmarks where the augmentation has taken them."""

    def __init__(
        self, examples: Sequence[_Example], augmentation: AugmentationConfig, config: InputConfig
    ) -> None:
        self.examples, self.augmentation, self.size = examples, augmentation, config.size

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Image (1, *spatial), centres (N, d) in its pixels with NaN where absent, known (N,)."""
        example, rng = self.examples[draw.row], draw.rng
        warp = draw_warp(rng, self.augmentation, example.view.pixels.shape, self.size)
        image = warp.image(example.view.pixels)
        there = np.isfinite(example.centres).all(axis=1)
        centres = np.full_like(example.centres, np.nan)
        centres[there] = warp.to_output(example.centres[there])
        if there.any() and rng.random() < self.augmentation.cut:
            image, gone = cut_away(rng, image, centres[there])
            centres[np.flatnonzero(there)[gone]] = np.nan
        image = changed_intensity(rng, self.augmentation, image)
        return image, torch.from_numpy(centres).float(), torch.from_numpy(example.known).float()


def split_of(config: HeatmapTraining) -> tuple[list[Annotated], list[Annotated]]:
    """Training and validation images as the `[data]` table has them."""
    data = annotated_images(Path(config.data.folder), config.data.subject_until)
    return split(
        [item for item in data if item.subject not in config.data.held_out],
        config.data.validation,
        config.run.seed,
    )


def _apart(centres: Array, reference: Array) -> float:
    """Mean squared distance (pixels) of the landmarks that both have, each about its own middle."""
    both = np.isfinite(centres).all(axis=1) & np.isfinite(reference).all(axis=1)
    if not both.any():
        return np.inf
    difference = centres[both] - reference[both]
    return float(((difference - difference.mean(axis=0)) ** 2).mean())


def _blank(image: np.ndarray, centres: Array) -> np.ndarray:
    """(N,) whether the pixel at each centre (N, d) was taken away; False where there is no centre."""
    blank = np.zeros(len(centres), dtype=bool)
    there = np.isfinite(centres).all(axis=1)
    index = np.clip(np.rint(centres[there]).astype(int), 0, np.array(image.shape[::-1]) - 1)
    blank[there] = image[tuple(index.T[::-1])] <= -1
    return blank
