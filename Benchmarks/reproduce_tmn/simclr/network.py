"""SimCLR: an encoder for which two variations of a picture are alike. Frueh et al. 2022, section III.D.2."""

from __future__ import annotations

from LandmarkTrackerLib.networks.encoders import EncoderName, make_encoder
from torch import Tensor, nn
from torch.nn.functional import normalize

# What the contrast is measured in, as SimCLR has it; thrown away afterwards.
PROJECTED = 128


class SimClr(nn.Module):
    """An encoder, a feature vector, and the projection that is needed for training only.

    Args:
        encoder: which.
        size: columns and rows of the pictures.
        width: length of the feature vector.
    """

    def __init__(self, encoder: EncoderName, size: tuple[int, int], width: int = 1024) -> None:
        super().__init__()
        self.encoder, features = make_encoder(encoder, (size[1], size[0]))
        self.feature = nn.Linear(features, width)
        self.projection = nn.Sequential(nn.ReLU(), nn.Linear(width, PROJECTED))

    def forward(self, pictures: Tensor) -> Tensor:
        """(M, 1, rows, columns) of brightness 0 to 1 to (M, 128) of length 1."""
        return normalize(self.projection(self.feature(self.encoder(pictures))), dim=1)

    def describe(self, pictures: Tensor) -> Tensor:
        """(M, 1, rows, columns) to the features (M, width) of length 1 that equation 5 compares."""
        return normalize(self.feature(self.encoder(pictures)), dim=1)
