"""How far off an answer is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from LandmarkTrackerLib.landmarks import Array


def distance_to_contour(points: ArrayLike, contour: ArrayLike) -> Array:
    """(N,) mm from points (N, 3) to the nearest place on a closed polygon (M, 3); NaN for a NaN point."""
    start = np.asarray(contour, dtype=float)
    edge = np.roll(start, -1, axis=0) - start
    offset = np.asarray(points, dtype=float)[:, None] - start
    length = np.maximum((edge**2).sum(axis=1), 1e-12)
    share = np.clip((offset * edge).sum(axis=2) / length, 0, 1)
    return np.asarray(np.linalg.norm(offset - share[..., None] * edge, axis=2).min(axis=1))


@dataclass(frozen=True)
class Summary:
    """Errors in mm over the points that were found, and the share that was not.

    Attributes:
        mean, median, p95, worst, rmse: mm.
        missing: share of points reported missing, 0 to 1.
        gross: how many points are off by more than 5 mm without being reported missing.
    """

    mean: float
    median: float
    p95: float
    worst: float
    rmse: float
    missing: float
    gross: int


def summarise(errors: ArrayLike) -> Summary:
    """Of errors (N,) in mm, NaN where a point was reported missing; signs are dropped."""
    all_of = np.abs(np.asarray(errors, dtype=float))
    found = all_of[np.isfinite(all_of)]
    if not len(found):
        nan = float("nan")
        return Summary(nan, nan, nan, nan, nan, missing=1.0, gross=0)
    return Summary(
        float(found.mean()),
        float(np.median(found)),
        float(np.percentile(found, 95)),
        float(found.max()),
        float(np.sqrt((found**2).mean())),
        1 - len(found) / len(all_of),
        int((found > 5).sum()),
    )
