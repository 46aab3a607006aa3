"""Train a heatmap network (SCN, Localization U-Net, LA-Net) to detect a set of landmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.annotated import Annotated, landmark_names
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.heatmap.detector import (
    METHOD,
    Calibration,
    HeatmapConfig,
    NetworkImage,
    locate,
    toned,
)
from LandmarkTrackerLib.methods.heatmap.histogram import quantiles
from LandmarkTrackerLib.methods.network_grid import intensity_range
from LandmarkTrackerLib.networks.heatmap import HeatmapNetwork
from LandmarkTrackerLib.networks.scn import SpatialConfigurationNet
from LandmarkTrackerLib.simulation.appearance import cut_away
from LandmarkTrackerLib.training.data import announced, split_annotated, wanted_landmarks
from LandmarkTrackerLib.training.heatmap_calibration import calibrate
from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining
from LandmarkTrackerLib.training.heatmap_loss import heatmap_loss
from LandmarkTrackerLib.training.heatmap_samples import Example, HeatmapSamples, read_examples
from LandmarkTrackerLib.weights import pick_device


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
            parts = split_annotated(config.data, config.split, seed=config.run.seed)
            training, validation = parts["train"], parts["validation"]
        dimension = config.input.dimension
        names = landmark_names([*training, *validation], wanted_landmarks(config.data))
        self.model = HeatmapConfig(
            names, config.network, config.input, config.learning.gamma or (100.0, 1000.0)[dimension - 2]
        )
        self.alpha = config.learning.alpha or (20.0, 1000.0)[dimension - 2]
        self._require_size()
        _require_shown(names, training, validation)
        if config.input.intensity == "matched":
            self.model = replace(self.model, reference=quantiles(training[0].read()))
        if config.input.intensity != "image":
            images = (toned(item.read(), self.model) for item in announced(training))
            ranges = np.array([intensity_range(image, config.input) for image in images])
            self.model = replace(self.model, limits=(float(ranges[:, 0].min()), float(ranges[:, 1].max())))
        first = Grid.of(training[0].read())
        self.training = read_examples(training, self.model, first)
        self.validation = read_examples(validation, self.model, first)

    def network(self) -> HeatmapNetwork:
        config, count = self.config, len(self.model.names)
        network = HeatmapNetwork(config.network, config.input.dimension, count, config.learning.sigma)
        network.log_sigma.requires_grad_(config.learning.learn_sigma)
        return network

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """Weight decay is for the weights w of equation (2), not for biases and sigma."""
        config = self.config.learning
        weights = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1 and p.requires_grad]

        def groups(decay: float) -> list[dict[str, Any]]:
            return [{"params": weights, "weight_decay": decay}, {"params": others}]

        if config.optimiser == "adamw":
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
        self, network: HeatmapNetwork, example: Example, rng: np.random.Generator
    ) -> Array:
        """Peak heights of landmarks in a part of the image that was taken away."""
        centres = example.centres[np.isfinite(example.centres).all(axis=1)]
        if not len(centres):
            return locate(network, example.view, self.model).height[example.known]
        image = torch.from_numpy(example.view.pixels)[None]
        image, _ = cut_away(rng, image, centres)
        peaks = locate(network, NetworkImage(image[0].numpy(), example.view.grid), self.model)
        return peaks.height[_blank(image[0].numpy(), example.centres) & example.known]

    def _require_size(self) -> None:
        network, size = self.network(), self.config.input.size
        if any(length % network.multiple for length in size):
            raise InputError(f"size = {list(size)} must be multiples of {network.multiple} for this network")
        body, run = network.body, self.config.run
        if not isinstance(body, SpatialConfigurationNet) or run.precision == "32-true":
            return
        # torch's CPU kernels return gradients that are no numbers where a kernel is longer than the image.
        coarse, kernel = min(size) // body.configuration.factor, body.configuration.kernel
        if len(size) == 3 and coarse < kernel and pick_device(run.device) == "cpu":
            raise InputError(
                f"precision = '{run.precision}' fails on the CPU for volumes this small; use precision = "
                f"'32-true', or a size of at least {kernel * body.configuration.factor} along every axis"
            )


def _require_shown(
    names: Sequence[str], training: Sequence[Annotated], validation: Sequence[Annotated]
) -> None:
    """Every landmark is there to be learned, and something to be validated on."""
    shown = {name for item in training for name in item.landmarks.only_defined().names}
    for name in names:
        if name not in shown:
            raise InputError(
                f"no training image shows landmark '{name}'; annotate it in images of more subjects, "
                "or list the others in [data] landmarks"
            )
    if not any(item.landmarks.select(names).defined.any() for item in validation):
        raise InputError("no validation image shows any landmark; annotate images of more subjects")


def _blank(image: np.ndarray, centres: Array) -> np.ndarray:
    """(N,) whether the pixel at each centre (N, d) was taken away; False where there is no centre."""
    blank = np.zeros(len(centres), dtype=bool)
    there = np.isfinite(centres).all(axis=1)
    index = np.clip(np.rint(centres[there]).astype(int), 0, np.array(image.shape[::-1]) - 1)
    blank[there] = image[tuple(index.T[::-1])] <= -1
    return blank
