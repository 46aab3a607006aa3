from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.warping import checkerboard, fit, fit_affine, fit_rigid, fit_thin_plate, warp

OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


def volume(size: tuple[int, int, int] = (40, 36, 30)) -> sitk.Image:
    noise = np.random.default_rng(0).normal(size=size[::-1]).astype(np.float32)
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing((2.0, 2.5, 3.0))
    image.SetOrigin((-41.5, 12.25, 7.0))
    image.SetDirection(OBLIQUE)
    return sitk.SmoothingRecursiveGaussian(image, 6.0)


def points(image: sitk.Image, count: int, seed: int = 0) -> np.ndarray:
    index = np.random.default_rng(seed).uniform(0.05, 0.95, (count, 3)) * (np.array(image.GetSize()) - 1)
    return np.array([image.TransformContinuousIndexToPhysicalPoint(i) for i in index.tolist()])


def sent(transform: sitk.Transform, where: np.ndarray) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in where.tolist()])


def bent(where: np.ndarray) -> np.ndarray:
    """A smooth map that no affine one follows."""
    return where + np.array([6.0, -3.0, 2.0]) + 5 * np.sin(where[:, [1, 2, 0]] / 30)


@pytest.mark.parametrize("d", [2, 3])
def test_a_rigid_motion_is_found_exactly_and_never_as_a_mirror_image(d: int) -> None:
    fixed = np.random.default_rng(0).normal(0, 30, (6, d))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(d, d)))[0]
    turn[:, 0] *= np.linalg.det(turn)
    moving = fixed @ turn.T + np.array([3.0, -7.0, 11.0])[:d]
    transform = fit_rigid(fixed, moving, np.ones(6))
    np.testing.assert_allclose(sent(transform, fixed), moving, atol=1e-6)
    mirrored = fit_rigid(fixed, fixed * np.array([-1.0, 1, 1])[:d], np.ones(6))
    matrix = np.array(mirrored.GetMatrix()).reshape(d, d)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_points_in_one_plane_of_space_fix_a_rigid_transform() -> None:
    fixed = np.random.default_rng(0).normal(0, 30, (8, 3)) * np.array([1, 1, 0])
    moving = fixed[:, [2, 0, 1]] + 5.0
    np.testing.assert_allclose(sent(fit_rigid(fixed, moving, np.ones(8)), fixed), moving, atol=1e-6)


def test_a_pair_weighs_as_much_as_its_score() -> None:
    rng = np.random.default_rng(0)
    fixed = rng.normal(0, 30, (20, 3))
    moving = fixed + 4.0
    moving[0] += 60
    for f in (fit_rigid, fit_affine):
        trusted = np.ones(20)
        doubted = np.where(np.arange(20) == 0, 1e-6, 1.0)
        off = [np.abs(sent(f(fixed, moving, w), fixed[1:]) - moving[1:]).max() for w in (trusted, doubted)]
        assert off[1] < 1e-3 < off[0]


def test_a_thin_plate_follows_a_smooth_map_between_its_landmarks() -> None:
    image = volume()
    fixed, others = points(image, 200), points(image, 100, seed=1)
    plate = fit_thin_plate(fixed, bent(fixed), np.ones(200), image)
    assert np.abs(sent(plate, fixed) - bent(fixed)).max() < 1
    error = np.linalg.norm(sent(plate, others) - bent(others), axis=1)
    assert np.median(error) < 0.5
    affine = fit_affine(fixed, bent(fixed), np.ones(200))
    assert np.median(np.linalg.norm(sent(affine, others) - bent(others), axis=1)) > 4 * np.median(error)


def test_a_thin_plate_does_not_follow_a_pair_of_no_score() -> None:
    image = volume()
    fixed = points(image, 150)
    moving = bent(fixed)
    moving[7] += 30
    scores = np.ones(150)
    scores[7] = 0
    plate = fit_thin_plate(fixed, moving, scores, image)
    assert np.linalg.norm(sent(plate, fixed[7:8]) - bent(fixed[7:8])) < 6


@pytest.mark.parametrize("is_slice", [True, False])
def test_the_warped_scan_shows_the_moving_one_in_the_place_of_the_fixed_one(is_slice: bool) -> None:
    fixed = volume()[:, :, 12:13] if is_slice else volume()
    # The same anatomy, lying elsewhere and on other pixels.
    shift = np.array([7.0, -4.0, 2.0])
    moving = sitk.Resample(
        fixed,
        [fixed.GetSize()[0] + 6, fixed.GetSize()[1] + 4, fixed.GetSize()[2]],
        sitk.Transform(),
        sitk.sitkLinear,
        fixed.GetOrigin(),
        fixed.GetSpacing(),
        fixed.GetDirection(),
    )
    moving.SetOrigin((np.array(moving.GetOrigin()) + shift).tolist())
    where = points(fixed, 60)
    warped = warp(fixed, moving, LandmarkPairs(where, where + shift, np.ones(60)))
    assert warped.GetSize() == fixed.GetSize()
    inner = (slice(None), slice(3, -3), slice(3, -3)) if is_slice else (slice(3, -3),) * 3
    a, b = (sitk.GetArrayFromImage(image)[inner] for image in (fixed, warped))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99


def test_few_pairs_still_give_a_rigid_transform() -> None:
    image = volume()
    fixed = points(image, 3)
    np.testing.assert_allclose(sent(fit(fixed, fixed + 2, np.ones(3), image), fixed), fixed + 2, atol=1e-6)
    with pytest.raises(InputError, match="too few"):
        fit(fixed, fixed + 2, np.ones(3), image, "thin-plate")
    with pytest.raises(InputError, match="too few"):
        fit(fixed[:2], fixed[:2] + 2, np.ones(2), image)


def test_landmarks_in_a_plane_fix_no_affine_transform_of_space() -> None:
    flat = np.random.default_rng(0).normal(0, 30, (20, 3)) * np.array([1, 1, 0])
    with pytest.raises(InputError, match="line or plane"):
        fit_affine(flat, flat + 1, np.ones(20))


def test_the_board_shows_both_scans_in_equal_parts() -> None:
    a, b = sitk.Image(64, 32, 8, sitk.sitkInt16), sitk.Image(64, 32, 8, sitk.sitkInt16) + 1
    for image in (a, b):
        image.SetSpacing((1.0, 1.0, 4.0))
    board = sitk.GetArrayFromImage(checkerboard(a, b, 8))
    assert board.mean() == pytest.approx(0.5)
    assert board[0, 0, 0] != board[0, 0, 8]
    assert board[0, 0, 0] != board[0, 8, 0]
