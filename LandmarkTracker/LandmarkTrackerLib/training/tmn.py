"""The task of the template matching network: find a patch in the image that it was cut from.

Frueh et al. 2022, section II.B. No label is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.networks.tmn import VERSION, Tmn
from LandmarkTrackerLib.training.data import read_split
from LandmarkTrackerLib.training.losses import LOSSES
from LandmarkTrackerLib.training.tmn_data import VALIDATION_PATCHES, TmnConfig, TmnSamples, pictures
from LandmarkTrackerLib.training.tmn_metrics import all_metrics
from LandmarkTrackerLib.weights import Model


class TmnTask:
    """See `training.task.Task`."""

    method, metric = "tmn", "error_px"

    def __init__(self, config: TmnConfig) -> None:
        self.config = config
        self.field = config.input.field
        parts = read_split(config.data, config.split, self.field, seed=config.run.seed)
        learning = config.learning
        self.training = TmnSamples(parts["train"], config, learning.patches)
        self.validation = TmnSamples(parts["validation"], config, VALIDATION_PATCHES)

    def network(self) -> Tmn:
        return Tmn(size=self.field.size, **asdict(self.config.network))

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        learning = self.config.learning
        return torch.optim.AdamW(network.parameters(), lr=learning.rate, weight_decay=learning.weight_decay)

    def samples(self) -> TmnSamples:
        return self.training

    def loss(self, network: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
        found, log_sigma = network(*pictures(batch, self.config.network.patch))
        return LOSSES[self.config.learning.loss](found, log_sigma, batch["targets"])

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        return all_metrics(network, self.validation)

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        network = asdict(self.config.network) | {"size": self.field.size, "pretrained": False}
        return {
            "version": VERSION,
            "network": network,
            "spacing_mm": self.field.spacing,
            "fit": self.field.fit,
            "sigma_factor": metrics["sigma_factor"],
            "following_sigma_factor": metrics["following_sigma_factor"],
            "max_sigma_mm": self.config.learning.max_sigma_mm,
        }


def test_metrics(config: TmnConfig, model: Model) -> dict[str, float]:
    """`all_metrics` of a trained model on the test patients of its training file.

    Raises:
        InputError: the training file names no test subjects.
    """
    if not config.split.test:
        raise InputError("the [split] table names no test subjects")
    network = Tmn.of(model.config)
    network.load_state_dict(dict(model.state))
    network.eval()
    parts = read_split(config.data, config.split, config.input.field, ("test",), config.run.seed)
    samples = TmnSamples(parts["test"], config, VALIDATION_PATCHES)
    with torch.inference_mode():
        return all_metrics(network, samples, model)
