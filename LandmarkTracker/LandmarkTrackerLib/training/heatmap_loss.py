"""The targets and the loss of heatmap regression with learned widths (Payer et al. 2019, section 2.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def gaussian_targets(centres: Tensor, sigma: Tensor, shape: torch.Size, gamma: float) -> Tensor:
    """Equation (1).

    Args:
        centres: (B, N, d) landmark index (i, j[, k]) in pixels; NaN where the landmark is not in the image.
        sigma: (N,) pixels.
        shape: ([k,] j, i) of a heatmap.
        gamma: scale.

    Returns:
        (B, N, *shape); zero for a landmark that is not in the image.
    """
    dimension = len(shape)
    there = torch.isfinite(centres).all(-1)
    centres = torch.nan_to_num(centres)
    falloff = torch.ones((), device=centres.device)
    # The Gaussian is a product over the axes: N curves an axis instead of N images of exponentials.
    for axis, length in enumerate(reversed(shape)):
        steps = torch.arange(length, device=centres.device, dtype=centres.dtype) - centres[..., axis, None]
        curve = torch.exp(-0.5 * (steps / sigma[:, None]) ** 2)
        falloff = falloff * curve.reshape(
            *curve.shape[:2], *(length if a == dimension - 1 - axis else 1 for a in range(dimension))
        )
    height = gamma / (math.sqrt(2 * math.pi) * sigma) ** dimension * there
    return falloff * height.reshape(*height.shape, *[1] * dimension)


def heatmap_loss(
    heatmaps: Tensor, centres: Tensor, known: Tensor, sigma: Tensor, gamma: float, alpha: float
) -> Tensor:
    """Equation (2) without its last term, which is the optimiser's weight decay: mean over the batch.

    Squared differences are summed over pixels and landmarks, as in the paper. A landmark that an image does
    not show has no target whose width could be penalised: there its sigma does not count.

    Args:
        heatmaps: (B, N, *spatial)
        centres: (B, N, d) as in `gaussian_targets`.
        known: (B, N) False where nobody said whether the landmark is there: it does not count.
        sigma: (N,) pixels, learned.
        gamma: of equation (1).
        alpha: weight of the squared norm of sigma, which keeps the targets from flattening to nothing.
    """
    target = gaussian_targets(centres, sigma, heatmaps.shape[2:], gamma)
    squares = (heatmaps.float() - target).pow(2).flatten(2).sum(-1)
    shown = known * torch.isfinite(centres).all(-1)
    return (squares * known + alpha * sigma.pow(2) * shown).sum() / len(heatmaps)
