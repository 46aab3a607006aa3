"""Ground truth on the fly and equations (1) to (3) of Grewal et al. 2020."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from LandmarkTrackerLib.networks.correspondence import (
    CorrespondenceNetwork,
    Features,
    describe,
    descriptor_distances,
    read_at,
    sample_landmarks,
)
from LandmarkTrackerLib.networks.sampling import sample

PATCH = 16  # pixels along each axis, in which `repeatability_loss` compares
NEVER = -1e4  # a logit whose probability is 0, and whose gradient is still a number


class Pairs(NamedTuple):
    """All pairs of the sampled landmarks of two images.

    Attributes:
        fixed, moving: (B, K1) and (B, K2) landmark logits.
        logits: (B, K1, K2) of a match.
        distances: (B, K1, K2) of the descriptors.
        truth: (B, K1, K2) whether they show the same point.
    """

    fixed: Tensor
    moving: Tensor
    logits: Tensor
    distances: Tensor
    truth: Tensor


def sample_pairs(
    network: CorrespondenceNetwork,
    fixed: Features,
    moving: Features,
    origins: Tensor,
    masks: tuple[Tensor, Tensor],
    count: int,
    cell: int,
    within: float,
) -> Pairs:
    """The sampling layer (2.2.2) with its ground truth.

    Args:
        origins: (B, d, *spatial) pixel of the fixed image that every pixel of the moving image shows.
        masks: (B, 1, *spatial) valid mask of either image (2.4), 0 or 1.
        count, cell: K landmarks, at most one in a cell.
        within: pixels between a landmark and the projection of its partner.
    """
    spatial = fixed.logits.shape[2:]
    at = [sample_landmarks(f.logits, cell, count) for f in (fixed, moving)]
    valid = [read_at(m, a, spatial)[..., 0] > 0.5 for m, a in zip(masks, at, strict=True)]
    projected = read_at(origins, at[1], spatial)
    near = torch.cdist(at[0], projected) < within
    truth = near & valid[0][:, :, None] & valid[1][:, None, :]
    descriptors = [describe(f, a) for f, a in zip((fixed, moving), at, strict=True)]
    return Pairs(
        read_at(fixed.logits, at[0], spatial)[..., 0],
        read_at(moving.logits, at[1], spatial)[..., 0],
        network.pair_logits(*descriptors),
        descriptor_distances(*descriptors),
        truth,
    )


def landmark_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Equation (2): (B, K) logits and whether each has a partner, to ()."""
    return (1 - logits.sigmoid()).mean() + functional.binary_cross_entropy_with_logits(logits, truth.float())


def hinge_loss(distances: Tensor, truth: Tensor, positive: float, negative: float) -> Tensor:
    """The first two terms of equation (3), with both margins: (B, K1, K2) to ()."""
    far = (distances - positive).clamp(min=0)
    close = (negative - distances).clamp(min=0)
    return _mean(far, truth) + _mean(close, ~truth)


def matching_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """The last term of equation (3): each class counts as much as the other, whatever their numbers."""
    loss = functional.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")
    return (_mean(loss, truth) + _mean(loss, ~truth)) / 2


def contrast_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Not in the paper: of all candidates, the right one should win, seen from either image.

    Cross entropy of a softmax over each landmark's candidates. Inference keeps mutual best pairs only; the
    averages of equation (3) hardly see the few look-alikes that decide who is best.
    """
    losses = []
    for axis in (1, 2):
        right = logits.masked_fill(~truth, NEVER).logsumexp(axis)
        losses.append(_mean(logits.logsumexp(axis) - right, truth.any(axis)))
    return sum(losses, start=torch.zeros((), device=logits.device)) / 2


def repeatability_loss(
    fixed: Tensor, moving: Tensor, origins: Tensor, masks: tuple[Tensor, Tensor]
) -> Tensor:
    """Not in the paper: both images have the same, sharp peaks (R2D2, Revaud et al. 2019, section 3.2).

    Equation (2) hears only of the one pixel in each cell that was sampled; this one of all pixels at once.

    Args:
        fixed, moving: (B, 1, *spatial) landmark logits.
        origins, masks: see `sample_pairs`.
    """
    average = (functional.avg_pool2d, functional.avg_pool3d)[fixed.ndim - 4]
    highest = (functional.max_pool2d, functional.max_pool3d)[fixed.ndim - 4]
    seen = torch.cat([fixed.sigmoid(), masks[0]], dim=1)
    there, valid = sample(seen, origins.movedim(1, -1)).split(1, dim=1)
    shared = (valid > 0.5) & (masks[1] > 0.5)
    a, b = there * shared, moving.sigmoid() * shared

    def patches(values: Tensor) -> Tensor:
        return average(values, PATCH, PATCH // 2)

    alike = patches(a * b) / (patches(a * a) * patches(b * b) + 1e-8).sqrt()
    peaked = [1 - (highest(p, PATCH, PATCH // 2) - patches(p)) for p in (fixed.sigmoid(), moving.sigmoid())]
    body = [patches(mask) > 0.5 for mask in masks]
    return (
        _mean(1 - alike, patches(shared.float()) > 0.5)
        + sum(_mean(p, m) for p, m in zip(peaked, body, strict=True)) / 2
    )


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Mean of the values where `where` is True; 0 if that is nowhere."""
    return torch.where(where, values, 0).sum() / where.sum().clamp(min=1)
