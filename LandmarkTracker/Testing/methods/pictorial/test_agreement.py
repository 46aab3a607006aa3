import numpy as np
import pytest
from LandmarkTrackerLib.methods.pictorial.agreement import agreed

TWICE = np.array([0, 0])


def test_one_answer_stays_as_it_is():
    place, sigma = agreed(np.array([0]), 1, np.array([[3.0, 4.0]]), np.array([0.5]))
    np.testing.assert_allclose(place, [[3.0, 4.0]])
    assert sigma == pytest.approx(0.5)


def test_equal_answers_are_no_surer_than_each_of_them():
    places = np.array([[3.0, 4.0], [3.0, 4.0]])
    place, sigma = agreed(TWICE, 1, places, np.array([0.5, 0.5]))
    np.testing.assert_allclose(place, [[3.0, 4.0]])
    assert sigma == pytest.approx(0.5)


def test_an_example_that_is_unsure_hardly_counts():
    place, sigma = agreed(TWICE, 1, np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([0.1, 10.0]))
    assert place[0, 0] == pytest.approx(0.0, abs=0.01)
    assert sigma < 0.3


def test_sure_examples_that_contradict_each_other_are_unsure_together():
    place, sigma = agreed(TWICE, 1, np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([0.1, 0.1]))
    np.testing.assert_allclose(place, [[5.0, 0.0]])
    assert sigma == pytest.approx(np.hypot(0.1, 5.0))


def test_every_landmark_hears_its_own_examples_only():
    owners, places = np.array([1, 0, 1]), np.array([[1.0, 1.0], [7.0, 7.0], [3.0, 1.0]])
    place, sigma = agreed(owners, 2, places, np.ones(3))
    np.testing.assert_allclose(place, [[7.0, 7.0], [2.0, 1.0]])
    np.testing.assert_allclose(sigma, [1.0, np.hypot(1.0, 1.0)])
