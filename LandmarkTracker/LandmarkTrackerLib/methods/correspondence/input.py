"""From an image to what the correspondence network sees: resampled, grey values 0 to 1, and a valid mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.network_grid import InputConfig, Pixels, network_grid, on_grid, whole

# Hounsfield units and grey values between which grey is linear: most of the range goes to soft tissue.
CT_TONE = ((-1000.0, -200.0, 300.0, 1300.0), (0.0, 0.25, 0.9, 1.0))
CT_MOST = 3071.0
SLAB = 32  # slices of the network at a time
MARGIN = 16  # slices of the image around them, which smoothing and interpolation do not reach beyond
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
    frame = whole(Grid.of(image))
    grid = network_grid(frame, InputConfig((16,) * config.dimension, config.spacing), image.GetSpacing()[2])
    values = np.concatenate([_read(image, slab, config.intensity) for slab in _slabs(grid)])
    return grid, toned(values, config.intensity)


def _slabs(grid: Grid) -> Iterator[Grid]:
    """The grid in parts along k: a volume of many fine slices never is in memory as numbers all at once."""
    for first in range(0, grid.size[2], SLAB):
        size = (*grid.size[:2], min(SLAB, grid.size[2] - first))
        origin = grid.to_world((0, 0, first))
        yield Grid(size, grid.spacing, tuple(origin.tolist()), grid.direction)


def _read(image: sitk.Image, slab: Grid, intensity: Literal["ct", "image"]) -> Pixels:
    """(k, j, i) intensities on a slab, whose axes are the image's own."""
    ends = slab.to_world([[0, 0, 0], [0, 0, slab.size[2] - 1]])
    first, last = np.rint(Grid.of(image).to_index(ends)[:, 2]).astype(int).tolist()
    image = image[:, :, max(first - MARGIN, 0) : last + MARGIN + 1]
    if intensity == "ct":
        # Scanners fill what they did not measure with -2000 or less, which would ring when it is resampled.
        image = sitk.Clamp(image, sitk.sitkFloat32, CT_TONE[0][0], CT_MOST)
    return on_grid(image, slab)


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
