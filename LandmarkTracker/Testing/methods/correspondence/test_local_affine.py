from __future__ import annotations

import numpy as np
import pytest
from LandmarkTrackerLib.methods.correspondence.local_affine import agreeing, gate_around, local_motion


def bent(points: np.ndarray) -> np.ndarray:
    """A smooth motion of up to 20 pixels that changes from place to place."""
    d = points.shape[1]
    return points + 20 * np.sin(points[:, [(a + 1) % d for a in range(d)]] / 60) + np.arange(1.0, d + 1)


@pytest.mark.parametrize("d", [2, 3])
def test_an_affine_motion_is_predicted_exactly(d: int) -> None:
    rng = np.random.default_rng(0)
    fixed, matrix = rng.uniform(0, 200, (300, d)), np.eye(d) + rng.normal(0, 0.1, (d, d))
    asked = rng.uniform(20, 180, (50, d))
    # The ridge towards an unchanged shape weighs next to nothing among neighbours 10 pixels apart.
    places, shapes = local_motion(fixed, fixed @ matrix.T + 7, asked)
    np.testing.assert_allclose(places, asked @ matrix.T + 7, atol=0.1)
    np.testing.assert_allclose(shapes, np.broadcast_to(matrix.T, shapes.shape), atol=0.02)


@pytest.mark.parametrize("d", [2, 3])
def test_wrong_pairs_are_found_and_right_ones_kept(d: int) -> None:
    rng = np.random.default_rng(1)
    fixed = rng.uniform(0, {2: 250, 3: 120}[d], (600, d))
    moving = bent(fixed) + rng.normal(0, 0.4, fixed.shape)
    wrong = rng.random(600) < 0.2
    moving[wrong] += rng.normal(0, 1, (wrong.sum(), d)) * 40 + 10
    keep = agreeing(fixed, moving, 3.0)
    assert not (keep & wrong).any()
    assert keep[~wrong].mean() > 0.9


def test_a_pair_does_not_speak_for_itself() -> None:
    fixed = np.stack(np.meshgrid(np.arange(0, 100, 10.0), np.arange(0, 100, 10.0)), -1).reshape(-1, 2)
    moving = fixed + 5
    moving[45] += 50
    places, _ = local_motion(fixed, moving, fixed, leave_out=True)
    np.testing.assert_allclose(places[45], fixed[45] + 5, atol=0.5)


def test_pairs_at_random_agree_with_nobody() -> None:
    rng = np.random.default_rng(2)
    assert agreeing(rng.uniform(0, 300, (80, 2)), rng.uniform(0, 300, (80, 2)), 3.0).sum() < 5


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_few_pairs_have_no_neighbours_to_agree_with(count: int) -> None:
    points = np.random.default_rng(0).uniform(0, 9, (count, 2))
    assert not agreeing(points, points, 3.0).any()


def test_the_gate_is_a_ball_around_the_prediction() -> None:
    gate = gate_around(np.array([[10.0, 10.0], [50.0, 50.0]]), np.array([[13.0, 14.0], [16.0, 10.1]]), 5.0)
    assert gate(slice(0, 2)).tolist() == [[True, False], [False, False]]
