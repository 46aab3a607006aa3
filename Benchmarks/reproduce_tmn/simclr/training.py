"""Train an encoder without labels by contrast: two variations of one picture are alike, all others are not.

SimCLR as Frueh et al. 2022 use it (sections III.D.2 and III.D.3): on patches, for `simclr/locator.py`; or on
whole images, for `regression/training.py` to start from. The augmentation is SimCLR's, without its flip.
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
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig, require_at_least
from LandmarkTrackerLib.training.data import FieldImages, read_split
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import FieldConfig
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reproduce_tmn.simclr.augmentation import Crop, draw_look, looked
from reproduce_tmn.simclr.locator import METHOD
from reproduce_tmn.simclr.network import SimClr


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`.

    Attributes:
        encoder: which.
        patch: side of the patches, 32 to 80 pixels; 0 trains on whole images.
        width: length of the feature vector.
        step: pixels from one patch to the next that is compared when a landmark is sought; 1 compares all.
    """

    encoder: EncoderName = "resnet50"
    patch: int = 32
    width: int = 1024
    step: int = 1

    def __post_init__(self) -> None:
        if self.patch and not 32 <= self.patch <= 80:
            raise InputError(f"patch = {self.patch} must be 32 to 80 pixels, or 0 for whole images")
        require_at_least(self, 1, "width", "step")


@dataclass(frozen=True)
class LearningConfig:
    """`[learning]`.

    Attributes:
        rate, weight_decay: of Adam.
        temperature: of the contrast; 0.1 is the best of SimCLR's Table 5.
        patches: from each image of the batch.
    """

    rate: float = 1e-3
    weight_decay: float = 1e-6
    temperature: float = 0.1
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
        """image (rows, columns) uint8; centres (2, K, 2), linears (2, K, 2, 2) and looks (2, K, 3) of both
        variations. The picture of a whole image is the one patch that it is."""
        rng, size, patch = draw.rng, np.array(self.config.input.size), self.config.network.patch
        count = self.config.learning.patches if patch else 1
        extent = self.images.extent[draw.row] if patch else np.zeros(2)
        sides = np.full(2, patch) if patch else size
        places = (size - 1) / 2 + rng.uniform(-0.5, 0.5, (count, 2)) * extent
        crops = [[Crop.draw(rng) for _ in places] for _ in range(2)]
        values = {
            "centres": np.array([places + [crop.off * sides for crop in view] for view in crops]),
            "linears": np.array([[crop.linear for crop in view] for view in crops]),
            "looks": np.array([[draw_look(rng) for _ in places] for _ in range(2)]),
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
            "step": network.step,
            "size": self.field.size,
            "spacing_mm": self.field.spacing,
            "fit": self.field.fit,
        }

    def _pictures(self, batch: dict[str, Tensor]) -> list[Tensor]:
        """Both variations (M, rows, columns) of the same M pictures."""
        images, patch = batch["image"].float() / 255, self.config.network.patch
        middle = (torch.tensor(self.field.size, device=images.device) - 1) / 2
        views = []
        for n in range(2):
            centres, linears, looks = (batch[name][:, n] for name in ("centres", "linears", "looks"))
            if patch:
                pictures = cut(images, centres, linears, torch.ones_like(looks[..., 0]), patch).flatten(0, 1)
            else:
                shift = middle - (linears[:, 0] @ centres[:, 0, :, None])[..., 0]
                pictures = warp(images, torch.cat([linears[:, 0], shift[..., None]], dim=2))
            views.append(looked(pictures, looks.flatten(0, 1)))
        return views


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
