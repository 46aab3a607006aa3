"""Forecasts of courses whose future is known."""

from __future__ import annotations

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.forecast import TRIALS, forecast
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

# An oblique slice: its columns, its rows, and through it.
AXES = np.array([[0.8, 0.0, 0.6], [0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]])
GRID = Grid((64, 64, 1), (1.0, 1.0, 8.0), (5.0, -3.0, 2.0), tuple(AXES.ravel()))
TIMES = np.arange(0, 60, 0.25)
SIGMA = np.array([0.3, 0.4, 0.0])


def breathing(times: np.ndarray) -> np.ndarray:
    """(T, 2) mm along columns and rows."""
    return np.column_stack([2 * np.sin(1.7 * times), 8 * np.sin(1.7 * times + 0.4)])


def steady(times: np.ndarray) -> np.ndarray:
    return np.column_stack([0.5 * times, -2.0 * times])


def tracked(along: np.ndarray, lost: tuple[int, ...] = ()) -> Track:
    """A track of one landmark at (T, 2) mm along columns and rows."""
    sets = []
    for t, place in enumerate(along):
        there = np.array([t not in lost])
        sets.append(LandmarkSet(("dome",), (AXES @ [*place, 3.0])[None], SIGMA[None], defined=there))
    return Track(TIMES[: len(sets)], tuple(sets), "s")


def told(track: Track, latency: float, way: str) -> np.ndarray:
    """(T, 3) mm along the image's axes."""
    return forecast(track, latency, GRID, way).positions[:, 0] @ AXES


@pytest.mark.parametrize("latency", [0.25, 0.4])
def test_a_steady_motion_goes_on(latency):
    found = told(tracked(steady(TIMES)), latency, "constant velocity")[8:]
    np.testing.assert_allclose(found[:, :2], steady(TIMES[8:] + latency), atol=1e-6)
    np.testing.assert_allclose(found[:, 2], 3.0, atol=1e-9)


def test_holding_expects_the_landmark_where_it_is():
    track = tracked(breathing(TIMES))
    found = forecast(track, 0.5, GRID, "hold")
    np.testing.assert_allclose(found.positions[8:], track.positions[8:], atol=1e-9)
    np.testing.assert_allclose(found.times, TIMES + 0.5)


@pytest.mark.parametrize("latency", [0.25, 0.4, 0.5])
def test_a_rhythm_is_learnt_from_the_track_so_far(latency):
    track, truth = tracked(breathing(TIMES)), breathing(TIMES + latency)
    error = {way: told(track, latency, way)[80:, :2] - truth[80:] for way in ("autoregressive", "hold")}
    rmse = {way: np.sqrt((off**2).mean()) for way, off in error.items()}
    assert rmse["autoregressive"] < 0.15 * rmse["hold"]


def test_what_comes_later_changes_nothing():
    along = breathing(TIMES)
    other = np.where(np.arange(len(along))[:, None] < 120, along, 40.0)
    here, there = (told(tracked(course), 0.5, "autoregressive") for course in (along, other))
    np.testing.assert_array_equal(here[:120], there[:120])
    assert not np.array_equal(here[125:], there[125:])


def test_sigma_grows_by_what_earlier_forecasts_were_off():
    track = tracked(steady(TIMES))
    held = forecast(track, 0.5, GRID, "hold")
    sigma = np.stack([frame.sigmas[0] for frame in held])[10:]
    np.testing.assert_allclose(
        sigma, [[np.hypot(0.3, 0.25), np.hypot(0.4, 1.0), 0.0]] * len(sigma), atol=1e-9
    )
    assert (np.array([frame.scores[0] for frame in held])[10:] > 0.9).all()


def test_a_90_percent_band_holds_about_90_percent_of_noisy_breathing():
    rng = np.random.default_rng(0)
    track = tracked(breathing(TIMES) + rng.normal(0, 0.4, (len(TIMES), 2)))
    found = forecast(track, 0.25, GRID)
    off = np.abs(found.positions[:, 0] @ AXES - np.column_stack([breathing(TIMES + 0.25), 0 * TIMES + 3]))
    sigma = np.stack([frame.sigmas[0] for frame in found])
    held = (off <= 1.645 * sigma)[60:, :2]
    assert 0.85 < held.mean() <= 1


def test_without_a_place_or_a_tested_forecast_there_is_none():
    found = forecast(tracked(breathing(TIMES[:40]), lost=(20, 21)), 0.5, GRID)
    there = np.array([frame.defined[0] for frame in found])
    first = int(0.5 / 0.25) + TRIALS - 1
    np.testing.assert_array_equal(np.flatnonzero(~there), [*range(first), 20, 21])


def test_a_forecast_looks_ahead():
    with pytest.raises(InputError, match="no future"):
        forecast(tracked(steady(TIMES)), 0.0, GRID)
