"""SimCLR's own augmentation (Chen et al. 2020, appendix A) on grey pictures, without its horizontal flip.

A random resized crop, brightness and contrast, and blur. Hue, saturation and greyscale do not exist here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from LandmarkTrackerLib.landmarks import Array
from torch import Tensor
from torch.nn.functional import conv2d, pad

# Of the picture's area; its aspect ratio; tries to fit both into the picture.
AREA, ASPECT, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
# Strength of the jitter at strength 1, and how often pictures are jittered.
JITTER, JITTERED = 0.8, 0.8
# Sigma in pixels, how often pictures are blurred, and the kernel's share of the picture's side.
SIGMA, BLURRED, KERNEL = (0.1, 2.0), 0.5, 0.1


@dataclass(frozen=True)
class Crop:
    """A part of a picture that is enlarged to the whole.

    Attributes:
        off: (2,) from the picture's centre to the crop's, in sides of the picture.
        sides: (2,) the crop's sides, in sides of the picture.
    """

    off: Array
    sides: Array

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Crop:
        """Area and aspect ratio at random, anywhere in the picture; the whole if they do not fit."""
        for _ in range(TRIES):
            ratio = np.exp(rng.uniform(*np.log(ASPECT)))
            sides = np.sqrt(rng.uniform(*AREA) * np.array([ratio, 1 / ratio]))
            if sides.max() <= 1:
                return cls(rng.uniform(-0.5, 0.5, 2) * (1 - sides), sides)
        return cls(np.zeros(2), np.ones(2))

    @property
    def linear(self) -> Array:
        """(2, 2) from offsets in the picture to offsets in the crop."""
        return np.diag(1 / self.sides)


def draw_look(rng: np.random.Generator) -> Array:
    """(3,) factor of brightness, factor of contrast, and sigma of the blur in pixels; 0 does not blur."""
    look = np.array([1.0, 1.0, 0.0])
    if rng.random() < JITTERED:
        look[:2] = rng.uniform(1 - JITTER, 1 + JITTER, 2)
    if rng.random() < BLURRED:
        look[2] = rng.uniform(*SIGMA)
    return look


def looked(pictures: Tensor, looks: Tensor) -> Tensor:
    """Pictures (M, rows, columns) of brightness 0 to 1, with looks (M, 3) of `draw_look`: the same shape."""
    brightness, contrast, sigma = looks.T[:, :, None, None]
    # Which of the two comes first makes no difference.
    pictures = pictures * brightness
    mean = pictures.mean(dim=(1, 2), keepdim=True)
    return blurred(((pictures - mean) * contrast + mean).clamp(0, 1), sigma[:, 0, 0])


def blurred(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Each of (M, rows, columns) with its own Gaussian; as it is where sigma (M,) is 0."""
    reach = max(int(KERNEL * min(pictures.shape[1:]) / 2), 1)
    steps = torch.arange(-reach, reach + 1, dtype=pictures.dtype, device=pictures.device)
    kernel = torch.exp(-(steps**2) / (2 * sigma[:, None].clamp(min=1e-3) ** 2))
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    groups, padded = len(pictures), pad(pictures[None], (reach,) * 4, mode="replicate")
    across = conv2d(padded, kernel[:, None, None, :], groups=groups)
    return conv2d(across, kernel[:, None, :, None], groups=groups)[0]
