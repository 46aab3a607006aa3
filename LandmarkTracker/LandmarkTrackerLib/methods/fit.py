"""Whether an image is of the kind that a model was trained on, so that a misplaced model is noticed.

An image is described by a few numbers that do not depend on its size, spacing or intensity unit: how its
grey values are distributed, where they lie, how fine its texture is and which way its edges run. A model card
holds these numbers for some of its training images. An image that is further from all of them than the
training images of one patient are from those of the others does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.images import as_volume, pixels
from LandmarkTrackerLib.landmarks import Array

SIDE, CELLS = 64, 4  # pixels and cells along each side of the square that is described
BANDS = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32))  # spatial frequency, cycles in the square
EDGES = 8  # edge directions
UNIT = 100  # a card holds whole hundredths
# Hounsfield units: there is air or fat, and nothing denser than metal.
AIR_BELOW, METAL_ABOVE = -50.0, 4096.0


def describe(image: sitk.Image) -> Array:
    """The numbers that describe an image; of a volume, those of its middle axial slice. (38,)."""
    square = _square(_slice(image))
    quantiles = np.quantile(square, np.linspace(0.1, 0.9, 9))
    cell = SIDE // CELLS
    layout = square.reshape(CELLS, cell, CELLS, cell).mean((1, 3)).ravel()
    taper = np.hanning(SIDE)
    power = np.abs(np.fft.fftshift(np.fft.fft2((square - square.mean()) * np.outer(taper, taper)))) ** 2
    y, x = np.indices(power.shape) - SIDE // 2
    radius = np.hypot(x, y)
    texture = [np.log10(power[(radius >= a) & (radius < b)].mean() + 1e-3) for a, b in BANDS]
    gy, gx = np.gradient(square)
    strength = np.hypot(gx, gy)
    edges, _ = np.histogram(np.mod(np.arctan2(gy, gx), np.pi), EDGES, (0, np.pi), weights=strength)
    return np.concatenate(
        [quantiles, 2 * (layout - layout.mean()), 0.5 * np.array(texture), 4 * edges / max(edges.sum(), 1e-9)]
    )


def is_hounsfield(image: sitk.Image) -> bool:
    """Whether the intensities can be Hounsfield units."""
    low, high = np.percentile(pixels(as_volume(image)), (1, 99))
    return bool(low < AIR_BELOW and high < METAL_ABOVE)


def misfit(card: Mapping[str, Any], image: sitk.Image) -> str:
    """Why the image is not of the kind that the model was trained on, in a sentence; "" if it is.

    Args:
        card: the model's card. One without the entry `fit` (a method for every image) fits always.
        image: one frame, slice or volume.
    """
    fit = card.get("fit")
    if not fit:
        return ""
    name = f"model {card['name']} was trained on other images ({card.get('title', 'see its card')})"
    advice = "its answers here are not to be trusted; choose another model"
    if fit.get("hounsfield") and not is_hounsfield(image):
        return f"{name}, in Hounsfield units, which this image does not hold: {advice}"
    known = np.array(fit["examples"], dtype=float) / UNIT
    if distances(describe(image)[None], known)[0] > fit["limit"]:
        return f"{name}: {advice}"
    return ""


def doubt_of(method: object, image: sitk.Image) -> str:
    """`misfit` of a Locator, Detector or Matcher: those of a trained model keep its `card`."""
    return misfit(getattr(method, "card", {}), image)


def distances(descriptions: Array, known: Array) -> Array:
    """(N,) from each of (N, 38) descriptions to the nearest of (M, 38) others."""
    return np.sqrt(((descriptions[:, None] - known[None]) ** 2).sum(-1)).min(axis=1)


def _slice(image: sitk.Image) -> sitk.Image:
    image = as_volume(image)
    if image.GetSize()[2] > 1:
        image = sitk.DICOMOrient(image, "LPS")
    middle = image.GetSize()[2] // 2
    return image[:, :, middle : middle + 1]


def _square(image: sitk.Image) -> NDArray[np.float64]:
    """(SIDE, SIDE) grey values 0 to 1 of one slice, its longer side filling the square."""
    values = pixels(image)[0].astype(float)
    low, high = np.percentile(values, (1, 99))
    flat = sitk.GetImageFromArray(np.clip((values - low) / max(high - low, 1e-9), 0, 1).astype(np.float32))
    flat.SetSpacing(image.GetSpacing()[:2])
    extent = [n * mm for n, mm in zip(flat.GetSize(), flat.GetSpacing(), strict=True)]
    step = max(extent) / SIDE
    if min(flat.GetSize()) > 4:
        flat = sitk.SmoothingRecursiveGaussian(flat, [step / 2] * 2)
    corner = [(e - mm) / 2 - (SIDE - 1) / 2 * step for e, mm in zip(extent, flat.GetSpacing(), strict=True)]
    square = sitk.Resample(flat, (SIDE, SIDE), sitk.Transform(), sitk.sitkLinear, corner, (step, step))
    return sitk.GetArrayFromImage(square).astype(float)
