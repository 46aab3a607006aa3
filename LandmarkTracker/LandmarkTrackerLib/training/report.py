"""What the folder of a training says about it, for those who look on from another process."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.landmarks import Array


@dataclass(frozen=True, eq=False)
class Report:
    """How far a training is.

    Attributes:
        steps, seconds, loss: (T,) what was logged.
        validated, error_mm: (V,) steps and results of the validations.
    """

    steps: Array
    seconds: Array
    loss: Array
    validated: Array
    error_mm: Array

    @property
    def step(self) -> int:
        """The last one that was logged; 0 before the first."""
        return int(max(self.steps, default=0))

    def seconds_left(self, steps: int) -> float:
        """Estimate until this many steps are done; NaN before two rows are logged."""
        recent = slice(-40, None)
        done = np.ptp(self.steps[recent]) if len(self.steps) else 0
        if not done:
            return float("nan")
        return float(np.ptp(self.seconds[recent]) / done * max(0, steps - self.step))


def read_report(folder: Path) -> Report:
    """The report of a run's folder; empty where nothing is logged yet."""
    training = _columns(folder / "training.csv", "step", "seconds", "loss")
    validation = _columns(folder / "validation.csv", "step", "error_mm")
    return Report(*training, *validation)


def _columns(path: Path, *names: str) -> list[Array]:
    rows: list[dict[str, str]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            # The row that is being written may be half there.
            rows = [row for row in csv.DictReader(file) if all(row.values())]
    return [np.array([float(row[name]) for row in rows]) for name in names]
