"""Neighbours move together: which pairs agree with the pairs around them, and where these say a point went.

Around every point the motion of its nearest pairs is fitted by an affine map, in a way that a few wrong pairs
do not disturb (iteratively reweighted least squares). Positions are in pixels of the network.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.correspondence.mutual import Gate

NEIGHBOURS = {2: 16, 3: 24}
REACH = 8.0  # pixels around it in which a candidate is looked for again
ROUNDS = 6


def agreeing(fixed: Array, moving: Array, tolerance: float) -> NDArray[np.bool_]:
    """(N,) whether each pair (N, d) lies within `tolerance` pixels of where its neighbours' affine map says.

    A pair does not speak for itself. Pairs that disagree are dropped and the rest is asked again, until
    nobody is dropped.
    """
    keep = asked = np.ones(len(fixed), dtype=bool)
    residual, reach = np.zeros((2, len(fixed)))
    while keep.sum() > fixed.shape[1] + 1:
        predicted = _predicted(fixed[keep], moving[keep], fixed[asked], leave_out=True)
        residual[asked] = np.linalg.norm(predicted.places - moving[asked], axis=1)
        reach[asked] = predicted.reach
        wrong = keep & (residual > tolerance)
        if not wrong.any():
            return keep
        # The worst half first: a wrong pair may make its neighbours look wrong.
        wrong &= residual >= np.median(residual[wrong])
        keep = keep & ~wrong
        # Only who had one of them as a neighbour has something else to say now.
        apart = torch.cdist(torch.from_numpy(fixed), torch.from_numpy(fixed[wrong])).amin(dim=1).numpy()
        asked = keep & (apart <= reach + 1e-3)
    return np.zeros(len(fixed), dtype=bool)


def local_motion(fixed: Array, moving: Array, points: Array, leave_out: bool = False) -> tuple[Array, Array]:
    """What the pairs (N, d) around each of `points` (M, d) say.

    Args:
        leave_out: the points are the pairs' own, and none may speak for itself.

    Returns:
        (M, d) where each point went; and (M, d, d) what became of a step from it: step @ matrix.
    """
    predicted = _predicted(fixed, moving, points, leave_out)
    return predicted.places, predicted.shapes


class _Prediction(NamedTuple):
    """`places` and `shapes` as `local_motion` returns them, and how far away the last neighbour is (M,)."""

    places: Array
    shapes: Array
    reach: Array


def _predicted(fixed: Array, moving: Array, points: Array, leave_out: bool) -> _Prediction:
    d = fixed.shape[1]
    count = min(NEIGHBOURS[d] + leave_out, len(fixed))
    a, b, at = (torch.from_numpy(np.ascontiguousarray(x)) for x in (fixed, moving, points))
    parts = [_Prediction(np.zeros((0, d)), np.zeros((0, d, d)), np.zeros(0))]
    for some in torch.split(torch.arange(len(at)), 4096):
        distance, near = torch.cdist(at[some], a).topk(count, largest=False)
        near = near[:, int(leave_out) :]
        # Relative to the point, so that the constant is where the point itself went.
        fit = _robust_affine(a[near] - at[some, None], b[near] - at[some, None]).numpy()
        parts.append(_Prediction(points[some] + fit[:, 0], np.eye(d) + fit[:, 1:], distance[:, -1].numpy()))
    return _Prediction(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _robust_affine(offsets: Tensor, targets: Tensor) -> Tensor:
    """(M, 1 + d, d) constant and slopes of the displacement from offsets (M, n, d) to targets (M, n, d)."""
    m, n, d = offsets.shape
    design = torch.cat([torch.ones(m, n, 1, dtype=offsets.dtype), offsets], dim=2)
    distance = offsets.norm(dim=2)
    # Far neighbours count less. What few or collinear neighbours cannot tell stays "no change of shape".
    nearness = 1 / (1 + (2 * distance / distance.amax(dim=1, keepdim=True).clamp(min=1.0)) ** 2)
    ridge = torch.diag(torch.tensor([1e-6] + [1.0] * d, dtype=offsets.dtype))
    moved = targets - offsets
    fitted = moved.median(dim=1, keepdim=True).values
    for _ in range(ROUNDS):
        residual = (moved - fitted).norm(dim=2)
        scale = residual.median(dim=1, keepdim=True).values.clamp(min=0.5)
        weighted = design * (nearness / (1 + (residual / scale) ** 2))[..., None]
        normal = weighted.transpose(1, 2) @ design + ridge
        solution = torch.linalg.solve(normal, weighted.transpose(1, 2) @ moved)
        fitted = design @ solution
    return solution


def gate_around(where: Array, moving: Array, reach: float = REACH) -> Gate:
    """Whether a candidate of the moving image (N2, d) lies within `reach` of `where` (N1, d)."""
    a, b = torch.from_numpy(where), torch.from_numpy(moving)
    return lambda rows: torch.cdist(a[rows], b) <= reach
