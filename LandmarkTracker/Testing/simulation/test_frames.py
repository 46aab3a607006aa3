from __future__ import annotations

import numpy as np
import pytest
from LandmarkTrackerLib.simulation.frames import draw_bumps, draw_motion, draw_smooth


def test_a_smooth_field_reaches_exactly_as_far_as_asked():
    drawn = draw_smooth(np.random.default_rng(0), 48, 5.0)
    lengths = np.linalg.norm(drawn.on_axes([np.arange(48.0)] * 2), axis=0)
    assert lengths.shape == (48, 48)
    assert lengths.max() == pytest.approx(5.0)


def test_the_middle_moves_by_the_shift_and_at_most_as_far_as_both_displacements_reach():
    middle = np.full((1, 2), 32.0)
    for seed in range(20):
        motion = draw_motion(np.random.default_rng(seed), 64, shift=3.0, smooth=4.0, ripple=1.0)
        assert np.linalg.norm(motion(middle) - middle - motion.shift) <= 5.0
        assert len(motion.parts) in (1, 2)


def test_local_movements_are_as_large_as_asked_in_mm():
    """Of Gaussian bumps that cover the plane, a component's variance is half of that of one bump."""
    moved = []
    for seed in range(40):
        motion = draw_bumps(np.random.default_rng(seed), (128, 128), 2.0, 4.0)
        points = np.random.default_rng(seed).uniform(32, 96, (50, 2))
        moved.append(motion.parts[0](points) * 2.0)
    assert np.std(moved) == pytest.approx(4.0 / np.sqrt(2), rel=0.15)
