"""From heatmaps to points: a sub-pixel peak, its width, its height (equation 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from LandmarkTrackerLib.landmarks import Array

# The part of a peak below this fraction of its height is noise and does not count for its width.
FOOT = 0.2


@dataclass(frozen=True)
class Peaks:
    """The highest point of each of N heatmaps with d axes.

    Attributes:
        index: (N, d) continuous (i, j[, k]) in pixels of the heatmap.
        sigma: (N, d) standard deviation of the peak in pixels.
        height: (N,)
    """

    index: Array
    sigma: Array
    height: Array


def find_peaks(heatmaps: NDArray[np.float32], radius: int) -> Peaks:
    """The maximum of each heatmap, refined by the Gaussian through it and its neighbours.

    Args:
        heatmaps: (N, [k,] j, i)
        radius: pixels around the peak that belong to it.
    """
    flat = heatmaps.reshape(len(heatmaps), -1).argmax(axis=1)
    tops = np.stack(np.unravel_index(flat, heatmaps.shape[1:]), axis=1)
    index, sigma, height = [], [], []
    for heatmap, top in zip(heatmaps, tops, strict=True):
        steps = np.eye(len(top), dtype=int)
        index.append([top[a] + _offset(heatmap, top, steps[a]) for a in range(len(top))][::-1])
        sigma.append(_width(heatmap, top, radius)[::-1])
        height.append(heatmap[tuple(top)])
    return Peaks(np.array(index), np.array(sigma), np.array(height, dtype=float))


def _offset(heatmap: NDArray[np.float32], top: NDArray[np.int_], step: NDArray[np.int_]) -> float:
    """Where between the pixels the peak lies along one axis: three samples of a Gaussian give it exactly."""
    axis = int(step.argmax())
    if not 0 < top[axis] < heatmap.shape[axis] - 1:
        return 0.0
    samples = np.array([heatmap[tuple(top + d * step)] for d in (-1, 0, 1)], dtype=float)
    if samples.min() <= 0:
        return 0.0
    before, at, after = np.log(samples)
    curvature = before - 2 * at + after
    return 0.0 if curvature >= 0 else float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))


def _width(heatmap: NDArray[np.float32], top: NDArray[np.int_], radius: int) -> Array:
    """Root mean square distance from the peak along every axis, in pixels, over what is near and high."""
    first = np.maximum(top - radius, 0)
    window = heatmap[tuple(slice(f, t + radius + 1) for f, t in zip(first, top, strict=True))].astype(float)
    window = np.where(window > FOOT * heatmap[tuple(top)], window, 0.0)
    total = window.sum()
    if total <= 0:
        return np.full(heatmap.ndim, float(radius))
    squares = []
    for axis in range(heatmap.ndim):
        marginal = window.sum(axis=tuple(a for a in range(heatmap.ndim) if a != axis))
        distance = np.arange(len(marginal)) + first[axis] - top[axis]
        squares.append((marginal * distance**2).sum() / total + 1 / 12)
    return np.sqrt(squares)
