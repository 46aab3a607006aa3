"""The cyclic error of locators whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.cyclic import CHUNK, ErrorMap, Lattice, cyclic_error, template_error
from LandmarkTrackerLib.evaluation.cyclic_picture import draw_trust, error_by_sigma, scale_end
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, names_of


@dataclass
class Shifting:
    """Answers with where the landmark was shown, moved by what stands in the corner pixel of the image."""

    sigma: float = 2.0
    max_sigma_mm: float = np.inf
    described: int = 0

    def describe(self, image, landmarks):
        self.described += len(landmarks)
        return (Example(landmarks, None),)

    def locate(self, examples, image, prior=None):
        shown = examples[0].landmarks
        assert names_of(examples) == shown.names
        moved = shown.positions + (image[0, 0, 0], 0, 0)
        # Nothing is ever found left of 3 mm.
        found = moved[:, 0] >= 3 - 1e-9
        sigmas = np.tile([self.sigma, self.sigma, 0.0], (len(shown), 1))
        return LandmarkSet(shown.names, moved, sigmas, defined=found)


def image(corner: float, size=(40, 30), spacing=(1.0, 2.0)) -> sitk.Image:
    values = np.full((1, size[1], size[0]), 50.0, np.float32)
    values[0, 0, 0] = corner
    values[0, :, size[0] // 2 :] = 200
    result = sitk.GetImageFromArray(values)
    result.SetSpacing((*spacing, 5.0))
    return result


def run(steps) -> ErrorMap:
    steps = list(steps)
    assert [step.done for step in steps] == list(range(1, steps[-1].total + 1))
    assert all(step.result is None for step in steps[:-1])
    return steps[-1].result


def test_the_cyclic_error_is_how_far_there_and_back_again_ends_from_where_it_began():
    """Into the first target by 4, into the second by 7 mm, and back into the source by 0.5 mm each time."""
    targets = {"a": lambda: image(4.0), "b": lambda: image(7.0)}
    result = run(cyclic_error(Shifting(), image(0.5), targets))
    assert result.errors.shape == (2, 15, 20)
    # Columns beyond the target's edge are not found: what is left of the image is not an answer.
    np.testing.assert_allclose(result.errors[0, :, :17], 4.5)
    np.testing.assert_allclose(result.errors[1, :, :16], 7.5)
    assert np.isnan(result.errors[0, :, 18:]).all()
    np.testing.assert_allclose(result.mean[:, :16], 6.0)
    np.testing.assert_allclose(result.sd[:, :16], 1.5)
    np.testing.assert_allclose(result.mean[:, 17], 4.5)
    assert np.isnan(result.mean[:, 19]).all()


def test_sigma_of_both_ways_is_added_as_variances():
    result = run(cyclic_error(Shifting(sigma=3.0), image(0.0), {"a": lambda: image(4.0)}))
    np.testing.assert_allclose(result.mean_sigma[:, :17], np.sqrt(2) * 3.0)
    template = run(template_error(Shifting(sigma=3.0), image(4.0)))
    np.testing.assert_allclose(template.mean_sigma, 3.0)
    np.testing.assert_allclose(template.errors, 4.0)


def test_every_step_th_pixel_is_sought_once_in_chunks():
    locator = Shifting()
    result = run(template_error(locator, image(4.0, size=(101, 73)), step=2))
    assert result.errors.shape == (1, 37, 51)
    assert locator.described == 37 * 51 > CHUNK
    index = Lattice(Grid.of(image(0.0)), 3).index
    np.testing.assert_array_equal(index[[0, 1, 14]], [[0, 0, 0], [3, 0, 0], [0, 3, 0]])


def test_numbers_over_all_pixels_and_over_those_that_are_not_background():
    errors = np.zeros((1, 10, 10))
    errors[:, :, 5:] = 4.0
    sigma = np.where(errors == 0, 1.0, 2.0)
    errors[0, 0, 0] = np.nan
    body = np.zeros((10, 10), bool)
    body[:, 5:] = True
    numbers = ErrorMap(Lattice(Grid.of(image(0.0, (20, 20)))), errors, sigma, body).summary()
    assert numbers["mean"] == pytest.approx(200 / 99)
    assert numbers["answered"] == pytest.approx(0.99)
    assert numbers["within_sigma"] == pytest.approx(49 / 99)
    assert numbers["correlation"] > 0.7
    assert (numbers["body_mean"], numbers["body_median"], numbers["body_within_sigma"]) == (4.0, 4.0, 0.0)


def test_what_is_background_is_told_by_its_brightness():
    bright = run(template_error(Shifting(), image(4.0), step=1)).body
    assert bright[:, 22:].all()
    assert not bright[:, :17].any()


def test_no_target_and_volumes_are_refused():
    with pytest.raises(InputError, match="no target"):
        next(cyclic_error(Shifting(), image(0.0), {}))
    with pytest.raises(InputError, match="4 slices"):
        next(template_error(Shifting(), sitk.Image(8, 8, 4, sitk.sitkFloat32)))


def test_the_picture_shows_error_by_sigma_and_has_a_round_scale(tmp_path):
    rng = np.random.default_rng(0)
    sigma = rng.uniform(1, 10, (3, 15, 20))
    errors = np.hypot(*(sigma * rng.normal(size=(2, *sigma.shape))))
    result = ErrorMap(Lattice(Grid.of(image(0.0))), errors, sigma, np.ones((15, 20), bool))
    expected, measured = error_by_sigma(result)
    np.testing.assert_allclose(measured, 1.2533 * expected, rtol=0.25)
    assert (scale_end(np.array([0.3, np.nan, 7.9])), scale_end(np.array([np.nan]))) == (10.0, 1.0)
    draw_trust(tmp_path / "x.png", [("a", image(0.0), result, result)])
    assert (tmp_path / "x.png").stat().st_size > 20000
