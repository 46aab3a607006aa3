"""Forecasts against what came: a long simulated breathing trace, and the liver cine.

    python Benchmarks/forecast.py [--output results/benchmarks]

Ten minutes of breathing whose depth, period and baseline vary, seen 4 and 8 times a second with noise; and
the superior-inferior displacement that the tracker finds in the liver, against the target's. The liver's
files state no times: its 36 frames hold about 4.5 breaths, and 4 s are taken for a breath. Prints a Markdown
table, and writes `forecast.csv` and `forecast.png`.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from cases import data_folder, liver_cases
from LandmarkTrackerLib.forecast import Way, forecast
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track
from LandmarkTrackerLib.methods.registry import make_locator
from metrics import level_reached
from results_table import markdown, write_csv
from tracking import track

LATENCIES = (0.25, 0.5)  # s
WAYS: tuple[Way, ...] = get_args(Way)
SECONDS, NOISE = 600, 0.4
LIVER_STEP = 0.5  # s a frame
PLANE = Grid((256, 256, 1), (1.0, 1.0, 5.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


@dataclass(frozen=True)
class Course:
    """A track of one landmark in a plane, and where it truly is at any time.

    Attributes:
        truth: times (T,) s to displacements (T, 2) mm; NaN where it is not known.
    """

    what: str
    track: Track
    truth: Callable[[Array], Array]


def breathing(rate: float) -> Course:
    """Breaths that dwell at the end of expiration, each of its own depth and period; the baseline wanders."""
    rng = np.random.default_rng(0)
    count = SECONDS // 2
    period = 4.0 * np.exp(rng.normal(0, 0.15, count))
    depth = 15.0 * np.exp(rng.normal(0, 0.2, count))
    begins = np.concatenate([[0], np.cumsum(period)])
    knots = np.arange(0, 2 * SECONDS, 10.0)
    baseline = np.cumsum(rng.normal(0, 0.5, len(knots)))

    def truth(times: Array) -> Array:
        n = np.searchsorted(begins, times, side="right") - 1
        # Depths are blended from breath to breath, so that nothing jumps at the end of inspiration.
        phase = (times - begins[n]) / period[n]
        deep = depth[n] + (depth[n + 1] - depth[n]) * phase
        down = deep * (1 - np.cos(np.pi * phase) ** 4) + np.interp(times, knots, baseline)
        return np.column_stack([0.3 * down, down])

    times = np.arange(0, SECONDS, 1 / rate)
    seen = truth(times) + rng.normal(0, NOISE, (len(times), 2))
    sets = [LandmarkSet(("dome",), np.array([[*at, 0.0]]), np.array([[NOISE, NOISE, 0.0]])) for at in seen]
    what = f"simulated breathing, {SECONDS // 60} min at {rate:g} Hz"
    return Course(what, Track(times, tuple(sets), "s"), truth)


def liver(data: Path) -> Course:
    """The median superior-inferior displacement of the points that the tracker follows."""
    case = next(liver_cases(data))
    found = track(case, make_locator("tracker", "cpu"))
    with (data / "liver_cine" / "sagittal_target_displacement.csv").open() as file:
        target = np.array([float(row["Z"]) for row in csv.DictReader(file)])
    times = LIVER_STEP * np.arange(len(target))
    moved = np.nanmedian(found.positions[:, :, 2] - case.landmarks.positions[:, 2], axis=1)
    sigma = np.nanmedian(np.stack([frame.sigmas[:, 1] for frame in found]), axis=1)
    sets = [
        LandmarkSet(("liver",), np.array([[0.0, at, 0.0]]), np.array([[0.0, s, 0.0]]))
        for at, s in zip(moved, sigma, strict=True)
    ]

    def truth(at: Array) -> Array:
        along = np.interp(at, times, target - target[0], right=np.nan)
        return np.column_stack([0 * along, along])

    return Course("liver cine", Track(times, tuple(sets), "s"), truth)


def measure(course: Course) -> Iterator[dict[str, str]]:
    """A line for each latency and way, over the times that every way has predicted."""
    for latency in LATENCIES:
        told = {way: forecast(course.track, latency, PLANE, way) for way in WAYS}
        both = np.all([np.isfinite(ahead.positions[:, 0, 0]) for ahead in told.values()], axis=0)
        truth = course.truth(course.track.times[both] + latency)
        for way, ahead in told.items():
            off = ahead.positions[both, 0, :2] - truth
            known = np.isfinite(off).all(axis=1)
            level = level_reached(off, np.stack([frame.sigmas[0, :2] for frame in ahead])[both])[known]
            distance = np.linalg.norm(off[known], axis=1)
            yield {
                "course": course.what,
                "ahead": f"{1000 * latency:.0f} ms",
                "forecast": way,
                "RMSE, mm": f"{np.sqrt((distance**2).mean()):.2f}",
                "95th pct": f"{np.percentile(distance, 95):.2f}",
                "90 % ellipses hold": f"{100 * (level <= 0.9).mean():.0f} %",
                "forecasts": str(len(distance)),
            }


def picture(course: Course, path: Path) -> None:
    """Half a minute of the simulated breathing, with its forecasts half a second ahead."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.5), layout="constrained")
    ax = figure.subplots()
    start, end = SECONDS / 2, SECONDS / 2 + 25
    fine = np.linspace(start, end, 1000)
    ax.plot(fine, course.truth(fine)[:, 1], color="black", lw=2.2, label="where the landmark is")
    for way, colour in zip(WAYS, ("#999999", "#56B4E9", "#D55E00"), strict=True):
        ahead = forecast(course.track, LATENCIES[-1], PLANE, way)
        shown = (ahead.times >= start) & (ahead.times <= end)
        at = ahead.positions[shown, 0, 1]
        ax.plot(ahead.times[shown], at, color=colour, marker=".", ms=4, lw=1.2, label=way)
        if way == "autoregressive":
            band = 1.645 * np.stack([frame.sigmas[0, 1] for frame in ahead])[shown]
            ax.fill_between(ahead.times[shown], at - band, at + band, color=colour, alpha=0.15, lw=0)
    ax.set(xlabel="time (s)", ylabel="displacement (mm)", xlim=(start, end))
    ax.set_title(f"{course.what}: predicted {1000 * LATENCIES[-1]:.0f} ms ahead; the band should hold 90 %")
    ax.grid(alpha=0.3)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4, frameon=False)
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    args = parser.parse_args()
    courses = [breathing(4.0), breathing(8.0), liver(data_folder())]
    rows = [row for course in courses for row in measure(course)]
    write_csv(args.output / "forecast.csv", rows)
    picture(courses[0], args.output / "forecast.png")
    print(markdown(rows))


if __name__ == "__main__":
    main()
