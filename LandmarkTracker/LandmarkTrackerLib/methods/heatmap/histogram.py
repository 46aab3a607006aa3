"""Histogram matching within the outline of what is shown (Payer et al. 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.images import pixels

LEVELS = 256


def quantiles(image: sitk.Image) -> tuple[float, ...]:
    """The intensities within the outline, at LEVELS even steps from the lowest to the highest."""
    inside = pixels(image)[outline(image)]
    return tuple(float(value) for value in np.quantile(inside, np.linspace(0, 1, LEVELS)))


def matched(image: sitk.Image, reference: Sequence[float]) -> sitk.Image:
    """The image with the quantiles within its outline moved to those of `reference`; float32.

    What lies outside of the outline keeps its intensity.
    """
    values, inside = pixels(image).astype(np.float32), outline(image)
    # Equal quantiles, as of saturated pixels, go to the middle of theirs.
    own, first = np.unique(quantiles(image), return_inverse=True)
    wanted = np.bincount(first, reference) / np.bincount(first)
    values[inside] = np.interp(values[inside], own, wanted)
    result = sitk.GetImageFromArray(values)
    result.CopyInformation(image)
    return result


def outline(image: sitk.Image) -> NDArray[np.bool_]:
    """(k, j, i) what is brighter than Otsu's threshold, and what that encloses."""
    bright = sitk.OtsuThreshold(sitk.Cast(image, sitk.sitkFloat32), 0, 1)
    filled = [sitk.BinaryFillhole(bright[:, :, k]) for k in range(bright.GetSize()[2])]
    return np.stack([sitk.GetArrayFromImage(part) for part in filled]).astype(bool)
