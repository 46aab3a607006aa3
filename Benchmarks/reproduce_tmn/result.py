"""What was measured of one trained model, kept on disk as soon as it is known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.landmarks import Array

# One list a draw; None where there is no answer.
Errors = list[list[float | None]]


@dataclass(frozen=True)
class Result:
    """One model's figures.

    Attributes:
        steps, seconds: of its training.
        errors: number of examples to one list a draw of the errors of all targets' landmarks, in pixels of
            the field; None where there is no answer or nothing to compare it with.
        asked: how many landmarks the targets have.
        ms: number of examples to milliseconds for one image, on "cpu" and, where there is one, on "cuda".
        maps: mean and SD in pixels of template matching and of the cyclic error, and share answered.
        rows: of cines, row to its figures.
    """

    steps: int
    seconds: float
    errors: dict[int, Errors] = field(default_factory=dict)
    asked: int = 0
    ms: dict[int, dict[str, float]] = field(default_factory=dict)
    maps: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[str, float]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        with written(path) as partial:
            partial.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Result:
        """Raises InputError if the file is none of ours."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            for key in ("errors", "ms"):
                table[key] = {int(count): values for count, values in table[key].items()}
            return cls(**table)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} cannot be read; delete it and it is measured again") from error

    def draws(self, count: int) -> list[Array]:
        """The errors that were answered, one array a draw."""
        drawn = [np.array(values, dtype=float) for values in self.errors.get(count, [])]
        return [values[np.isfinite(values)] for values in drawn]

    def figures(self, count: int) -> dict[str, float]:
        """Of all draws together: mean, sd, median, max; lowest and highest mean of a draw; share answered.

        Empty where nothing was measured.
        """
        draws = [values for values in self.draws(count) if len(values)]
        if not draws:
            return {}
        errors = np.concatenate(draws)
        means = [float(values.mean()) for values in draws]
        return {
            "mean": float(errors.mean()),
            "sd": float(errors.std()),
            "median": float(np.median(errors)),
            "max": float(errors.max()),
            "lowest": min(means),
            "highest": max(means),
            "answered": len(errors) / (self.asked * len(self.errors[count])),
        }

    @property
    def best(self) -> int:
        """The number of examples with the lowest mean error; 0 if there is none."""
        means = {count: self.figures(count).get("mean", np.inf) for count in self.errors}
        return min(means, key=lambda count: means[count], default=0)


NOTHING = Result(0, 0.0)


def together(results: Iterable[Result]) -> Result:
    """Models that differ in their examples only, as one."""
    results = list(results)
    errors: dict[int, Errors] = {}
    ms: dict[int, dict[str, float]] = {}
    for result in results:
        for count, draws in result.errors.items():
            errors.setdefault(count, []).extend(draws)
        for count, times in result.ms.items():
            ms.setdefault(count, times)
    return Result(
        sum(result.steps for result in results),
        sum(result.seconds for result in results),
        errors,
        max(result.asked for result in results),
        ms,
    )
