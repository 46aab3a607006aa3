"""Train a network to regress all coordinates of a slice at once.

Frueh et al. 2022, sections III.D.1 and III.D.3, as baselines: supervised, from ImageNet weights or from those
of an encoder that SimCLR trained without labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

import numpy as np
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.annotated import Annotated, landmark_names
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.networks.encoders import EncoderName
from LandmarkTrackerLib.networks.sampling import warp
from LandmarkTrackerLib.simulation.augmentation import ImageAugmentation, moved
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.data import split_annotated, wanted_landmarks
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import FieldConfig
from LandmarkTrackerLib.weights import load_model
from torch import Tensor, nn

from reproduce_tmn.regression.detector import METHOD
from reproduce_tmn.regression.network import Regression


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`.

    Attributes:
        encoder: which.
        pretrained: "imagenet" (not for "light"), "none", or a model file whose encoder training starts from.
    """

    encoder: EncoderName = "resnet50"
    pretrained: str = "imagenet"


@dataclass(frozen=True)
class LearningConfig:
    """`[learning]`: `rate` of Adam, where the schedule starts."""

    rate: float = 1e-4


@dataclass(frozen=True)
class RegressionConfig:
    """A training file of `python Benchmarks/reproduce_tmn train regression`."""

    run: RunConfig
    data: tuple[DataConfig, ...]
    input: FieldConfig
    split: SplitConfig = default(default_factory=SplitConfig)
    network: NetworkConfig = NetworkConfig()
    learning: LearningConfig = LearningConfig()
    augmentation: ImageAugmentation = default(default_factory=ImageAugmentation)


@dataclass(frozen=True)
class Example:
    """A slice as the field shows it.

    Attributes:
        brightness: (rows, columns) 0 to 1.
        points: (N, 2) field points; NaN where the landmark is not annotated.
        pitch: mm a pixel.
    """

    brightness: np.ndarray
    points: Array
    pitch: float


class RegressionSamples:
    """Varied images with the landmarks where the variation has taken them."""

    def __init__(self, examples: Sequence[Example], augmentation: ImageAugmentation) -> None:
        self.examples, self.augmentation = examples, augmentation

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Image (rows, columns), affine (2, 3) that it is to be varied by, points (N, 2) after that."""
        example = self.examples[draw.row]
        rows, columns = example.brightness.shape
        affine = self.augmentation.draw(draw.rng, (columns, rows))
        points = moved(example.points, affine)
        return (
            torch.from_numpy(example.brightness),
            torch.from_numpy(affine).float(),
            torch.from_numpy(points).float(),
        )


class RegressionTask:
    """See `training.task.Task`.

    Args:
        config: the training file.
        training, validation: annotated images; from `config.data` if not given.
    """

    method, metric = METHOD, "error_px"

    def __init__(
        self,
        config: RegressionConfig,
        training: Sequence[Annotated] | None = None,
        validation: Sequence[Annotated] = (),
    ) -> None:
        self.config = config
        self.field = config.input.field
        if training is None:
            parts = split_annotated(config.data, config.split, seed=config.run.seed)
            training, validation = parts["train"], parts["validation"]
        self.names = landmark_names([*training, *validation], wanted_landmarks(config.data))
        like = Grid.of(training[0].read())
        self.training, self.validation = (
            [self._example(item, like) for item in part] for part in (training, validation)
        )
        shown = np.isfinite([example.points for example in self.training]).any(axis=(0, 2))
        if not shown.all():
            raise InputError(
                f"no training image shows landmark '{self.names[int(shown.argmin())]}'; annotate it in "
                "images of more subjects, or list the others in [data] landmarks"
            )
        if not any(np.isfinite(example.points).any() for example in self.validation):
            raise InputError("no validation image shows any landmark; annotate images of more subjects")

    def network(self) -> Regression:
        encoder, start = self.config.network.encoder, self.config.network.pretrained
        network = Regression(encoder, self.field.size, len(self.names), start == "imagenet")
        if start not in ("imagenet", "none"):
            _start_from(network.encoder, start)
        return network

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=self.config.learning.rate)

    def samples(self) -> RegressionSamples:
        return RegressionSamples(self.training, self.config.augmentation)

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Mean squared error in halves of the field; what is not annotated or not shown does not count."""
        images, affines, points = batch
        half = torch.tensor(self.field.size, device=points.device) / 2
        there = ((points >= -0.5) & (points <= 2 * half - 0.5)).all(dim=-1, keepdim=True)
        found = network(warp(images, affines)[:, None])
        squares = ((found - torch.where(there, points, found.detach())) / half) ** 2
        return squares.mean()

    def validate(self, network: nn.Module) -> dict[str, float]:
        device = next(network.parameters()).device
        errors, pitches = [], []
        for example in self.validation:
            found = network(torch.from_numpy(example.brightness)[None, None].to(device))[0].double().cpu()
            off = (found.numpy() - example.points)[np.isfinite(example.points).all(axis=1)]
            errors.append(off)
            pitches.append(np.full(len(off), example.pitch))
        error = np.concatenate(errors)
        distance = np.linalg.norm(error, axis=1)
        millimetres = distance * np.concatenate(pitches)
        return {
            "error_px": float(distance.mean()),
            "error_mm": float(millimetres.mean()),
            "median_mm": float(np.median(millimetres)),
            "sigma_px": float(np.sqrt((error**2).mean())),
        }

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "encoder": self.config.network.encoder,
            "size": self.field.size,
            "spacing_mm": self.field.spacing,
            "fit": self.field.fit,
            "sigma_px": metrics["sigma_px"],
        }

    def _example(self, item: Annotated, like: Grid) -> Example:
        image = item.read(like)
        grid = Grid.of(image)
        try:
            brightness = self.field.show(image)
        except InputError as error:
            raise InputError(f"{item.path}: {error}") from error
        points = self.field.from_index(grid, grid.to_index(item.landmarks.select(self.names).positions))
        return Example(brightness, points, self.field.pitch(grid))


def _start_from(encoder: nn.Module, file: str) -> None:
    """Load the weights that a model file has for its encoder.

    Raises:
        InputError: the file is no model, or its encoder is another.
    """
    prefix = "encoder."
    state = {k.removeprefix(prefix): v for k, v in load_model(file).state.items() if k.startswith(prefix)}
    try:
        encoder.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"the encoder of {file} is not the one of [network] and [input]; train it with the same encoder "
            "and the same size"
        ) from error
