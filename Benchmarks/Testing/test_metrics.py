import numpy as np
import pytest
from metrics import (
    distance_to_contour,
    level_reached,
    level_reached_across,
    offset_to_contour,
    summarise,
)

SQUARE = [[0, 0, 5], [4, 0, 5], [4, 4, 5], [0, 4, 5]]


def test_the_distance_is_to_the_nearest_edge_and_not_only_to_the_corners():
    points = [[2, 1, 5], [2, -3, 5], [7, 8, 5], [0, 2, 5]]
    np.testing.assert_allclose(distance_to_contour(points, SQUARE), [1, 3, 5, 0])


def test_the_contour_is_closed():
    assert distance_to_contour([[-2, 2, 5]], SQUARE) == pytest.approx(2)


def test_the_offset_leads_from_the_contour_to_the_point():
    points = [[2, 1, 5], [2, -3, 5], [7, 8, 5]]
    np.testing.assert_allclose(offset_to_contour(points, SQUARE), [[0, 1, 0], [0, -3, 0], [3, 4, 0]])


def test_a_missing_point_has_no_distance():
    assert np.isnan(distance_to_contour([[np.nan] * 3], SQUARE)).all()


def test_a_summary_counts_missing_points_apart_from_the_errors_of_those_found():
    summary = summarise([-3, 4, np.nan, 6])
    assert summary.mean == pytest.approx(13 / 3)
    assert summary.rmse == pytest.approx(np.sqrt((9 + 16 + 36) / 3))
    assert (summary.median, summary.worst, summary.missing, summary.gross) == (4, 6, 0.25, 1)


def test_nothing_found_is_all_missing():
    assert summarise([np.nan, np.nan]).missing == 1


def test_only_what_was_reported_without_a_doubt_counts_as_grossly_wrong():
    assert summarise([6, 7, 8, np.nan], uncertain=[False, True, False, False]).gross == 2
    assert summarise([4, 6, 2], unit_mm=[2.0, 0.5, 1.0]).gross == 1


@pytest.mark.parametrize(
    ("searched", "radii"),
    # Published quantiles of the chi-squared distribution: 50 %, 90 % and 99 %.
    [(1, [0.455, 2.706, 6.635]), (2, [1.386, 4.605, 9.210]), (3, [2.366, 6.251, 11.345])],
)
def test_the_level_of_an_error_is_that_of_the_ellipse_through_it(searched, radii):
    sigma = np.array([1.5, 0.5, 2.0]) * (np.arange(3) < searched)
    off = np.sqrt(radii)[:, None] * sigma * np.array([0.6, 0.8, 0.0] if searched == 2 else np.eye(3)[0])
    np.testing.assert_allclose(
        level_reached(off, np.broadcast_to(sigma, off.shape)), [0.5, 0.9, 0.99], atol=1e-3
    )


def test_an_answer_without_uncertainty_reaches_no_level():
    assert np.isnan(level_reached([[1.0, 2.0, 0.0], [0.0] * 3], np.zeros((2, 3)))).all()


def test_right_uncertainties_reach_every_level_as_often_as_it_says():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.2, 3.0, (20_000, 3))
    level = level_reached(rng.normal(size=sigma.shape) * sigma, sigma)
    for p in (0.1, 0.5, 0.9):
        assert (level <= p).mean() == pytest.approx(p, abs=0.01)


def test_across_a_curve_only_the_uncertainty_towards_it_counts():
    off = [[0.0, 1.645, 0.0], [3.0, 4.0, 0.0], [np.nan] * 3]
    sigma = [[50.0, 1.0, 0.0], [5.0, 5.0, 0.0], [1.0, 1.0, 0.0]]
    level = level_reached_across(off, sigma)
    np.testing.assert_allclose(level[:2], [0.9, 0.6827], atol=1e-3)
    assert np.isnan(level[2])
