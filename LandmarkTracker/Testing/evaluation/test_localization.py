"""The measures of section 3.2 on answers whose errors are known."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.localization import (
    Localization,
    landmark_table,
    summarise,
    write_errors,
)
from LandmarkTrackerLib.evaluation.localization_report import REPORT_FILES, worst_images, write_report
from LandmarkTrackerLib.landmarks import LandmarkSet

NAN = (np.nan,) * 3


@pytest.fixture
def result() -> Localization:
    """Two images, three landmarks; errors 1, 3, 5 and 0, missed, 30 mm; one landmark is not in the second."""
    truth = np.array([[(0, 0, 0), (50, 0, 0), (0, 90, 0)], [(0, 0, 0), (25, 0, 0), (0, 90, 0)]], dtype=float)
    found = np.array([[(1, 0, 0), (50, 3, 0), (3, 94, 0)], [(0, 0, 0), NAN, (0, 60, 0)]], dtype=float)
    sigma = np.array([[1.0, 1.0, 1.0], [1.0, np.nan, 1.0]])
    return Localization(("first", "second"), ("a", "b", "c"), truth, found, sigma, np.ones(2))


def test_errors_are_distances_and_nothing_where_nothing_was_found(result):
    assert np.allclose(result.errors, [[1, 3, 5], [0, np.nan, 30]], equal_nan=True)
    assert np.allclose(result.image_errors, [3, 15])


def test_outliers_lie_beyond_a_radius_and_a_missed_landmark_always_does(result):
    assert [result.outliers(r) for r in (2, 4, 10)] == [4, 3, 2]
    assert result.outliers(3.0) == 3  # equation (6): larger than the radius, not equal


def test_the_wrist_width_sets_the_scale_of_every_image(result):
    scaled = result.normalised("a", "b", 50.0)
    assert np.allclose(scaled.scale, [1, 2])
    assert np.allclose(scaled.errors[1, 2], 60)


def test_a_landmark_is_identified_if_it_is_close_and_closest_to_its_own_place(result):
    assert result.identified().tolist() == [[True] * 3, [True, False, False]]
    swapped = replace(result, found=result.truth[:, [1, 0, 2]])
    near = replace(swapped, truth=swapped.truth / 10, found=swapped.found / 10)
    assert near.errors.max() < 20
    assert near.identified().tolist() == [[False, False, True]] * 2


def test_the_summary_counts_what_was_found_missed_and_invented(result):
    summary = summarise(result)
    assert (summary.points, summary.missed, summary.invented) == (6, 1, 0)
    assert (summary.median, summary.mean) == (3.0, pytest.approx(39 / 5))
    assert summary.sd == pytest.approx(np.std([1, 3, 5, 0, 30]))
    assert summary.outliers == (4, 3, 2)
    assert summary.identification_rate == pytest.approx(4 / 6)
    # Of five errors, 1 and 0 lie within 2.15 standard deviations of 1 mm.
    assert summary.within_sigma == pytest.approx(2 / 5)


def test_a_landmark_that_is_not_there_and_was_found_is_invented(result):
    truth = result.truth.copy()
    truth[1, 2] = np.nan
    summary = summarise(replace(result, truth=truth))
    assert (summary.points, summary.invented) == (5, 1)
    assert summary.outliers[2] == 1


def test_the_90_percent_region_is_wider_in_a_volume(result):
    errors = np.array([2.0, 2.3, 2.6])
    truth = np.zeros((1, 3, 3))
    found = truth + np.array([[[e, 0, 0] for e in errors]])
    wide = replace(result, images=("x",), truth=truth, found=found, sigma=np.ones((1, 3)), scale=np.ones(1))
    assert summarise(wide).within_sigma == pytest.approx(1 / 3)
    assert summarise(replace(wide, searched=3)).within_sigma == pytest.approx(2 / 3)


def test_what_is_reported_missing_counts_for_the_papers_errors_and_is_said_beside(result):
    """The answer that is 5 mm off is not reported: it is in every error, and found is 4 of 6."""
    reported = np.array([[True, True, False], [True, True, True]])
    summary = summarise(replace(result, reported=reported), radii=(2, 2.5, 3, 4))
    assert (summary.mean, summary.outliers) == (pytest.approx(39 / 5), (4, 4, 3, 3))
    assert (summary.missed, summary.found) == (2, pytest.approx(4 / 6))
    assert summary.mean_found == pytest.approx(34 / 4)
    # Of the four that are reported, 1 and 0 lie within.
    assert summary.within_sigma == pytest.approx(2 / 4)


def test_when_nothing_is_found_there_is_no_error_to_report(result):
    summary = summarise(replace(result, found=np.full_like(result.found, np.nan)))
    assert np.isnan(summary.median)
    assert summary.missed == summary.points == 6


def test_answers_are_compared_by_name_not_by_order():
    truth = LandmarkSet.of({"b": (5, 0, 0), "a": (0, 0, 0)})
    found = LandmarkSet.of({"a": (0, 1, 0), "b": (5, 0, 0), "new": (9, 9, 9)})
    result = Localization.of([("x", truth, found)])
    assert np.allclose(result.errors, [[1, 0, np.nan]], equal_nan=True)
    with pytest.raises(InputError, match="x has none of the landmarks"):
        Localization.of([("x", LandmarkSet.of({"z": (0, 0, 0)}), found)])


def test_tables_hold_every_landmark(result, tmp_path):
    assert "| b | 3.00 | 3.00 | 0.00 | 3.00 | 2 | 1 | 1 | 1 |" in landmark_table(result)
    write_errors(tmp_path / "errors.csv", result)
    rows = list(csv.DictReader((tmp_path / "errors.csv").open()))
    assert len(rows) == 6
    assert rows[4] == {
        "image": "second",
        "landmark": "b",
        "error_mm": "",
        "sigma_mm": "",
        "present": "1",
        "found": "0",
    }


def test_a_report_shows_the_worst_images_first(result, tmp_path):
    assert worst_images(result) == [1, 0]
    image = sitk.GetImageFromArray(np.arange(100 * 100, dtype=np.float32).reshape(1, 100, 100))
    write_report(tmp_path, "a title", result, {"first": lambda: image, "second": lambda: image})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(REPORT_FILES)
    text = (tmp_path / "report.md").read_text()
    assert text.index("| second | 15.00 |") < text.index("| first | 3.00 |")
    assert "median 3.00, mean 7.80" in text
    for picture in ("worst.png", "cumulative.png"):
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / picture)))
        assert pixels.std() > 1
