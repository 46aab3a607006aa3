"""What validation images teach about a heatmap's height and width."""

from __future__ import annotations

import numpy as np

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.heatmap.detector import Calibration


def calibrate(errors: Array, sigmas: Array, present: Array, absent: Array) -> Calibration:
    """Below which height a peak is no landmark, and how far a peak's width is from the error's SD.

    The height is the one that separates best: it maximises the share of present landmarks that are kept plus
    the share of absent ones that are refused. The scale makes the median of error / sigma what a Gaussian of
    d axes has, so that a few gross errors do not widen every answer.

    Args:
        errors: (M,) mm, of landmarks that are there.
        sigmas: (M, d) mm along each axis.
        present: (M,) heights of their peaks.
        absent: (K,) heights of the highest peak where the landmark is not in the image.
    """
    candidates = np.unique(np.concatenate([present, absent]))
    middles = (candidates[1:] + candidates[:-1]) / 2
    heights = np.concatenate([[min(candidates[0], 0.0)], middles[middles > 0]])
    kept = (present[None] >= heights[:, None]).mean(axis=1)
    refused = (absent[None] < heights[:, None]).mean(axis=1) if len(absent) else -heights
    height = float(heights[np.argmax(kept + refused)])
    dimension = sigmas.shape[1]
    # Median of the chi distribution (Wilson and Hilferty).
    typical = np.sqrt(dimension * (1 - 2 / (9 * dimension)) ** 3)
    ratio = errors / np.sqrt((sigmas**2).mean(axis=1))
    return Calibration(height, max(float(np.median(ratio) / typical), 1e-3))
