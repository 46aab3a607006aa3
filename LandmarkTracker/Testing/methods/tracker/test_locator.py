"""The shipped tracker on images whose truth is exact."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.jobs.propagate import propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.methods.tracker.locator import TrackerLocator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results
from LandmarkTrackerLib.weights import load_model
from simulated_motion import SimulatedMotion

# Its training drew the phantoms from another range of seeds.
PHANTOM = Phantom(20_007, frames=24)


@pytest.fixture(scope="module")
def locator():
    return make_locator("tracker", "cpu")


def test_in_the_image_that_was_clicked_it_answers_with_the_click(locator):
    image, shown = PHANTOM.cine()[0], PHANTOM.landmarks(0)
    found = locator.locate(locator.describe(image, shown), image)
    np.testing.assert_allclose(found.positions, shown.positions, atol=0.3 * PHANTOM.spacing)
    assert found.defined.all()


def test_a_breathing_torso_is_followed_to_about_a_millimetre(locator):
    steps = results(propagate(PHANTOM.cine(), locator, {0: PHANTOM.landmarks(0)}))
    found = track_of(PHANTOM.cine(), {step.frame: step.landmarks for step in steps})
    error = np.linalg.norm(found.positions - PHANTOM.track().positions, axis=2)[1:]
    still = np.linalg.norm(PHANTOM.track().positions - PHANTOM.landmarks(0).positions, axis=2)[1:]
    assert np.nanmean(error) < min(1.5, 0.3 * still.mean())
    assert np.isnan(error).mean() < 0.1


def test_a_wrong_start_is_taken_back(locator):
    image, shown = PHANTOM.cine()[0], PHANTOM.landmarks(0).select(["lesion", "vessel 1", "vessel 2"])
    wrong = LandmarkSet(shown.names, shown.positions + [0, 9 * 1.8, -7 * 1.8])
    found = locator.locate(locator.describe(image, shown), image, wrong)
    np.testing.assert_allclose(found.positions, shown.positions, atol=1.0)


def test_a_landmark_that_is_nowhere_near_is_sought_in_the_whole_image(locator):
    image, shown = PHANTOM.cine()[0], PHANTOM.landmarks(0).select(["kidney upper pole"])
    far = LandmarkSet(shown.names, shown.positions + [0, -100, 60])
    found = locator.locate(locator.describe(image, shown), image, far)
    np.testing.assert_allclose(found.positions, shown.positions, atol=2.0)


def test_in_an_image_of_noise_most_landmarks_are_missing(locator):
    image, shown = PHANTOM.cine()[0], PHANTOM.landmarks(0)
    noise = sitk.AdditiveGaussianNoise(sitk.Cast(image * 0, sitk.sitkFloat32), 50.0)
    found = locator.locate(locator.describe(image, shown), noise)
    assert np.median(found.scores) == 0


def test_sigma_covers_the_errors_of_a_simulated_motion(locator):
    motion = SimulatedMotion(PHANTOM.cine()[0], seed=4, frames=6)
    index = [(i, j, 0) for i in range(40, 100, 12) for j in range(55, 120, 13)]
    shown = LandmarkSet(tuple(map(str, range(len(index)))), motion.grid.to_world(index))
    found = [step.landmarks for step in results(propagate(motion.cine(), locator, {0: shown}))][1:]
    off = np.stack([f.positions for f in found]) - motion.track(shown).positions[1:]
    along = np.abs(off @ np.linalg.inv(motion.grid.axes).T * np.array(motion.grid.spacing))[..., :2]
    sigma = np.stack([f.sigmas for f in found])[..., :2]
    covered = (along <= 1.645 * sigma)[np.isfinite(along)].mean()
    assert 0.6 < covered <= 1.0


def test_volumes_are_refused_in_words():
    locator = TrackerLocator(load_model("tracker"), "cpu")
    volume = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(8, 20, 20)).astype(np.float32))
    with pytest.raises(InputError, match="works on slices"):
        locator.describe(volume, LandmarkSet.of({"a": (5, 5, 5)}))
