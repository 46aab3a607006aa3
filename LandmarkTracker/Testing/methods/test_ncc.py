from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.jobs.propagate import propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.ncc import NccLocator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results


def shifted(image: sitk.Image, mm: tuple[float, float, float]) -> sitk.Image:
    """The image with its content moved by `mm` (LPS)."""
    move = sitk.TranslationTransform(3, [-x for x in mm])
    return sitk.Resample(image, image, move, sitk.sitkBSpline)


def test_a_sub_pixel_shift_is_recovered_to_a_quarter_of_a_pixel():
    phantom = Phantom(5, frames=1, noise=0.01)
    image, shown = phantom.cine()[0], phantom.landmarks(0).select(["lesion", "vessel 1", "kidney upper pole"])
    move = (0.0, 0.63, -1.17)
    locator = NccLocator()
    found = locator.locate(locator.describe(image, shown), shifted(image, move))
    np.testing.assert_allclose(found.positions - shown.positions, [move] * 3, atol=0.25 * phantom.spacing)


def test_a_volume_is_searched_along_all_three_axes():
    noise = np.random.default_rng(1).normal(size=(40, 44, 48)).astype(np.float32)
    image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise), 2.0)
    image.SetSpacing((1.0, 1.2, 2.0))
    shown = LandmarkSet.of({"inside": Grid.of(image).to_world((24.0, 20.0, 19.0))})
    locator = NccLocator()
    found = locator.locate(locator.describe(image, shown), shifted(image, (2.0, -2.4, 4.0)))
    np.testing.assert_allclose(
        found["inside"].position - shown["inside"].position, (2.0, -2.4, 4.0), atol=0.1
    )
    assert (found["inside"].sigma > 0).all()


def test_along_an_edge_it_is_less_certain_than_across_it():
    found = list(results(propagate(Phantom(0, frames=3).cine(), NccLocator(), {0: Phantom(0).landmarks(0)})))[
        1
    ].landmarks
    along_columns, along_rows, through_plane = found["liver dome"].sigma
    assert along_columns > 2 * along_rows > 0
    assert through_plane == 0


def test_the_better_of_two_examples_decides():
    phantom = Phantom(0, frames=2)
    image, shown = phantom.cine()[0], phantom.landmarks(0)
    locator = NccLocator()
    noise = sitk.AdditiveGaussianNoise(image * 0, 50.0)
    examples = (
        locator.describe(noise, shown) + locator.describe(image, shown) + locator.describe(noise, shown)
    )
    found = locator.locate(examples, image, shown)
    np.testing.assert_allclose(found.positions, shown.positions, atol=0.1)


def test_scores_fall_when_the_patch_is_not_there():
    phantom = Phantom(0, frames=1)
    image, shown = phantom.cine()[0], phantom.landmarks(0)
    locator = NccLocator()
    examples = locator.describe(image, shown)
    noise = sitk.AdditiveGaussianNoise(image * 0, 50.0)
    assert locator.locate(examples, noise).scores.max() < 0.3 < locator.locate(examples, image).scores.min()


def test_a_breathing_torso_is_followed_within_a_few_millimetres():
    phantom = Phantom(7, frames=24)
    steps = results(propagate(phantom.cine(), NccLocator(), {0: phantom.landmarks(0)}))
    found = track_of(phantom.cine(), {step.frame: step.landmarks for step in steps})
    error = np.linalg.norm(found.positions - phantom.track().positions, axis=2)
    assert np.nanmedian(error) == pytest.approx(0.3, abs=0.3)
    assert np.nanmax(error) < 5
