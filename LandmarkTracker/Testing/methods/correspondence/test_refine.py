from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.methods.correspondence.refine import FARTHEST, refined
from LandmarkTrackerLib.simulation.deformation import Deformation


def texture(*size: int) -> np.ndarray:
    """([k,] j, i) smooth texture, 0 to 1."""
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=size).astype(np.float32))
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 2.5))
    return (0.5 + 0.15 * smooth / smooth.std()).astype(np.float32)


def moved(image: np.ndarray, deformation: Deformation) -> np.ndarray:
    return deformation.apply(torch.from_numpy(image)[None], image.shape[::-1])[0].numpy()


@pytest.mark.parametrize("d", [2, 3])
def test_points_go_back_to_where_they_look_alike(d: int) -> None:
    rng = np.random.default_rng(1)
    size = np.array([90, 80] if d == 2 else [44, 40, 36])
    image = texture(*size[::-1])
    matrix = np.eye(d) + rng.uniform(-0.12, 0.12, (d, d))
    deformation = Deformation((size - 1) / 2, matrix, np.arange(1.0, d + 1))
    # The deformation goes from the moving image to the fixed one.
    partner = rng.uniform(0.3, 0.7, (60, d)) * size
    at = deformation(partner)
    brighter = 0.7 * moved(image, deformation) + 0.1
    shape = np.broadcast_to(np.linalg.inv(matrix).T, (60, d, d)).copy()
    wrong = partner + rng.uniform(-1.5, 1.5, partner.shape)
    found = refined(image, brighter, at, wrong, shape)
    before, after = (np.linalg.norm(x - partner, axis=1) for x in (wrong, found))
    assert np.median(after) < 0.1
    assert np.median(before) > 0.9
    assert (after < before).mean() > 0.9


@pytest.mark.parametrize("contrast", [0.0, 0.03])
def test_in_noise_points_stay(contrast: float) -> None:
    noise = np.random.default_rng(0).normal(0.5, contrast, (2, 50, 60)).astype(np.float32)
    at = np.random.default_rng(1).uniform(15, 35, (20, 2))
    found = refined(noise[0], noise[1], at, at, np.broadcast_to(np.eye(2), (20, 2, 2)).copy())
    assert (np.abs(found - at).max(axis=1) < 1e-5).mean() > 0.9


def test_no_point_moves_far_and_no_point_is_no_error() -> None:
    image, other = texture(60, 60), texture(60, 70)[:, ::-1][:, :60].copy()
    at = np.random.default_rng(1).uniform(10, 50, (30, 2))
    found = refined(image, other, at, at, np.broadcast_to(np.eye(2), (30, 2, 2)).copy())
    assert np.abs(found - at).max() <= FARTHEST + 1e-5
    assert refined(image, other, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2, 2))).shape == (0, 2)


def test_a_flat_surrounding_leaves_the_point_where_it_was():
    flat = np.full((60, 60), 0.5, dtype=np.float32)
    flat[:, 30:] += 1e-7
    at = np.array([[30.0, 30.0], [20.0, 25.0]])
    shape = np.broadcast_to(np.eye(2), (2, 2, 2)).copy()
    np.testing.assert_allclose(refined(flat, flat, at, at + 0.7, shape), at + 0.7, atol=1e-5)
