"""Landmarks propagated through real cine MRI and known motion, every method on the same work in one run.

    python Benchmarks/tracking.py [--elastix] [--tracker-model FILE]... [--output results/benchmarks]

Prints a Markdown table and writes `tracking.csv` (every figure) and `tracking.png`; a second table, and
`reliability.csv` and `.png`, say how far stated uncertainty can be relied on. The cardiac rows are patients
that no shipped model has seen; the liver is never trained on. elastix, at seconds a frame, runs when asked
for: not on the harder simulations, and in the frames that are judged only.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import reliability
import SimpleITK as sitk
import tracking_picture
from cases import (
    HARDER,
    HELD_OUT_VOLUMES,
    Case,
    Judged,
    Result,
    cardiac_cases,
    data_folder,
    liver_cases,
    simulated_cases,
    volume_cases,
)
from cost import COUNT, COUNTS, SIZE, SIZES, Cost, measure_cost
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.propagate import propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet, Track
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.step import results
from metrics import Summary
from peers.dis_flow import ChainedDisFlow, DisFlow
from peers.lucas_kanade import LucasKanade
from peers.no_motion import NoMotion
from results_table import markdown, write_csv

METHODS: dict[str, Callable[[], Locator]] = {
    "no motion": NoMotion,
    "NCC": lambda: make_locator("ncc"),
    "Lucas-Kanade": LucasKanade,
    "DIS flow": DisFlow,
    "DIS flow, warm": lambda: DisFlow(warm=True),
    "DIS flow, chained": ChainedDisFlow,
    "TMN": lambda: make_locator("tmn-cardiac-cine", "cpu"),
    "tracker": lambda: make_locator("tracker", "cpu"),
}
ELASTIX = "elastix"
ON_SLICES_ONLY = {"Lucas-Kanade", "DIS flow", "DIS flow, warm", "DIS flow, chained", "TMN"}

ROWS = {
    "cardiac": "cardiac cine, to the expert's contour at end-systole, mm",
    "simulated": "simulated motion of held-out images, pixels",
    **{row: f"the same, {row}, pixels" for row in HARDER},
    "liver": "liver cine, superior-inferior, mm",
    "liver, scaled": "the same, after scale correction",
    **{row: f"simulated motion, {row}, mm" for row in HELD_OUT_VOLUMES},
}


@dataclass
class Timed:
    """A Locator that notes how long each frame took."""

    locator: Locator
    seconds: list[float] = field(default_factory=list)

    @property
    def max_sigma_mm(self) -> float:
        return self.locator.max_sigma_mm

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        return self.locator.describe(image, landmarks)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        began = time.perf_counter()
        found = self.locator.locate(examples, image, prior)
        self.seconds.append(time.perf_counter() - began)
        return found


def methods(elastix: bool, models: list[Path]) -> dict[str, Locator]:
    """The Locators by name: all of METHODS, and what else was asked for."""
    made = {name: make() for name, make in METHODS.items()}
    if elastix:
        from peers.elastix_frames import ElastixFrames

        made[ELASTIX] = ElastixFrames()
    return made | {f"tracker {path.stem}": make_locator(str(path), "cpu") for path in models}


def measure(cases: Iterable[Case], locators: Mapping[str, Locator]) -> list[Result]:
    """One result a method and row, the methods taking turns on every case."""
    judged: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    unit_mm: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for case in cases:
        for name, locator in locators.items():
            if name in ON_SLICES_ONLY and not case.cine.grid.is_slice:
                continue
            if name == ELASTIX and case.row in HARDER:
                continue
            key, timed = (case.row, name), Timed(locator)
            one = case.judge(track(case, timed, only_judged=name == ELASTIX))
            judged[key].append(one)
            unit_mm[key].append(np.full(len(one.errors), case.unit_mm))
            seconds[key] += timed.seconds
        print(f"{case.cine.name} done", flush=True)
    return [
        Result(
            *key, Judged.joined(parts), np.concatenate(unit_mm[key]), 1000 * float(np.median(seconds[key]))
        )
        for key, parts in judged.items()
    ]


def track(case: Case, locator: Locator, only_judged: bool = False) -> Track:
    """The case's landmarks in all frames, or in the clicked and the judged ones."""
    if not only_judged:
        steps = results(propagate(case.cine, locator, {case.clicked: case.landmarks}))
        return track_of(case.cine, {step.frame: step.landmarks for step in steps})
    frames = sorted({case.clicked, *case.frames})
    times = [case.cine.times[t] for t in frames]
    some = Cine(times, lambda t: case.cine[frames[t]], case.cine.grid, case.cine.name, case.cine.time_unit)
    steps = results(propagate(some, locator, {frames.index(case.clicked): case.landmarks}))
    return track_of(case.cine, {frames[step.frame]: step.landmarks for step in steps})


def figures(results: list[Result], costs: list[Cost]) -> list[dict[str, object]]:
    """Every figure, a row of work or a setting and a method a line."""
    lines: list[dict[str, object]] = []
    for result in results:
        lines.append(
            {
                "what": ROWS[result.row],
                "method": result.method,
                **asdict(result.summary),
                "points": len(result.judged.errors) - result.gone,
                "gone": result.gone,
                "gone_but_reported": result.made_up,
                "ms_median": result.ms_per_frame,
            }
        )
    for cost in costs:
        what = f"time a frame, {cost.size} x {cost.size}, {cost.count} landmarks"
        lines.append({"what": what, "method": cost.method, "ms_median": cost.median, "ms_p95": cost.p95})
    return lines


def table(results: list[Result], costs: list[Cost]) -> list[dict[str, str]]:
    """What is printed: a column a method."""
    names = list(dict.fromkeys(result.method for result in results))
    of = {(result.row, result.method): result for result in results}
    rows: list[dict[str, str]] = []

    def line(what: str, cell: Callable[[str], str]) -> None:
        rows.append({"what": what, **{name: cell(name) for name in names}})

    for row in dict.fromkeys(result.row for result in results):
        there = {name: of[row, name] for name in names if (row, name) in of}
        if row.startswith("liver"):
            line(f"{ROWS[row]}: RMSE", lambda n, t=there: f"{t[n].summary.rmse:.2f}" if n in t else "")
        else:
            line(
                f"{ROWS[row]}: mean / 95th percentile (missing)",
                lambda n, t=there: _error(t[n].summary) if n in t else "",
            )
        some = next(iter(there.values()))
        line(
            f"… undetected failures (> 5 mm), of {len(some.judged.errors) - some.gone}",
            lambda n, t=there: str(t[n].summary.gross) if n in t else "",
        )
        if some.gone:
            line(
                f"… false positives (tissue that left the plane), of {some.gone}",
                lambda n, t=there: str(t[n].made_up) if n in t else "",
            )
        if row in HELD_OUT_VOLUMES:
            line("… ms a volume", lambda n, t=there: f"{t[n].ms_per_frame:.0f}" if n in t else "")
    ms = {(cost.method, cost.size, cost.count): cost for cost in costs}
    line(
        f"ms a frame, {SIZE} x {SIZE}, {COUNT} landmarks: median (95th percentile / median)",
        lambda n: (
            f"{ms[n, SIZE, COUNT].median:.1f} ({ms[n, SIZE, COUNT].p95 / ms[n, SIZE, COUNT].median:.1f})"
        ),
    )
    for size in (SIZES[0], SIZES[-1]):
        line(f"… {size} x {size}", lambda n, s=size: f"{ms[n, s, COUNT].median:.1f}")
    most, least = COUNTS[-1], COUNTS[0]
    line(
        f"… {most} landmarks, times the cost of {least}",
        lambda n: f"{ms[n, SIZE, most].median / ms[n, SIZE, least].median:.1f}",
    )
    return rows


def _error(s: Summary) -> str:
    missing = f" ({100 * s.missing:.0f} %)" if s.missing else ""
    return f"{s.mean:.2f} / {s.p95:.2f}{missing}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--elastix", action="store_true", help="beside elastix B-spline registration (slow)")
    parser.add_argument(
        "--tracker-model",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="another model, as a column more",
    )
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    args = parser.parse_args()
    data = data_folder()
    locators = methods(args.elastix, args.tracker_model)
    cases = chain(cardiac_cases(data), simulated_cases(data), liver_cases(data), volume_cases(data))
    results = measure(cases, locators)
    costs = measure_cost(data, locators, frozenset({ELASTIX, "NCC"}))
    reached = {(result.row, result.method): result.judged.level[~result.judged.gone] for result in results}
    write_csv(args.output / "tracking.csv", figures(results, costs))
    write_csv(args.output / "reliability.csv", reliability.table(reached))
    tracking_picture.draw(results, costs, args.output / "tracking.png")
    reliability.draw(reached, args.output / "reliability.png")
    print(markdown(table(results, costs)), markdown(reliability.table(reached)), sep="\n\n")


if __name__ == "__main__":
    main()
