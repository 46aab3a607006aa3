"""From an image to what the correspondence network sees: resampled, grey values 0 to 1, and a valid mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.network_grid import InputConfig, Pixels, network_grid, on_grid, whole

# Hounsfield units and grey values between which grey is linear: most of the range goes to soft tissue.
CT_TONE = ((-1000.0, -200.0, 300.0, 1300.0), (0.0, 0.25, 0.9, 1.0))
CT_MOST = 3071.0
BODY_GREY = 0.15  # about -520 HU
BODY_SHARE = 0.1  # a component smaller than this share of the largest is not the body (a table, a cable)


@dataclass(frozen=True)
class PairInputConfig:
    """The `[input]` table.

    Attributes:
        dimension: 2 for slices, 3 for volumes.
        spacing: mm of the network's pixels, the same along every axis.
        intensity: "ct" for Hounsfield units; "image" to stretch each image's own 0.5 to 99.5 percentiles.
    """

    dimension: Literal[2, 3] = 2
    spacing: float = 1.0
    intensity: Literal["ct", "image"] = "ct"


def grey_image(image: sitk.Image, config: PairInputConfig) -> tuple[Grid, Pixels]:
    """The network's pixels in the world, and their grey values (k, j, i) 0 to 1.

    Args:
        image: a slice where `config.dimension` is 2; a volume, its axes towards L, P, S, where it is 3.
    """
    if config.intensity == "ct":
        # Scanners fill what they did not measure with -2000 or less, which would ring when it is resampled.
        image = sitk.Clamp(image, sitk.sitkFloat32, CT_TONE[0][0], CT_MOST)
    frame = whole(Grid.of(image))
    grid = network_grid(frame, InputConfig((16,) * config.dimension, config.spacing), image.GetSpacing()[2])
    return grid, toned(on_grid(image, grid), config.intensity)


def toned(values: Pixels, intensity: Literal["ct", "image"]) -> Pixels:
    """Intensities as grey values 0 to 1."""
    if intensity == "ct":
        return np.interp(values, *CT_TONE).astype(np.float32)
    low, high = np.percentile(values, (0.5, 99.5))
    return np.clip((values - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)


def body_mask(grey: Pixels) -> Pixels:
    """The valid mask (section 2.4), 1 in the body and 0 elsewhere: thresholded, small components removed.

    Args:
        grey: (k, j, i) or (j, i), 0 to 1.
    """
    opened = sitk.BinaryMorphologicalOpening(
        sitk.GetImageFromArray((grey > BODY_GREY).astype(np.uint8)),
        [3 if n > 6 else 0 for n in grey.shape[::-1]],
    )
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(opened))
    counts = np.bincount(sitk.GetArrayViewFromImage(parts).ravel())[1:]
    if not len(counts):
        return np.zeros_like(grey)
    body = parts <= int((counts >= BODY_SHARE * counts[0]).sum())
    mask = sitk.GetArrayFromImage(sitk.And(body, parts > 0))
    # Air inside, in lungs and bowel, belongs to the body; seen in each slice, as the lungs open to the neck.
    layers = mask if mask.ndim == 3 else mask[None]
    filled = [sitk.GetArrayFromImage(sitk.BinaryFillhole(sitk.GetImageFromArray(layer))) for layer in layers]
    return np.stack(filled).reshape(grey.shape).astype(np.float32)
