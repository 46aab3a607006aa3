"""Losses of networks that state their own uncertainty."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_loss(found: Tensor, log_sigma: Tensor, true: Tensor) -> Tensor:
    """Equation 2 of Frueh et al. 2022, summed over the axes and averaged over everything else.

    It has 1 / sigma^2 where the likelihood has 1 / (2 sigma^2), so the sigma that it favours is sqrt(2) times
    the standard deviation of the error. `methods/tmn.py` takes that back.

    Args:
        found, log_sigma, true: (..., 2) pixels, and ln of pixels.
    """
    return ((found - true).square() * torch.exp(-2 * log_sigma) + log_sigma).sum(-1).mean()


def laplace_loss(found: Tensor, log_sigma: Tensor, true: Tensor) -> Tensor:
    """The same for errors with Laplace's distribution (section III.E.4).

    The sigma that it favours is the mean of |error|.
    """
    return ((found - true).abs() * torch.exp(-log_sigma) + log_sigma).sum(-1).mean()


LOSSES = {"gaussian": gaussian_loss, "laplace": laplace_loss}
