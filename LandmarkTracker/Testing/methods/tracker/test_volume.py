"""A tracker of slices on volumes, where the motion is known exactly."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.propagate import propagate
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.ncc import NccLocator
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.methods.tracker.volume import VolumeTracker
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results

MOVE = np.array([2.3, -3.0, 4.2])
TURNED = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


@pytest.fixture(scope="module")
def still() -> sitk.Image:
    """Texture everywhere, oblique in space, with voxels that are not cubes."""
    noise = sitk.GetImageFromArray(np.random.default_rng(1).normal(size=(40, 52, 56)).astype(np.float32))
    fine, coarse = (sitk.SmoothingRecursiveGaussian(noise, s) for s in (1.8, 4.0))
    image = sitk.Normalize(fine) + 2 * sitk.Normalize(coarse)
    image.SetSpacing((1.0, 1.2, 1.5))
    image.SetOrigin((-20.0, 7.5, 3.0))
    image.SetDirection(TURNED)
    return image


@pytest.fixture(scope="module")
def shown(still) -> LandmarkSet:
    index = np.array([[27.0, 25.0, 19.0], [30.4, 22.7, 21.2]])
    return LandmarkSet(("a", "b"), Grid.of(still).to_world(index))


def moved(image: sitk.Image) -> sitk.Image:
    return sitk.Resample(image, image, sitk.TranslationTransform(3, (-MOVE).tolist()), sitk.sitkBSpline)


@pytest.mark.parametrize(
    ("locator", "mm"),
    [(VolumeTracker(NccLocator()), 0.15), (make_locator("tracker", "cpu"), 0.4)],
    ids=["ncc", "tracker"],
)
def test_a_shift_along_all_three_axes_is_recovered(still, shown, locator, mm):
    cine = Cine.of([still, moved(still)])
    found = list(results(propagate(cine, locator, {0: shown})))[1].landmarks
    np.testing.assert_allclose(found.positions - shown.positions, [MOVE] * 2, atol=mm)
    assert (found.sigmas > 0).all()
    assert (found.scores > 0.5).all()


def test_along_a_bar_it_is_less_certain_than_across_it(still):
    texture = sitk.GetArrayFromImage(still)
    bars = sitk.GetImageFromArray(np.repeat(texture[:, 26:27], 52, axis=1))
    point = LandmarkSet.of({"bar": (27.0, 25.0, 19.0)})
    locator = VolumeTracker(NccLocator())
    along_columns, along_rows, along_slices = locator.locate(locator.describe(bars, point), bars)["bar"].sigma
    assert along_rows > 3 * max(along_columns, along_slices) > 0


def test_the_better_of_two_examples_decides(still, shown):
    locator = VolumeTracker(NccLocator())
    noise = sitk.AdditiveGaussianNoise(still * 0, 50.0)
    examples = locator.describe(noise, shown) + locator.describe(still, shown)
    np.testing.assert_allclose(locator.locate(examples, still, shown).positions, shown.positions, atol=0.1)


def test_a_landmark_that_no_plane_finds_is_missing(still, shown):
    class Blind(NccLocator):
        def locate(self, examples, image, prior=None):
            return LandmarkSet.missing(examples[0].landmarks.names)

    locator = VolumeTracker(Blind())
    found = locator.locate(locator.describe(still, shown), still)
    assert found.names == shown.names
    assert not found.defined.any()


def test_slices_are_passed_on_as_they_are():
    phantom = Phantom(3, frames=2)
    answers = []
    for locator in (NccLocator(), VolumeTracker(NccLocator())):
        examples = locator.describe(phantom.cine()[0], phantom.landmarks(0))
        answers.append(locator.locate(examples, phantom.cine()[1], phantom.landmarks(0)))
    np.testing.assert_array_equal(answers[0].positions, answers[1].positions)
    np.testing.assert_array_equal(answers[0].sigmas, answers[1].sigmas)
