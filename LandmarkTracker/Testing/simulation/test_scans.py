from __future__ import annotations

import numpy as np
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic, draw_pose


def displacements(kind: str, count: int = 60) -> np.ndarray:
    size, lengths = (380.0, 300.0), []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        draw = {"affine": draw_affine, "elastic": draw_elastic}[kind]
        points = rng.uniform(0, 1, (200, 2)) * size
        lengths.append(np.linalg.norm(draw(rng, size, Extent())(points) - points, axis=1))
    return np.percentile(np.concatenate(lengths), (25, 50, 75))


def test_affine_pairs_are_as_far_apart_as_those_of_the_paper() -> None:
    """Median 29 mm, quartiles 14 and 51 mm."""
    np.testing.assert_allclose(displacements("affine"), (14, 29, 51), rtol=0.25)


def test_elastic_pairs_are_as_far_apart_as_those_of_the_paper() -> None:
    """Median 12 mm, quartiles 9 and 15 mm."""
    np.testing.assert_allclose(displacements("elastic"), (9, 12, 15), rtol=0.25)


def test_elastic_deformations_do_not_fold() -> None:
    for seed in range(20):
        drawn = draw_elastic(np.random.default_rng(seed), (150, 120, 100), Extent())
        assert drawn.least_jacobian((150, 120, 100), 24) > 0


def test_a_pose_shows_the_axes_in_another_order_and_scale() -> None:
    for seed in range(20):
        pose = draw_pose(np.random.default_rng(seed), 3)
        scale = np.abs(pose).max()
        assert 0.8 < scale < 1.25
        np.testing.assert_allclose(pose @ pose.T, scale**2 * np.eye(3))
