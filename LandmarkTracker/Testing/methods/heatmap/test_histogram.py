"""Images of other exposures look alike within their outline."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.methods.heatmap.histogram import LEVELS, matched, outline, quantiles


def hand(seed: int, exposure: float = 1.0, offset: float = 0.0) -> sitk.Image:
    """A disc of smooth random brightness with a dark hole on a dark ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    values = rng.uniform(0, 5, (64, 64))
    values[np.hypot(x - 32, y - 32) < 25] = 100 + rng.uniform(0, 100, (64, 64))[np.hypot(x - 32, y - 32) < 25]
    values[np.hypot(x - 32, y - 32) < 4] = 3
    return sitk.GetImageFromArray((exposure * values + offset).astype(np.float32)[None])


def test_the_outline_is_what_otsu_tells_from_the_ground_with_what_it_encloses():
    y, x = np.mgrid[:64, :64]
    assert (outline(hand(0))[0] == (np.hypot(x - 32, y - 32) < 25)).all()


def test_another_exposure_is_matched_to_the_reference():
    reference = quantiles(hand(1))
    assert len(reference) == LEVELS
    dark = hand(2, exposure=0.3, offset=7.0)
    inside = outline(dark)
    result = sitk.GetArrayFromImage(matched(dark, reference))
    assert np.quantile(result[inside], [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(sitk.GetArrayFromImage(hand(1))[inside], [0.1, 0.5, 0.9]), rel=0.02
    )
    assert (result[~inside] == sitk.GetArrayFromImage(dark)[~inside]).all()


def test_the_reference_is_matched_to_itself_also_where_it_is_saturated():
    image = sitk.Minimum(hand(3), 150.0)
    result = sitk.GetArrayFromImage(matched(image, quantiles(image)))
    assert result == pytest.approx(sitk.GetArrayFromImage(image), abs=1.0)
