"""Encoders: from an image or a patch to one feature vector.

The four of the paper (section III.E.2) come from torchvision; `light` is ours, for real time on a CPU.
"""

from __future__ import annotations

import logging
import math
from itertools import pairwise
from typing import Literal
from urllib.error import URLError

import torch
from torch import Tensor, nn

EncoderName = Literal["light", "vgg16", "resnet50", "densenet121", "convnext_small"]

# torchvision's module that tells the classes, and how many features it is given.
HEADS = {
    "vgg16": ("classifier", 512 * 7 * 7),
    "resnet50": ("fc", 2048),
    "densenet121": ("classifier", 1024),
    "convnext_small": ("classifier.2", 768),
}
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def make_encoder(name: EncoderName, size: tuple[int, int], pretrained: bool = False) -> tuple[nn.Module, int]:
    """An encoder for inputs (N, 1, H, W) with brightness 0 to 1, and the length F of its output (N, F).

    Args:
        name: which.
        size: (H, W) of the input; the paper's encoders take any size of 32 or more.
        pretrained: start from ImageNet weights where they are at hand or can be downloaded; a line in the log
            says so when they are not.
    """
    encoder: Light | Pretrained = Light(size) if name == "light" else Pretrained(name, pretrained)
    return encoder, encoder.features


class Light(nn.Module):
    """Four convolutions of stride 2 (three for patches up to 80 pixels), all but the first with a residual.

    There is no global pooling: the last map is flattened, because where something is is what is asked for.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        channels = (24, 48, 96, 128) if min(size) > 80 else (32, 64, 96)
        steps: list[nn.Module] = [_conv(1, channels[0], stride=2)]
        for before, after in pairwise(channels):
            steps += [_conv(before, after, stride=2), _Residual(after)]
        self.features = 24 * math.prod(math.ceil(n / 2 ** len(channels)) for n in size)
        maps = nn.Sequential(*steps, nn.Conv2d(channels[-1], 24, 1), nn.Flatten())
        # A fifth faster on CPUs.
        self.maps = maps.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, F)."""
        # Centred, so that the black around the body is not what the first layer sees most.
        features: Tensor = self.maps((image - 0.25) * 4)
        return features


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.step = _conv(channels, channels, stride=1)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return maps + self.step(maps)


def _conv(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Pretrained(nn.Module):
    """One of torchvision's classifiers without its classes; grey is shown in all three colours.

    VGG16 keeps its 7 x 7 map, as its own classifier does; the others end with their global average.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, pretrained: bool) -> None:
        super().__init__()
        self.network = _torchvision(name, pretrained)
        head, self.features = HEADS[name]
        self.network.set_submodule(head, nn.Identity())
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 1, H, W) to (N, F)."""
        colours = (image.expand(-1, 3, -1, -1) - self.mean) / self.std
        features: Tensor = self.network(colours)
        return features


def _torchvision(name: str, pretrained: bool) -> nn.Module:
    from torchvision.models import get_model

    if pretrained:
        try:
            return get_model(name, weights="IMAGENET1K_V1")
        except (URLError, OSError) as error:
            logging.getLogger(__name__).warning(
                "ImageNet weights of %s cannot be had (%s); training starts from random weights", name, error
            )
    return get_model(name, weights=None)
