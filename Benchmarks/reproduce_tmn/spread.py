"""Mean, standard deviation and maximum of more errors than are kept in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from LandmarkTrackerLib.landmarks import Array


@dataclass
class Spread:
    """What is known of all errors so far; NaN is a search without an answer."""

    asked: int = 0
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    largest: float = 0.0

    def add(self, errors: Array) -> None:
        there = errors[np.isfinite(errors)]
        self.asked += errors.size
        self.count += len(there)
        self.total += float(there.sum())
        self.squares += float((there**2).sum())
        self.largest = max(self.largest, float(there.max(initial=0)))

    def figures(self, kind: str) -> dict[str, float]:
        """mean, sd, max and answered, the share of answers; each after `kind` and an underscore."""
        prefix = f"{kind}_" if kind else ""
        figures = {"answered": self.count / max(self.asked, 1)}
        if self.count:
            mean = self.total / self.count
            sd = math.sqrt(max(self.squares / self.count - mean**2, 0.0))
            figures |= {"mean": mean, "sd": sd, "max": self.largest}
        return {f"{prefix}{name}": value for name, value in figures.items()}
