"""The chance that a pair is right, from what the search saw of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from LandmarkTrackerLib.landmarks import Array
from torch import Tensor

NEIGHBOURS = 20


@dataclass(frozen=True, eq=False)
class Evidence:
    """What speaks for and against the pairs of a match, for a verdict on all of them.

    Attributes:
        distance: (N,) mean squared difference of the self-similarity descriptors around both points, 0 to 1.
        there_and_back: (N,) mm between a point and where the motion the other way brings its partner.
        off_neighbours: (N,) mm between a partner and where the smooth motion of its neighbours puts it.
        coverage: share of the cells of the body, `cell` mm wide, that hold a pair.
        survived: share of the keypoints that became pairs, of those that lie in both fields of view.
        tolerance: mm within which a pair is right, for its score.
        cell: mm.
    """

    distance: Array
    there_and_back: Array
    off_neighbours: Array
    coverage: float
    survived: float
    tolerance: float
    cell: float


@dataclass(frozen=True)
class Seen:
    """What was seen of N keypoints in one direction; lengths in voxels of the finest level.

    Attributes:
        distance: descriptor distance at the displacement that was taken.
        there_and_back, off_neighbours: as in `Evidence`.
        off_own: from the displacement that was taken to the one that looks best.
        margin: how much larger the distance is elsewhere, -1 to 1.
        around, distance_around: means of the logs of `there_and_back` and `distance` over the next keypoints.
    """

    distance: Tensor
    there_and_back: Tensor
    off_neighbours: Tensor
    off_own: Tensor
    margin: Tensor
    around: Tensor
    distance_around: Tensor

    @classmethod
    def of(
        cls,
        points: Tensor,
        *,
        there_and_back: Tensor,
        distance: Tensor,
        off_neighbours: Tensor,
        off_own: Tensor,
        margin: Tensor,
    ) -> Seen:
        """From what was measured at each of `points` (N, 3)."""
        near = _nearest(points)
        around = _log(there_and_back)[near].mean(dim=1)
        far = (distance + 1e-3).log()[near].mean(dim=1)
        return cls(distance, there_and_back, off_neighbours, off_own, margin, around, far)

    @classmethod
    def joined(cls, parts: list[Seen]) -> Seen:
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def select(self, rows: Tensor) -> Seen:
        """These rows, by number or by (N,) whether to keep them."""
        return Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def features(self) -> Tensor:
        """(N, 8), the first of which is 1."""
        return torch.stack(
            [
                torch.ones_like(self.distance),
                (self.distance + 1e-3).log(),
                _log(self.there_and_back),
                _log(self.off_neighbours),
                _log(self.off_own),
                self.margin,
                self.around,
                self.distance_around,
            ],
            dim=1,
        )


def _log(lengths: Tensor) -> Tensor:
    return (lengths + 0.1).log()


def _nearest(points: Tensor) -> Tensor:
    """(N, n) the nearest of `points` (N, 3), each included."""
    count = min(NEIGHBOURS + 1, len(points))
    parts = [torch.cdist(some, points).topk(count, largest=False).indices for some in points.split(1024)]
    return torch.cat(parts) if parts else torch.zeros(0, 0, dtype=torch.long)


# Fitted on simulated motions of one volume by `Benchmarks/volume_matching.py --calibrate`; as `features`.
WEIGHTS = (0.987, -0.061, 0.561, 0.492, 0.091, -1.356, 0.291, 0.307)
SHAPE = 2.655


def chances(seen: Seen, tolerance: float) -> Tensor:
    """(N,) chance that each keypoint's error is below `tolerance` voxels.

    The error is taken to have a log-logistic distribution, whose median depends on what was seen.
    """
    median = seen.features() @ torch.tensor(WEIGHTS)
    return torch.sigmoid(SHAPE * (torch.log(torch.tensor(tolerance)) - median))
