"""Peaks of heatmaps against Gaussians whose place, width and height are known."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.methods.heatmap.peaks import find_peaks


def gaussian(shape: tuple[int, ...], at: tuple[float, ...], sigma: float) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)[..., ::-1]
    return np.exp(-((grid - np.array(at)) ** 2).sum(-1) / (2 * sigma**2)).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "at"),
    [((40, 50), (20.3, 17.8)), ((40, 50), (3.0, 35.49)), ((20, 24, 28), (10.2, 11.7, 8.5))],
)
def test_the_peak_of_a_gaussian_is_found_between_the_pixels(shape, at):
    peaks = find_peaks(gaussian(shape, at, 2.0)[None], radius=8)
    assert np.allclose(peaks.index[0], at, atol=0.01)
    assert 0.9 < peaks.height[0] <= 1
    # What lies below a fifth of the height is not counted, which takes about a quarter off.
    assert np.allclose(peaks.sigma[0], 2.0 * 0.78, rtol=0.12)


def test_a_wider_peak_is_less_certain():
    widths = [find_peaks(gaussian((64, 64), (30, 30), s)[None], radius=20).sigma.mean() for s in (1.5, 3, 5)]
    assert widths == sorted(widths)
    assert widths[2] / widths[0] == pytest.approx(5 / 1.5, rel=0.15)


def test_the_peak_agrees_with_the_heatmap_resized_to_the_image():
    """The paper resizes heatmaps to the image before it takes the maximum."""
    heatmap = gaussian((32, 32), (13.3, 19.6), 1.7) + 0.5 * gaussian((32, 32), (20.0, 8.0), 3.0)
    factor = 8
    image = sitk.GetImageFromArray(heatmap)
    large = sitk.Resample(
        image,
        (32 * factor, 32 * factor),
        sitk.Transform(),
        sitk.sitkBSpline,
        [(1 / factor - 1) / 2] * 2,
        [1 / factor] * 2,
    )
    row, column = np.unravel_index(sitk.GetArrayFromImage(large).argmax(), large.GetSize()[::-1])
    resized = (np.array([column, row]) + 0.5) / factor - 0.5
    assert np.abs(find_peaks(heatmap[None], radius=5).index[0] - resized).max() <= 1 / factor


def test_the_highest_of_several_peaks_wins_and_border_peaks_stay_on_the_image():
    heatmap = 0.9 * gaussian((32, 32), (8, 8), 2.0) + gaussian((32, 32), (31, 20), 2.0)
    peaks = find_peaks(heatmap[None], radius=6)
    assert peaks.index[0] == pytest.approx((31, 20), abs=0.1)


def test_a_heatmap_without_any_response_has_no_height():
    peaks = find_peaks(np.zeros((1, 16, 16), np.float32), radius=4)
    assert peaks.height[0] == 0
    assert np.isfinite(peaks.index).all()
    assert np.isfinite(peaks.sigma).all()
