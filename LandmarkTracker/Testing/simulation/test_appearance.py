import numpy as np
import torch
from LandmarkTrackerLib.simulation.appearance import changed, cut_away, shading


def test_intensities_change_within_their_ranges():
    rng = np.random.default_rng(0)
    drawn = [changed(rng, torch.tensor([0.0, 1.0]), (0.75, 1.25), (-0.25, 0.25)) for _ in range(200)]
    shifts = [float(c[0]) for c in drawn]
    factors = [float(c[1] - c[0]) for c in drawn]
    assert -0.25 <= min(shifts) < -0.2 < 0.2 < max(shifts) <= 0.25
    assert 0.75 <= min(factors) < 0.8 < 1.2 < max(factors) <= 1.2501


def test_noise_is_no_stronger_than_asked():
    rng, flat = np.random.default_rng(0), torch.zeros(1, 50, 50)
    drawn = [float(changed(rng, flat, (1, 1), (0, 0), noise=0.1).std()) for _ in range(50)]
    assert min(drawn) < 0.02 < 0.08 < max(drawn) < 0.105


def test_shading_passes_through_its_knots():
    knots = np.random.default_rng(0).normal(size=(4, 4))
    np.testing.assert_allclose(shading(knots, 31)[::10, ::10], knots, atol=1e-6)


def test_what_is_cut_away_is_background_and_its_landmarks_are_gone():
    rng = np.random.default_rng(3)
    points = rng.uniform(5, 59, (20, 2))
    image, gone = cut_away(rng, torch.ones(1, 64, 64), points)
    assert 0 < gone.sum() < 20
    index = np.rint(points).astype(int)
    blank = image[0].numpy()[index[:, 1], index[:, 0]] == -1
    assert (blank == gone).mean() > 0.9
