"""Where landmarks will be a moment from now, for what acts on images that are late.

Every forecast uses only the frames up to its own: it is what a program would have said live.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track
from LandmarkTrackerLib.methods.protocols import trust

Way = Literal["hold", "constant velocity", "autoregressive"]

# Frames that the autoregression looks back, and that it learns from.
ORDER, MEMORY = 8, 240
# How reluctant it is to expect any motion, as a share of the motion's own strength.
RIDGE = 0.01
# Frames of the line through which the constant velocity goes.
LINE = 3
# Forecasts that must have been put to the test before one is shown: without them it has no uncertainty.
TRIALS = 3


def forecast(track: Track, latency: float, grid: Grid, way: Way = "autoregressive") -> Track:
    """The track as it would have been predicted: row t says where the landmarks are at times[t] + latency.

    Sigma is that of the frame, grown by what earlier forecasts of the landmark turned out to be off. A
    landmark is missing where it is missing in the frame, and as long as no earlier forecast could be tested.

    Args:
        track: positions in LPS mm; its times ascend.
        latency: in the track's unit of time, above 0.
        grid: of the images, along whose axes sigma is stated.
        way: "hold" expects no motion; "autoregressive" learns from the track so far how it goes on.

    Raises:
        InputError: the latency is not above 0.
    """
    if not latency > 0:
        raise InputError(f"a forecast of {latency:g} {track.time_unit} looks at no future; give more than 0")
    axes = np.array(grid.direction).reshape(3, 3)
    along = track.positions @ axes
    told, spread = np.full_like(along, np.nan), np.full_like(along, np.nan)
    for n in range(len(track.names)):
        known = np.isfinite(along[:, n, 0])
        told[known, n], spread[known, n] = _course(track.times[known], along[known, n], latency, way)
    sigmas = np.sqrt(np.stack([frame.sigmas for frame in track]) ** 2 + spread**2)
    sets = []
    for position, sigma in zip(told @ axes.T, sigmas, strict=True):
        there = np.isfinite(position + sigma).all(axis=1)
        found = LandmarkSet(track.names, position, sigma, defined=there)
        sets.append(LandmarkSet(track.names, position, sigma, trust(found.sigma_mm), there))
    return Track(track.times + latency, tuple(sets), track.time_unit, track.numbers, track.length_unit)


def _course(times: Array, x: Array, latency: float, way: Way) -> tuple[Array, Array]:
    """Forecasts (T, D) of one landmark's course x (T, D), and how far (T, D) earlier ones were off so far."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else latency
    told, off = np.array(x), np.full_like(x, np.nan)
    for t in range(len(times)):
        back = times[t] - step * np.arange(min(MEMORY, 1 + int((times[t] - times[0]) / step + 1e-6)))[::-1]
        past = _at(back, times[: t + 1], x[: t + 1])
        if way == "constant velocity":
            told[t] += latency * _velocity(past[-LINE:], step)
        elif way == "autoregressive":
            later = _at(back + latency, times[: t + 1], x[: t + 1])
            told[t] += _expected(past, later[back + latency <= times[t] + 1e-6 * step])
        tested = np.flatnonzero(times[:t] + latency <= times[t] + 1e-6 * step)[-MEMORY:]
        if len(tested) >= TRIALS:
            came = _at(times[tested] + latency, times[: t + 1], x[: t + 1])
            off[t] = np.sqrt(((told[tested] - came) ** 2).mean(axis=0))
    return told, off


def _at(when: Array, times: Array, x: Array) -> Array:
    """The course between its frames, (len(when), D)."""
    return np.column_stack([np.interp(when, times, axis) for axis in x.T])


def _velocity(past: Array, step: float) -> Array:
    """(D,) the slope of the line through these places."""
    at = step * (np.arange(len(past)) - (len(past) - 1) / 2)
    return np.asarray(at @ past / max(float(at @ at), 1e-12))


def _expected(past: Array, later: Array) -> Array:
    """How far (D,) the landmark moves on from the last place of `past` (P, D), by linear regression.

    What came after earlier places, `later` (L, D) for the first L of `past`, is explained by the steps before
    them and how far they were from the middle. The axes obey one law: they move in the same breath.
    """
    if len(later) < 2 * ORDER:
        return np.zeros(past.shape[1])
    middle = past.mean(axis=0)
    features = np.stack(
        [
            past[ORDER:] - middle,
            *(past[ORDER - k : -k or None] - past[ORDER - k - 1 : -k - 1] for k in range(ORDER)),
        ]
    )
    learnt = features[:, : len(later) - ORDER].reshape(ORDER + 1, -1)
    moved = (later[ORDER:] - past[ORDER : len(later)]).ravel()
    gram = learnt @ learnt.T
    reluctance = RIDGE * np.diag(gram).mean() * np.eye(len(gram))
    weights = np.linalg.solve(gram + reluctance + 1e-12 * np.eye(len(gram)), learnt @ moved)
    return np.asarray(weights @ features[:, -1])
