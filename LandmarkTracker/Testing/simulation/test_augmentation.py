"""Warped images and warped landmarks must agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.simulation.appearance import BACKGROUND
from LandmarkTrackerLib.simulation.augmentation import AugmentationConfig
from LandmarkTrackerLib.simulation.deformation import Deformation


def blob(shape: tuple[int, ...], at: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    """([k,] j, i) a Gaussian on background -1 at index (i, j[, k])."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)[..., ::-1]
    return (np.exp(-((grid - at) ** 2).sum(-1) / (2 * sigma**2)) * 2 - 1).astype(np.float32)


def shown(warp: Deformation, image: np.ndarray) -> torch.Tensor:
    """(1, *spatial) of the same size; background beyond its border."""
    return warp.apply(torch.from_numpy(image)[None], image.shape[::-1], BACKGROUND)


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
    warp = config.draw(rng, shape, shape[::-1])
    point = np.array(point)
    seen = warp.apply_to_points(point[None])[0]
    assert np.abs(seen - point).max() > 0.5
    assert np.abs(centre_of(shown(warp, blob(shape, point))) - seen).max() < 0.3


def test_slices_may_be_interpolated_cubically():
    """Half a pixel beside its samples a parabola is met by cubics, and missed by lines by an eighth."""
    ramp = torch.arange(16.0).square().expand(16, 16)[None]
    half = Deformation(np.zeros(2), np.eye(2), np.array([0.5, 0.0]))
    linear, cubic = (half.apply(ramp, (16, 16), cubic=c)[0, 8, 7].item() for c in (False, True))
    assert linear == pytest.approx(7.5**2 + 0.25, abs=1e-3)
    assert abs(cubic - 7.5**2) < abs(linear - 7.5**2)
    volume = torch.rand(1, 6, 6, 6)
    same = Deformation.none(np.zeros(3))
    torch.testing.assert_close(same.apply(volume, (6, 6, 6), cubic=True), volume)


def test_the_inverse_is_exact_also_for_strong_deformation():
    warp = AugmentationConfig().draw(np.random.default_rng(1), (512, 512), (512, 512))
    output = np.array([[40.0, 300.0], [256.0, 256.0], [490.0, 20.0]])
    assert np.abs(warp.apply_to_points(warp(output)) - output).max() < 1e-3


def test_without_any_range_nothing_changes():
    config = AugmentationConfig((1, 1), (0, 0), 0.0, 0.0, (1, 1), 0.0)
    image = np.random.default_rng(0).normal(size=(24, 32)).astype(np.float32)
    warp = config.draw(np.random.default_rng(0), image.shape, (32, 24))
    assert np.allclose(shown(warp, image)[0], image, atol=1e-4)
    assert np.allclose(warp.apply_to_points(np.array([[3.5, 7.25]])), [[3.5, 7.25]])


@pytest.mark.parametrize("size", [2, 3])
def test_the_ranges_are_those_that_were_asked_for(size):
    config = AugmentationConfig(rotate=15.0, scale=(0.6, 1.4), elastic=0.0, translate=20.0)
    rng = np.random.default_rng(0)
    warps = [config.draw(rng, (64,) * size, (64,) * size) for _ in range(200)]
    scales = np.array([np.linalg.det(w.matrix) ** (-1 / size) for w in warps])
    assert 0.6 <= scales.min() < 0.65
    assert 1.35 < scales.max() <= 1.4
    shifts = np.array([np.linalg.solve(w.matrix, w.shift) for w in warps])
    assert 19 < np.abs(shifts).max() <= 20
    if size == 2:
        angles = [np.degrees(np.arctan2(w.matrix[1, 0], w.matrix[0, 0])) for w in warps]
        assert 14 < np.abs(angles).max() <= 15


def test_any_orientation_is_a_rotation_of_any_angle():
    config = AugmentationConfig(rotate=180.0, scale=(1, 1))
    rng = np.random.default_rng(0)
    turns = [config.draw(rng, (8, 8, 8), (8, 8, 8)).matrix for _ in range(300)]
    assert all(np.isclose(np.linalg.det(turn), 1) for turn in turns)
    assert abs(np.mean([np.trace(turn) for turn in turns])) < 0.2


def test_a_part_of_a_larger_volume_is_taken_anywhere_along_it():
    config = AugmentationConfig((1, 1), (0, 0), 0.0, 0.0, (1, 1), 0.0)
    rng = np.random.default_rng(0)
    firsts = [config.draw(rng, (64, 16), (16, 16)).apply_to_points(np.zeros((1, 2)))[0] for _ in range(100)]
    assert np.allclose([f[0] for f in firsts], 0)
    assert -48 <= min(f[1] for f in firsts) < -40
    assert -8 < max(f[1] for f in firsts) <= 1e-9
