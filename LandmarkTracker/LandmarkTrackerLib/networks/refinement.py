"""From where the search ended to a fraction of a pixel: alignment of each point, then their consensus."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from LandmarkTrackerLib.networks.alignment import Patches, Window, align
from LandmarkTrackerLib.networks.consensus import agree

# A wide patch for what has little texture; then, for landmarks, a narrow one for what moves differently from
# its surroundings.
WIDE = Window(reach=6, step=2.5, sigma=9, blur=1.4)
NARROW = Window(reach=6, step=1.25, sigma=4, blur=0.7)
STEPS = 4, 3
# The search is never surer than this many pixels; what it denies seeing is hardly measured.
SUREST, UNSEEN = 0.3, 100.0


@dataclass(frozen=True)
class Exemplars:
    """What the refinement keeps of points (M, 2) of an image, of which the first N are landmarks."""

    points: Tensor
    wide: Patches
    narrow: Patches

    @staticmethod
    def cut(image: Tensor, points: Tensor, landmarks: int) -> Exemplars:
        """Around points of the image (1, 1, H, W), the first `landmarks` of them also narrowly."""
        smooth = smoothed(image)
        wide = Patches.cut(smooth.wide, points, WIDE)
        return Exemplars(points, wide, Patches.cut(smooth.narrow, points[:landmarks], NARROW))


@dataclass(frozen=True)
class Smoothed:
    """An image (1, 1, H, W) as each window sees it."""

    wide: Tensor
    narrow: Tensor


def smoothed(image: Tensor) -> Smoothed:
    """Once an image, however many exemplars are sought in it."""
    return Smoothed(WIDE.smoothed(image), NARROW.smoothed(image))


def refine(
    exemplars: Exemplars, image: Smoothed, found: Tensor, sigma: Tensor, present: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Positions (N, 2) pixels of the landmarks, their variances (N, 2), and how alike they look (N,), 0 to 1.

    Args:
        image: to find them in, of `smoothed`.
        found: (M, 2) where the search ended.
        sigma: (M, 2) what it states about that.
        present: (M,) whether it has seen the point at all.
    """
    landmarks = len(exemplars.narrow.contrast)
    precision = torch.diag_embed(sigma.clamp(min=SUREST) ** -2)
    wide = align(exemplars.wide, image.wide, found, precision, found.new_zeros(len(found), 4), STEPS[0])
    near, affine, covariance = (part[:landmarks] for part in (wide.position, wide.affine, wide.covariance))
    narrow = align(exemplars.narrow, image.narrow, near, torch.linalg.inv(covariance), affine, STEPS[1])
    found = torch.cat([narrow.position, wide.position[landmarks:]])
    covariance = torch.cat([narrow.covariance, wide.covariance[landmarks:]])
    variances = covariance.diagonal(dim1=1, dim2=2) + torch.where(present, 0.0, UNSEEN**2)[:, None]
    moves, variances = agree(exemplars.points, found - exemplars.points, variances)
    return (exemplars.points + moves)[:landmarks], variances[:landmarks], wide.likeness[:landmarks]
