"""The template matching network of Frueh et al. 2022, section II.B: where in the image is this patch?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from LandmarkTrackerLib.networks.encoders import EncoderName, make_encoder

# Of the configuration in model files.
VERSION = 2


class Tmn(nn.Module):
    """Two encoders that share no weights, and a perceptron on both feature vectors together.

    The first fully connected layer acts on the stacked vectors (image, patch). It is computed as the sum of
    its two halves, which is the same, so that an image is encoded once for all patches that are sought in it
    and a patch once for all images.

    Layers are counted as Table 3 of the paper counts them, the four linear outputs included: its "single
    linear layer" has no hidden neurons, and its "three fully connected layers with four linear outputs" are
    two hidden layers and the outputs.

    Args:
        size: columns, rows of the image, in pixels.
        patch: side of the square patch, in pixels of the image.
        encoder: see `encoders`.
        layers: fully connected layers, the last of which gives the four outputs.
        width: neurons of the others, each followed by ReLU and dropout; 4096 in the paper.
        dropout: share of them that is silent in training.
        pretrained: start the encoders from ImageNet weights, where they can be had.
    """

    half_size: Tensor

    def __init__(
        self,
        size: tuple[int, int],
        patch: int,
        encoder: EncoderName = "light",
        layers: int = 3,
        width: int = 4096,
        dropout: float = 0.1,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        columns, rows = size
        self.image_encoder, image_features = make_encoder(encoder, (rows, columns), pretrained)
        self.patch_encoder, patch_features = make_encoder(encoder, (patch, patch), pretrained)
        first = width if layers > 1 else 4
        self.from_image = nn.Linear(image_features, first)
        self.from_patch = nn.Linear(patch_features, first, bias=False)
        # As one layer on the stacked vectors would be initialised.
        bound = 1 / math.sqrt(image_features + patch_features)
        for weights in (self.from_image.weight, self.from_image.bias, self.from_patch.weight):
            nn.init.uniform_(weights, -bound, bound)
        rest: list[nn.Module] = []
        if layers > 1:
            rest = [nn.ReLU(), nn.Dropout(dropout)]
            for _ in range(layers - 2):
                rest += [nn.Linear(width, width), nn.ReLU(inplace=True), nn.Dropout(dropout)]
            rest.append(nn.Linear(width, 4))
        self.rest = nn.Sequential(*rest)
        half = torch.tensor([columns / 2, rows / 2])
        self.register_buffer("half_size", half, persistent=False)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Tmn:
        """The network of a model file's configuration. Before version 2, `layers` left out the outputs."""
        network = dict(config["network"])
        if config.get("version", 1) < VERSION:
            network["layers"] += 1
        return cls(**network)

    def encode_image(self, image: Tensor) -> Tensor:
        """(B, 1, H, W) brightness 0 to 1 to the image's half (B, width) of the first layer."""
        encoded: Tensor = self.from_image(self.image_encoder(image))
        return encoded

    def encode_patch(self, patch: Tensor) -> Tensor:
        """(N, 1, P, P) to the patch's half (N, width) of the first layer."""
        encoded: Tensor = self.from_patch(self.patch_encoder(patch))
        return encoded

    def match(self, image: Tensor, patch: Tensor) -> tuple[Tensor, Tensor]:
        """Encoded image and patches (..., width), broadcast, to the centre and ln sigma, both (..., 2).

        Pixels of the image along columns and rows, counted from the centre of the first pixel. Predicting the
        logarithm keeps sigma positive.
        """
        out = self.rest(image + patch).float()
        centre = (out[..., :2] + 1) * self.half_size - 0.5
        return centre, out[..., 2:] + self.half_size.log()

    def forward(self, image: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, H, W) and (B, K, P, P), K patches an image, to centres and ln sigma, both (B, K, 2)."""
        encoded = self.encode_patch(patches.flatten(0, 1)[:, None]).unflatten(0, patches.shape[:2])
        return self.match(self.encode_image(image)[:, None], encoded)
