import numpy as np
import pytest
from LandmarkTrackerLib.evaluation.metrics import distance_to_contour, summarise

SQUARE = [[0, 0, 5], [4, 0, 5], [4, 4, 5], [0, 4, 5]]


def test_the_distance_is_to_the_nearest_edge_and_not_only_to_the_corners():
    points = [[2, 1, 5], [2, -3, 5], [7, 8, 5], [0, 2, 5]]
    np.testing.assert_allclose(distance_to_contour(points, SQUARE), [1, 3, 5, 0])


def test_the_contour_is_closed():
    assert distance_to_contour([[-2, 2, 5]], SQUARE) == pytest.approx(2)


def test_a_missing_point_has_no_distance():
    assert np.isnan(distance_to_contour([[np.nan] * 3], SQUARE)).all()


def test_a_summary_counts_missing_points_apart_from_the_errors_of_those_found():
    summary = summarise([-3, 4, np.nan, 6])
    assert summary.mean == pytest.approx(13 / 3)
    assert summary.rmse == pytest.approx(np.sqrt((9 + 16 + 36) / 3))
    assert (summary.median, summary.worst, summary.missing, summary.gross) == (4, 6, 0.25, 1)


def test_nothing_found_is_all_missing():
    assert summarise([np.nan, np.nan]).missing == 1
