"""What the template matching network is trained on: images, and patches of them that are to be found.

The encoder sees each augmented image once for several patches of it, which is what makes training on a CPU
worth while.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as default
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.networks.encoders import EncoderName
from LandmarkTrackerLib.networks.sampling import cut, warp
from LandmarkTrackerLib.simulation.augmentation import ImageAugmentation, PatchAugmentation, moved
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.data import FieldImages
from LandmarkTrackerLib.training.task import Draw

# Darker than this on average, a neighbourhood is air.
AIR = 0.06
# The paper's (section II.C).
IMAGE, PATCH = ImageAugmentation(), PatchAugmentation()
# How many patches are sought in each validation image.
VALIDATION_PATCHES = 32


@dataclass(frozen=True)
class FieldConfig:
    """The `[input]` table: what the network sees of an image; see `field.Field`."""

    size: tuple[int, int]
    spacing: float
    fit: bool = False

    def __post_init__(self) -> None:
        if min(self.size) < 32 or not self.spacing > 0:
            raise InputError("size must be at least 32 x 32 pixels, and spacing above 0")

    @property
    def field(self) -> Field:
        return Field(self.size, self.spacing, self.fit)


@dataclass(frozen=True)
class NetworkConfig:
    """`[network]`: see `networks.tmn.Tmn`."""

    patch: int = 32
    encoder: EncoderName = "light"
    layers: int = 3
    width: int = 4096
    dropout: float = 0.1
    pretrained: bool = True

    def __post_init__(self) -> None:
        if not 32 <= self.patch <= 80:
            raise InputError(f"patch = {self.patch} must be 32 to 80 pixels")
        if not 1 <= self.layers <= 4:
            raise InputError(f"layers = {self.layers} must be 1 to 4")


@dataclass(frozen=True)
class LearningConfig:
    """`[learning]`.

    Attributes:
        loss: equation 2, or its Laplace form.
        rate: of Adam, where the schedule starts.
        weight_decay: of AdamW; 0 is Adam.
        patches: how many are cut from an image of the batch.
        foreground: share of the patches whose centre is not in air.
        local_motion_mm: standard deviation of the local movements that are simulated to calibrate sigma along
            a cine: how much neighbouring organs, or the walls of a heart, move against each other.
        max_sigma_mm: above this the model's answer is not shown.
    """

    loss: Literal["gaussian", "laplace"] = "gaussian"
    rate: float = 1e-4
    weight_decay: float = 0.0
    patches: int = 16
    foreground: float = 0.8
    local_motion_mm: float = 4.0
    max_sigma_mm: float = 12.0


@dataclass(frozen=True)
class TmnConfig:
    """A training file of `landmark-tracker train tmn`."""

    run: RunConfig
    data: tuple[DataConfig, ...]
    input: FieldConfig
    split: SplitConfig = default(default_factory=SplitConfig)
    network: NetworkConfig = NetworkConfig()
    learning: LearningConfig = LearningConfig()


class TmnSamples:
    """Images with the patches that are to be found in them: a pure function of the draw."""

    def __init__(self, images: FieldImages, config: TmnConfig, patches: int) -> None:
        self.images, self.config, self.patches = images, config, patches
        self.air = np.stack([_is_air(brightness) for brightness in images.brightness])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """image (H, W) uint8, affine (2, 3), centres, targets (K, 2), linears (K, 2, 2), gammas (K,)."""
        rng = draw.rng
        affine = IMAGE.draw(rng, self.config.input.size)
        centres = self.centres(draw.row, affine, rng)
        varied = [PATCH.draw(rng) for _ in range(self.patches)]
        return {"image": torch.from_numpy(self.images.brightness[draw.row])} | {
            name: torch.from_numpy(np.asarray(values, dtype=np.float32))
            for name, values in {
                "affine": affine,
                "centres": centres,
                "targets": moved(centres, affine),
                "linears": [linear for linear, _ in varied],
                "gammas": [gamma for _, gamma in varied],
            }.items()
        }

    def centres(self, row: int, affine: Array, rng: np.random.Generator) -> Array:
        """(K, 2) points of the image that the augmented image still shows."""
        size, extent = np.array(self.config.input.size), self.images.extent[row]
        offered = (size - 1) / 2 + rng.uniform(-0.5, 0.5, (16 * self.patches, 2)) * extent
        shown = np.abs(moved(offered, affine) - (size - 1) / 2) <= size / 2
        offered = offered[shown.all(axis=1)]
        column, line = np.clip(np.rint(offered).astype(int), 0, size - 1).T
        air = self.air[row][line, column]
        body = offered[~air][: round(self.config.learning.foreground * self.patches)]
        chosen = np.concatenate([body, offered])[: self.patches]
        if not len(chosen):
            # The crop happens to lie beside a small image.
            chosen = (size - 1)[None] / 2
        return np.resize(chosen, (self.patches, 2))


def _is_air(brightness: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(rows, columns) whether the 9 x 9 neighbourhood of a pixel is dark."""
    picture = torch.from_numpy(brightness)[None, None].float() / 255
    return (avg_pool2d(picture, 9, stride=1, padding=4)[0, 0] < AIR).numpy()


def pictures(batch: dict[str, Tensor], patch: int) -> tuple[Tensor, Tensor]:
    """The augmented images (B, 1, H, W) and patches (B, K, P, P) of a batch of samples.

    Patches come from the image as it was, so an image and its patch are never varied alike.
    """
    images = batch["image"].float() / 255
    patches = cut(images, batch["centres"], batch["linears"], batch["gammas"], patch)
    return warp(images, batch["affine"])[:, None], patches
