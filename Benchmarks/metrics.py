"""How far off an answer is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from LandmarkTrackerLib.landmarks import Array
from numpy.typing import ArrayLike


def distance_to_contour(points: ArrayLike, contour: ArrayLike) -> Array:
    """(N,) mm from points (N, 3) to the nearest place on a closed polygon (M, 3); NaN for a NaN point."""
    return np.asarray(np.linalg.norm(offset_to_contour(points, contour), axis=1))


def offset_to_contour(points: ArrayLike, contour: ArrayLike) -> Array:
    """(N, 3) mm from the nearest place on a closed polygon (M, 3) to points (N, 3); NaN for a NaN point."""
    start = np.asarray(contour, dtype=float)
    edge = np.roll(start, -1, axis=0) - start
    offset = np.asarray(points, dtype=float)[:, None] - start
    length = np.maximum((edge**2).sum(axis=1), 1e-12)
    share = np.clip((offset * edge).sum(axis=2) / length, 0, 1)
    offset = offset - share[..., None] * edge
    nearest = np.linalg.norm(offset, axis=2).argmin(axis=1)
    return np.asarray(offset[np.arange(len(offset)), nearest])


def level_reached(off: ArrayLike, sigma: ArrayLike) -> Array:
    """The probability that the smallest ellipse around the answer claims to hold that contains the truth.

    Stated uncertainty is right if a share p of the truths reaches a level of at most p, for every p.

    Args:
        off: (N, D) error along the image's axes, mm.
        sigma: (N, D) its stated standard deviation; an axis where it is 0 was not searched and is left out.

    Returns:
        (N,) 0 to 1, NaN for a NaN error and where no uncertainty is stated.
    """
    off, sigma = np.asarray(off, dtype=float), np.asarray(sigma, dtype=float)
    searched = sigma != 0
    squared = (np.divide(off, sigma, out=np.zeros_like(off), where=searched) ** 2).sum(axis=1)
    radius = np.sqrt(squared)
    # Chi-squared distributions of 1, 2 and 3 degrees of freedom.
    line = np.array([math.erf(r / math.sqrt(2)) for r in radius])
    disc = -np.expm1(-squared / 2)
    ball = line - math.sqrt(2 / math.pi) * radius * np.exp(-squared / 2)
    return np.choose(searched.sum(axis=1), [np.full(len(off), np.nan), line, disc, ball])


def level_reached_across(off: ArrayLike, sigma: ArrayLike) -> Array:
    """The same where the truth is known to lie on a curve, to whose nearest place `off` (N, D) leads."""
    off, sigma = np.asarray(off, dtype=float), np.asarray(sigma, dtype=float)
    distance = np.linalg.norm(off, axis=1)
    across = off / np.maximum(distance, 1e-12)[:, None]
    return level_reached(distance[:, None], np.linalg.norm(across * sigma, axis=1)[:, None])


@dataclass(frozen=True)
class Summary:
    """Errors over the points that were found, and the share that was not.

    Attributes:
        mean, median, p95, worst, rmse: in the unit of the errors.
        missing: share of points reported missing, 0 to 1.
        gross: how many points are off by more than 5 mm without being reported missing or uncertain.
    """

    mean: float
    median: float
    p95: float
    worst: float
    rmse: float
    missing: float
    gross: int


def summarise(errors: ArrayLike, unit_mm: ArrayLike = 1.0, uncertain: ArrayLike = False) -> Summary:
    """Of errors (N,), NaN where a point was reported missing; signs are dropped.

    Args:
        unit_mm: how many mm the unit of the errors is; one number, or (N,).
        uncertain: (N,) whether a point was reported uncertain.
    """
    all_of = np.abs(np.asarray(errors, dtype=float))
    there = np.isfinite(all_of)
    found = all_of[there]
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
        int((there & (np.nan_to_num(all_of) * np.asarray(unit_mm) > 5) & ~np.asarray(uncertain)).sum()),
    )
