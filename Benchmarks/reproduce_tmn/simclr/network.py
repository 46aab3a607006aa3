"""SimCLR: an encoder for which two variations of a picture are alike. Frueh et al. 2022, section III.D.2."""

from __future__ import annotations

from LandmarkTrackerLib.networks.encoders import EncoderName, make_encoder
from torch import Tensor, nn
from torch.nn.functional import normalize

# What the contrast is measured in, as SimCLR has it.
PROJECTED = 128


class SimClr(nn.Module):
    """An encoder, a feature vector, and the projection head that is needed for training only.

    The head is SimCLR's (Chen et al. 2020, section 2.1): one hidden layer as wide as its input, 128 outputs,
    thrown away afterwards. Its input, the representation, is here the paper's feature vector of 1024, one
    linear layer on what the ResNet-50 gives, which is 2048 long.

    Args:
        encoder: which.
        size: columns and rows of the pictures.
        width: length of the feature vector.
    """

    def __init__(self, encoder: EncoderName, size: tuple[int, int], width: int = 1024) -> None:
        super().__init__()
        self.encoder, features = make_encoder(encoder, (size[1], size[0]))
        self.feature = nn.Linear(features, width)
        self.projection = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, PROJECTED))

    def forward(self, pictures: Tensor) -> Tensor:
        """(M, 1, rows, columns) of brightness 0 to 1 to (M, 128) of length 1."""
        return normalize(self.projection(self.feature(self.encoder(pictures))), dim=1)

    def describe(self, pictures: Tensor) -> Tensor:
        """(M, 1, rows, columns) to the features (M, width) of length 1 that equation 5 compares."""
        return normalize(self.feature(self.encoder(pictures)), dim=1)
