"""All coordinates at once: the supervised baseline of Frueh et al. 2022, section III.D.1."""

from __future__ import annotations

import torch
from LandmarkTrackerLib.networks.encoders import EncoderName, make_encoder
from torch import Tensor, nn


class Regression(nn.Module):
    """An encoder and one linear layer.

    Args:
        encoder: which.
        size: columns and rows of the image.
        landmarks: how many.
        imagenet: start from ImageNet weights where they can be had.
    """

    halves: Tensor

    def __init__(
        self, encoder: EncoderName, size: tuple[int, int], landmarks: int, imagenet: bool = False
    ) -> None:
        super().__init__()
        self.encoder, features = make_encoder(encoder, (size[1], size[0]), imagenet)
        self.head = nn.Linear(features, 2 * landmarks)
        self.register_buffer("halves", torch.tensor(size) / 2, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 1, rows, columns) of brightness 0 to 1 to (B, N, 2) pixels (column, row)."""
        # The head counts in halves of the image from its centre, whatever the image's size.
        relative = self.head(self.encoder(image)).unflatten(1, (-1, 2))
        return relative * self.halves + (self.halves - 0.5)
