"""The same anatomy as another scan shows it: brightness, shading, sharpness, noise, and parts left out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.simulation.deformation import Smooth

BACKGROUND = -1.0


def changed(
    rng: np.random.Generator,
    image: Tensor,
    multiply: tuple[float, float],
    shift: tuple[float, float],
    noise: float = 0.0,
) -> Tensor:
    """Times a factor and plus an offset from these ranges, plus Gaussian noise of an SD of up to `noise`."""
    image = image * rng.uniform(*multiply) + rng.uniform(*shift)
    if not noise:
        return image
    drawn = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(0, noise))
    return image + torch.from_numpy(drawn)


def varied(rng: np.random.Generator, crop: Tensor, noise: float) -> Tensor:
    """Another brightness, contrast, coil, sharpness and noise; (1, S, S) to (1, S, S)."""
    crop = crop.clamp(min=0) ** float(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.5:
        knots = int(rng.integers(2, 6))
        crop = crop * shading(rng.normal(0, 0.15, (knots, knots)), crop.shape[-1]).exp()
    if rng.random() < 0.3:
        row = torch.tensor([0.25, 0.5, 0.25])
        crop = conv2d(crop[None], (row[:, None] * row)[None, None], padding=1)[0]
    return changed(rng, crop, (0.8, 1.2), (-0.1, 0.1), noise)


def shading(knots: Array, size: int) -> Tensor:
    """(S, S) a smooth image through knots (rows, columns) from border to border."""
    line = np.arange(size, dtype=float)
    return torch.from_numpy(Smooth.through(knots[None], (size, size)).on_axes((line, line))[0]).float()


def cut_away(rng: np.random.Generator, image: Tensor, points: Array) -> tuple[Tensor, NDArray[np.bool_]]:
    """Blank what lies beyond a line (a plane) in a random direction that passes near a random landmark.

    Returns the image (1, *spatial) and (N,) which of the points (N, d) were taken away with it.
    """
    dimension = points.shape[1]
    direction = rng.normal(size=dimension)
    normal: Array = np.asarray(direction / np.linalg.norm(direction), dtype=np.float64)
    through = points[rng.integers(len(points))] @ normal + rng.uniform(-0.1, 0.1) * min(image.shape[1:])
    axes = [torch.arange(n, dtype=torch.float32) for n in image.shape[1:]]
    grid = torch.meshgrid(*axes, indexing="ij")
    distance = sum((g * float(n) for g, n in zip(grid, normal[::-1], strict=True)), start=torch.zeros(()))
    return torch.where(distance > through, BACKGROUND, image), points @ normal > through
