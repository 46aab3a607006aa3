"""Landmarks propagated through real cine MRI, every method on the same work in one run.

    python Benchmarks/tracking.py [--output results/benchmarks]

Prints a Markdown table and writes `tracking.csv` and `tracking.png`. The cardiac rows are patients that no
shipped model has seen; the liver is never trained on.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from cases import Case, cardiac_cases, data_folder, liver_case, simulated_cases
from LandmarkTrackerLib.evaluation.metrics import summarise
from LandmarkTrackerLib.jobs.propagate import propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.methods.registry import make_locator
from peers.dis_flow import ChainedDisFlow, DisFlow
from peers.lucas_kanade import LucasKanade
from peers.no_motion import NoMotion

METHODS: dict[str, Callable[[], Locator]] = {
    "no motion": NoMotion,
    "NCC": lambda: make_locator("ncc"),
    "Lucas-Kanade": LucasKanade,
    "DIS flow": DisFlow,
    "DIS flow, warm": lambda: DisFlow(warm=True),
    "DIS flow, chained": ChainedDisFlow,
    "tracker": lambda: make_locator("tracker", "cpu"),
    "TMN (tmn-cardiac-cine)": lambda: make_locator("tmn-cardiac-cine", "cpu"),
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


def measure(cases: list[Case]) -> list[dict[str, object]]:
    """One result a method and row, the methods taking turns on every case."""
    timed = {name: Timed(make()) for name, make in METHODS.items()}
    rows = list(dict.fromkeys(case.row for case in cases))
    errors: dict[tuple[str, str], list[np.ndarray]] = {(r, m): [] for r in rows for m in METHODS}
    seconds: dict[tuple[str, str], list[float]] = {(r, m): [] for r in rows for m in METHODS}
    for case in cases:
        for name, locator in timed.items():
            locator.seconds.clear()
            steps = propagate(case.cine, locator, {case.clicked: case.landmarks})
            track = track_of(case.cine, {step.frame: step.landmarks for step in steps})
            errors[case.row, name].append(case.errors(track))
            seconds[case.row, name] += locator.seconds
        print(f"{case.cine.name} done", flush=True)
    return [
        {
            "row": row,
            "method": method,
            "errors": np.concatenate(errors[row, method]),
            "ms_per_frame": 1000 * float(np.median(seconds[row, method])),
        }
        for row in rows
        for method in METHODS
    ]


TITLES = {
    "cardiac": "cardiac cine: distance to the expert contour at end-systole, mm",
    "simulated": "simulated motion of held-out images: error, pixels",
    "liver": "liver cine: error of the superior-inferior displacement, mm",
}


def table(results: list[dict[str, object]]) -> list[dict[str, str]]:
    """Rows of text, as printed and as written."""
    rows = []
    for result in results:
        s = summarise(result["errors"])
        rows.append(
            {
                "what": f"{result['row']} ({TITLES[str(result['row'])].rsplit(' ', 1)[1]})",
                "method": str(result["method"]),
                "mean": f"{s.mean:.2f}",
                "median": f"{s.median:.2f}",
                "95th pct": f"{s.p95:.2f}",
                "worst": f"{s.worst:.2f}",
                "RMSE": f"{s.rmse:.2f}",
                "missing": f"{100 * s.missing:.0f} %",
                "> 5 mm, not reported": str(s.gross),
                "ms a frame": f"{result['ms_per_frame']:.1f}",
            }
        )
    return rows


def markdown(rows: list[dict[str, str]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    return "\n".join(lines + ["| " + " | ".join(row.values()) + " |" for row in rows])


def picture(results: list[dict[str, object]], path: Path) -> None:
    """The distribution of errors of every method, one panel a row of work."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = list(dict.fromkeys(str(result["row"]) for result in results))
    figure = Figure(figsize=(6.5 * len(rows), 4), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, row in zip(np.atleast_1d(figure.subplots(1, len(rows))), rows, strict=True):
        for result in results:
            if result["row"] != row:
                continue
            errors = np.abs(np.asarray(result["errors"]))
            found = np.sort(errors[np.isfinite(errors)])
            share = np.arange(1, len(found) + 1) / len(errors)
            ax.step(found, 100 * share, where="post", label=str(result["method"]))
        unit = TITLES[row].rsplit(" ", 1)[1]
        ax.set(xlabel=f"error ({unit})", ylabel="points within this error (%)", xlim=(0, 8), ylim=(0, 100))
        ax.set_title(TITLES[row], fontsize=10)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    args = parser.parse_args()
    data = data_folder()
    results = measure([*cardiac_cases(data), *simulated_cases(data), liver_case(data)])
    rows = table(results)
    args.output.mkdir(parents=True, exist_ok=True)
    with (args.output / "tracking.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    picture(results, args.output / "tracking.png")
    print(markdown(rows))


if __name__ == "__main__":
    main()
