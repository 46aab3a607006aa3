"""From where the search ended to a fraction of a pixel: alignment of each point, then their consensus.

Neighbours know where a point without texture went, and when one was mistaken for its like. But bone rests
beside an organ that slides along it: a landmark that contradicts its neighbours is looked for once more where
they expect it, and keeps its own place if the image fits it better there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from LandmarkTrackerLib.networks.alignment import Aligned, Patches, Window, align
from LandmarkTrackerLib.networks.consensus import Neighbours

# A wide patch for what has little texture; then, for landmarks, a narrow one for what moves differently from
# its surroundings.
WIDE = Window(reach=6, step=2.5, sigma=9, blur=1.4)
NARROW = Window(reach=6, step=1.25, sigma=4, blur=0.7)
STEPS = 4, 3
# The search and the neighbours are never surer than this many pixels; what the search denies seeing is hardly
# measured.
SUREST, UNSEEN = 0.3, 100.0
# Pixels from where its neighbours expect a landmark: less is no contradiction, more is a look-alike.
APART, TOO_FAR = 0.75, 12.0
# By how much its own place has to be the likelier one: natural logarithm, at once and for each pixel apart.
BELIEVED, BELIEVED_FARTHER = 1.0, 0.3


@dataclass(frozen=True)
class Exemplars:
    """What the refinement keeps of points (M, 2) of an image, of which the first N are landmarks."""

    points: Tensor
    wide: Patches
    narrow: Patches
    neighbours: Neighbours

    @staticmethod
    def cut(image: Tensor, points: Tensor, landmarks: int) -> Exemplars:
        """Around points of the image (1, 1, H, W), the first `landmarks` of them also narrowly."""
        smooth = smoothed(image)
        return Exemplars(
            points,
            Patches.cut(smooth.wide, points, WIDE),
            Patches.cut(smooth.narrow, points[:landmarks], NARROW),
            Neighbours.of(points),
        )


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
    own = _aligned(exemplars.wide, exemplars.narrow, image, found, sigma**2)
    variances = own.covariance.diagonal(dim1=1, dim2=2) + torch.where(present, 0.0, UNSEEN**2)[:, None]
    moves, agreed = exemplars.neighbours.agree(own.position - exemplars.points, variances)
    answer, left, alike = (exemplars.points + moves)[:landmarks], agreed[:landmarks], own.likeness[:landmarks]
    apart = (answer - own.position[:landmarks]).norm(dim=1)
    contrary = torch.nonzero(apart > APART)[:, 0]
    if len(contrary):
        wide, narrow = exemplars.wide.only(contrary), exemplars.narrow.only(contrary)
        other = _aligned(wide, narrow, image, answer[contrary], left[contrary])
        apart, likelier = apart[contrary], own.fit[contrary] - other.fit
        believed = (likelier > BELIEVED + BELIEVED_FARTHER * apart) & (apart < TOO_FAR) & present[contrary]
        kept, moved = contrary[believed], contrary[~believed]
        answer[kept], left[kept] = own.position[kept], variances[kept]
        answer[moved], alike[moved] = other.position[~believed], other.likeness[~believed]
    return answer, left, alike


def _aligned(wide: Patches, narrow: Patches, image: Smoothed, expected: Tensor, variances: Tensor) -> Aligned:
    """All points from where they are expected (M, 2), with variances (M, 2): widely, then the landmarks
    narrowly. Likeness and fit are the wide patch's."""
    landmarks, flat = len(narrow.contrast), expected.new_zeros(len(expected), 4)
    first = align(
        wide, image.wide, expected, torch.diag_embed(1 / variances.clamp(min=SUREST**2)), flat, STEPS[0]
    )
    near, affine, covariance = (part[:landmarks] for part in (first.position, first.affine, first.covariance))
    then = align(narrow, image.narrow, near, torch.linalg.inv(covariance), affine, STEPS[1])
    return replace(
        first,
        position=torch.cat([then.position, first.position[landmarks:]]),
        covariance=torch.cat([then.covariance, first.covariance[landmarks:]]),
    )
