"""Train an encoder without labels by contrast: two variations of one picture are alike, all others are not.

SimCLR as Frueh et al. 2022 use it (sections III.D.2 and III.D.3): on patches, for `simclr/locator.py`; or on
whole images, for `regression/training.py` to start from. Nothing is mirrored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

import numpy as np
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.networks.encoders import EncoderName
from LandmarkTrackerLib.networks.sampling import cut, warp
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.data import FieldImages, read_split
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import IMAGE, PATCH, FieldConfig
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reproduce_tmn.simclr.locator import METHOD
from reproduce_tmn.simclr.network import SimClr


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`.

    Attributes:
        encoder: which.
        patch: side of the patches, 32 to 80 pixels; 0 trains on whole images.
        width: length of the feature vector.
    """

    encoder: EncoderName = "resnet50"
    patch: int = 32
    width: int = 1024

    def __post_init__(self) -> None:
        if self.patch and not 32 <= self.patch <= 80:
            raise InputError(f"patch = {self.patch} must be 32 to 80 pixels, or 0 for whole images")


@dataclass(frozen=True)
class LearningConfig:
    """`[learning]`.

    Attributes:
        rate, weight_decay: of Adam.
        temperature: of the contrast.
        patches: from each image of the batch.
    """

    rate: float = 1e-3
    weight_decay: float = 1e-6
    temperature: float = 0.5
    patches: int = 16


@dataclass(frozen=True)
class SimClrConfig:
    """A training file of `python Benchmarks/reproduce_tmn train simclr`."""

    run: RunConfig
    data: tuple[DataConfig, ...]
    input: FieldConfig
    split: SplitConfig = default(default_factory=SplitConfig)
    network: NetworkConfig = NetworkConfig()
    learning: LearningConfig = LearningConfig()


class SimClrSamples:
    """Images and two ways to vary each of their patches, or each of them as a whole."""

    def __init__(self, images: FieldImages, config: SimClrConfig) -> None:
        self.images, self.config = images, config

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """image (rows, columns) uint8, centres (K, 2); affines (2, 2, 3), linears (2, K, 2, 2), gammas (2, K)
        of both variations."""
        rng, size, count = draw.rng, self.config.input.size, self.config.learning.patches
        affines = [IMAGE.draw(rng, size) for _ in range(2)]
        middle, extent = (np.array(size) - 1) / 2, self.images.extent[draw.row]
        varied = [[PATCH.draw(rng) for _ in range(count)] for _ in range(2)]
        values = {
            "affines": np.array(affines),
            "centres": middle + rng.uniform(-0.5, 0.5, (count, 2)) * extent,
            "linears": np.array([[linear for linear, _ in view] for view in varied]),
            "gammas": np.array([[gamma for _, gamma in view] for view in varied]),
        }
        image = torch.from_numpy(self.images.brightness[draw.row])
        return {"image": image} | {name: torch.from_numpy(v).float() for name, v in values.items()}


class SimClrTask:
    """See `training.task.Task`."""

    method, metric = METHOD, "contrast"

    def __init__(self, config: SimClrConfig) -> None:
        self.config = config
        self.field = config.input.field
        parts = read_split(config.data, config.split, self.field, seed=config.run.seed)
        self.training = SimClrSamples(parts["train"], config)
        self.validation = SimClrSamples(parts["validation"], config)

    def network(self) -> SimClr:
        network = self.config.network
        size = (network.patch, network.patch) if network.patch else self.field.size
        return SimClr(network.encoder, size, network.width)

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        learning = self.config.learning
        return torch.optim.Adam(network.parameters(), lr=learning.rate, weight_decay=learning.weight_decay)

    def samples(self) -> SimClrSamples:
        return self.training

    def loss(self, network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        first, second = self._pictures(batch)
        features = network(torch.cat([first, second])[:, None])
        return contrast(features, self.config.learning.temperature)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """The loss on the validation patients, all of whose pictures are told from each other."""
        device = next(network.parameters()).device
        samples = [self.validation[Draw(row, (0, row))] for row in range(len(self.validation))]
        batch = {name: torch.stack([s[name] for s in samples]).to(device) for name in samples[0]}
        return {"contrast": float(self.loss(network, batch))}

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        network = self.config.network
        return {
            "encoder": network.encoder,
            "patch": network.patch,
            "width": network.width,
            "size": self.field.size,
            "spacing_mm": self.field.spacing,
            "fit": self.field.fit,
        }

    def _pictures(self, batch: dict[str, Tensor]) -> list[Tensor]:
        """Both variations (M, rows, columns) of the same M pictures."""
        images, patch = batch["image"].float() / 255, self.config.network.patch
        if not patch:
            gammas = batch["gammas"][:, :, :1, None]
            return [warp(images, batch["affines"][:, n]).clamp(min=0) ** gammas[:, n] for n in range(2)]
        return [
            cut(images, batch["centres"], batch["linears"][:, n], batch["gammas"][:, n], patch).flatten(0, 1)
            for n in range(2)
        ]


def contrast(features: Tensor, temperature: float) -> Tensor:
    """NT-Xent: how badly each picture's other variation is told from all other pictures.

    Args:
        features: (2 M, F) of length 1; row n and row n + M belong together.
    """
    count = len(features)
    alike = features @ features.T / temperature
    alike = alike.masked_fill(torch.eye(count, dtype=torch.bool, device=features.device), -torch.inf)
    other = torch.arange(count, device=features.device).roll(count // 2)
    return cross_entropy(alike, other)
