"""Convolution, pooling and resampling that read the same for images (2) and volumes (3 spatial axes).

Tensors are (B, C, *spatial) with spatial (j, i) or (k, j, i).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAKY_SLOPE = 0.1


def convolution(dimension: int, inputs: int, outputs: int, kernel: int) -> nn.Conv2d | nn.Conv3d:
    """A convolution that keeps the size, initialised after He et al. 2015 with zero biases."""
    layer = (nn.Conv2d, nn.Conv3d)[dimension - 2](inputs, outputs, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=LEAKY_SLOPE, nonlinearity="leaky_relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def heatmap_layer(dimension: int, inputs: int, outputs: int, kernel: int) -> nn.Conv2d | nn.Conv3d:
    """A convolution that starts with responses close to 0: weights of SD 0.001 (SCN, section 3)."""
    layer = convolution(dimension, inputs, outputs, kernel)
    nn.init.normal_(layer.weight, std=0.001)
    return layer


def activated(layer: nn.Module) -> nn.Sequential:
    """The layer followed by a leaky ReLU with slope 0.1 (SCN, section 3)."""
    return nn.Sequential(layer, nn.LeakyReLU(LEAKY_SLOPE))


def shrink(image: Tensor, factor: int = 2) -> Tensor:
    """Average pooling by `factor` along every spatial axis."""
    pool = (functional.avg_pool2d, functional.avg_pool3d)[image.ndim - 4]
    return pool(image, factor)


def grow_linear(image: Tensor) -> Tensor:
    """Twice the size along every spatial axis, interpolated linearly."""
    mode = ("bilinear", "trilinear")[image.ndim - 4]
    return functional.interpolate(image, scale_factor=2, mode=mode, align_corners=False)


def grow_cubic(image: Tensor, factor: int) -> Tensor:
    """`factor` times the size along every spatial axis, interpolated by cubics (bicubic, tricubic)."""
    for axis in range(2, image.ndim):
        matrix = cubic_matrix(image.shape[axis], factor).to(image)
        image = torch.movedim(torch.movedim(image, axis, -1) @ matrix.T, -1, axis)
    return image


@lru_cache(maxsize=32)
@torch.inference_mode(False)  # what is kept has to serve training too
def cubic_matrix(size: int, factor: int) -> Tensor:
    """(size * factor, size): rows hold the weights of Keys' cubic convolution, borders repeated.

    Pixel centres lie at half pixels, so output o reads input (o + 0.5) / factor - 0.5. Exact on lines.
    """
    a = -0.5
    where = (torch.arange(size * factor, dtype=torch.float64) + 0.5) / factor - 0.5
    first = torch.floor(where).long()
    matrix = torch.zeros(size * factor, size, dtype=torch.float64)
    for tap in range(-1, 3):
        distance = (where - (first + tap)).abs()
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = a * (((distance - 5) * distance + 8) * distance - 4)
        weight = torch.where(distance <= 1, near, far)
        column = (first + tap).clamp(0, size - 1)
        matrix.scatter_add_(1, column[:, None], weight[:, None])
    return matrix.float()


def require_divisible(spatial: Sequence[int], by: int) -> None:
    """Raises ValueError where a network could not shrink and grow back to the size it was given."""
    if any(size % by for size in spatial):
        raise ValueError(f"spatial size {tuple(spatial)} must be a multiple of {by}")
