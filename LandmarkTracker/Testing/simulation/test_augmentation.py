"""Warped images and warped landmarks must agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.simulation.augmentation import (
    AugmentationConfig,
    changed_intensity,
    cut_away,
    draw_warp,
)


def blob(shape: tuple[int, ...], at: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    """([k,] j, i) a Gaussian on background -1 at index (i, j[, k])."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)[..., ::-1]
    return (np.exp(-((grid - at) ** 2).sum(-1) / (2 * sigma**2)) * 2 - 1).astype(np.float32)


def centre_of(image: torch.Tensor) -> np.ndarray:
    """Centre of mass above the background, as index (i, j[, k])."""
    values = image[0].numpy() + 1
    return np.array([np.average(g, weights=values) for g in np.indices(values.shape)])[::-1]


@pytest.mark.parametrize(
    ("shape", "point"), [((96, 80), (33.25, 51.5)), ((40, 48, 44), (20.5, 26.25, 17.0))], ids=["2D", "3D"]
)
@pytest.mark.parametrize("seed", range(4))
def test_a_landmark_goes_where_the_image_shows_it(shape, point, seed):
    rng = np.random.default_rng(seed)
    config = AugmentationConfig(translate=4.0, elastic=2.0, nodes=7)
    warp = draw_warp(rng, config, shape, shape[::-1])
    point = np.array(point)
    seen = warp.to_output(point[None])[0]
    assert np.abs(seen - point).max() > 0.5
    assert np.abs(centre_of(warp.image(blob(shape, point))) - seen).max() < 0.3


def test_the_inverse_is_exact_also_for_strong_deformation():
    warp = draw_warp(np.random.default_rng(1), AugmentationConfig(), (512, 512), (512, 512))
    output = np.array([[40.0, 300.0], [256.0, 256.0], [490.0, 20.0]])
    read = warp.centre + (output - warp.middle) @ warp.matrix.T + warp.displacement(output)
    assert np.abs(warp.to_output(read) - output).max() < 1e-3


def test_without_any_range_nothing_changes():
    config = AugmentationConfig((1, 1), (0, 0), 0.0, 0.0, (1, 1), 0.0)
    image = np.random.default_rng(0).normal(size=(24, 32)).astype(np.float32)
    warp = draw_warp(np.random.default_rng(0), config, image.shape, (32, 24))
    assert np.allclose(warp.image(image)[0], image, atol=1e-4)
    assert np.allclose(warp.to_output(np.array([[3.5, 7.25]])), [[3.5, 7.25]])


@pytest.mark.parametrize("size", [2, 3])
def test_the_ranges_are_those_that_were_asked_for(size):
    config = AugmentationConfig(rotate=15.0, scale=(0.6, 1.4), elastic=0.0, translate=20.0)
    rng = np.random.default_rng(0)
    warps = [draw_warp(rng, config, (64,) * size, (64,) * size) for _ in range(200)]
    scales = np.array([np.linalg.det(w.matrix) ** (-1 / size) for w in warps])
    assert 0.6 <= scales.min() < 0.65
    assert 1.35 < scales.max() <= 1.4
    shifts = np.array([np.linalg.solve(w.matrix, w.centre - w.middle) for w in warps])
    assert 19 < np.abs(shifts).max() <= 20
    if size == 2:
        angles = [np.degrees(np.arctan2(w.matrix[1, 0], w.matrix[0, 0])) for w in warps]
        assert 14 < np.abs(angles).max() <= 15


def test_any_orientation_is_a_rotation_of_any_angle():
    config = AugmentationConfig(rotate=180.0, scale=(1, 1))
    rng = np.random.default_rng(0)
    turns = [draw_warp(rng, config, (8, 8, 8), (8, 8, 8)).matrix for _ in range(300)]
    assert all(np.isclose(np.linalg.det(turn), 1) for turn in turns)
    assert abs(np.mean([np.trace(turn) for turn in turns])) < 0.2


def test_a_part_of_a_larger_volume_is_taken_anywhere_along_it():
    config = AugmentationConfig((1, 1), (0, 0), 0.0, 0.0, (1, 1), 0.0)
    rng = np.random.default_rng(0)
    firsts = [draw_warp(rng, config, (64, 16), (16, 16)).to_output(np.zeros((1, 2)))[0] for _ in range(100)]
    assert np.allclose([f[0] for f in firsts], 0)
    assert -48 <= min(f[1] for f in firsts) < -40
    assert -8 < max(f[1] for f in firsts) <= 1e-9


def test_what_is_cut_away_is_background_and_its_landmarks_are_gone():
    rng = np.random.default_rng(3)
    points = rng.uniform(5, 59, (20, 2))
    image, gone = cut_away(rng, torch.ones(1, 64, 64), points)
    assert 0 < gone.sum() < 20
    index = np.rint(points).astype(int)
    blank = image[0].numpy()[index[:, 1], index[:, 0]] == -1
    assert (blank == gone).mean() > 0.9


def test_intensities_change_within_their_ranges():
    rng = np.random.default_rng(0)
    changed = [changed_intensity(rng, AugmentationConfig(), torch.tensor([0.0, 1.0])) for _ in range(200)]
    shifts = [float(c[0]) for c in changed]
    factors = [float(c[1] - c[0]) for c in changed]
    assert -0.25 <= min(shifts) < -0.2 < 0.2 < max(shifts) <= 0.25
    assert 0.75 <= min(factors) < 0.8 < 1.2 < max(factors) <= 1.2501
