"""Measure each trained model as its row of the tables asks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.evaluation.cyclic_picture import draw_trust
from LandmarkTrackerLib.evaluation.montage import draw_worst
from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.formats.tables import read_table
from LandmarkTrackerLib.methods.protocols import Locator
from LandmarkTrackerLib.methods.registry import make_detector, make_locator

from reproduce_tmn.config import ReproduceConfig
from reproduce_tmn.data import Cases
from reproduce_tmn.measure import (
    Ask,
    Maps,
    asking,
    described,
    error_maps,
    landmark_errors,
    map_figures,
    milliseconds,
    template_errors,
)
from reproduce_tmn.result import Errors, Result
from reproduce_tmn.same_place import SamePlace
from reproduce_tmn.spread import Spread
from reproduce_tmn.trainings import LANDMARKS_PATCH, MAPS_PATCH, WHOLE, Trainings
from reproduce_tmn.within import cases_of, draw_tracks, measured, training_of

FOUND, MAPS = "found.png", "maps.png"
SHOWN = 8

Answer = Callable[[sitk.Image], Any]


class Measuring:
    """Measures trained models on the test patients.

    Args:
        folder: holds the models, and receives two pictures.
    """

    def __init__(self, config: ReproduceConfig, cases: Cases, trainings: Trainings, folder: Path) -> None:
        self._config, self._cases, self._trainings, self._folder = config, cases, trainings, folder
        self._field = config.input.field
        seed = config.data.seed
        self._targets = cases.targets(config.examples.targets, seed)
        self._shown = [cases.examples(draw, seed) for draw in range(config.examples.draws)]

    def __call__(self, name: str) -> Generator[float, None, Result]:
        """Yields the share that is done, returns the result."""
        last = read_table(self._trainings.file(name).with_name("training.csv"))[-1]
        result = Result(int(last["step"]), float(last["seconds"]), asked=self._asked)
        if name == WHOLE:
            # What it is worth shows in the regression that starts from it.
            return result
        if name in self._trainings.within:
            return (yield from self._within(name, result))
        if name in self._trainings.regressions.values():
            return (yield from self._regression(name, result))
        return (yield from self._locator(name, result))

    @property
    def _asked(self) -> int:
        names = self._cases.names
        return sum(int(item.landmarks.select(names).defined.sum()) for item in self._targets)

    def _regression(self, name: str, result: Result) -> Generator[float, None, Result]:
        model, device = str(self._trainings.file(name)), self._config.regression.run.device
        count = next(count for (_, count, _), n in self._trainings.regressions.items() if n == name)
        detector = make_detector(model, device)
        (errors,) = yield from self._seek(lambda image: [detector.detect(image).select(self._cases.names)], 1)
        ms = self._times(lambda on: make_detector(model, on).detect)
        return replace(result, errors={count: [errors]}, ms={count: ms})

    def same_place(self) -> Generator[float, None, Result]:
        """The same of the answer that needs no model."""
        errors = yield from self._few_shot(SamePlace(self._field))
        return Result(0, 0.0, errors, self._asked)

    def _locator(self, name: str, result: Result) -> Generator[float, None, Result]:
        model, device = str(self._trainings.file(name)), self._config.tmn.run.device
        locator, names = make_locator(model, device), self._cases.names
        errors = yield from self._few_shot(locator)
        result = replace(result, errors=errors)

        def answering(count: int, on: str) -> Answer:
            chosen = make_locator(model, on)
            return partial(chosen.locate, described(chosen, self._shown[0][:count], names))

        timed = sorted({1, self._trainings.few, result.best})
        ms = {count: self._times(partial(answering, count)) for count in timed}
        if name == self._trainings.base:
            self._draw_found(locator)
        maps = yield from self._maps(name, locator)
        return replace(result, ms=ms, maps=maps)

    def _few_shot(self, locator: Locator) -> Generator[float, None, dict[int, Errors]]:
        """Errors of every number of examples, a list a draw."""
        counts, draws = self._trainings.counts, len(self._shown)
        sets = [shown[:count] for count in counts for shown in self._shown]
        found = yield from self._seek(asking(locator, sets, self._cases.names), len(sets))
        return {count: found[n * draws : (n + 1) * draws] for n, count in enumerate(counts)}

    def _seek(self, ask: Ask, sets: int) -> Generator[float, None, Errors]:
        """Errors of every set over all targets' landmarks."""
        errors: Errors = [[] for _ in range(sets)]
        found = landmark_errors(ask, self._targets, self._cases.names, self._field)
        for number, rows in enumerate(found, start=1):
            for values, row in zip(errors, rows, strict=True):
                values += [round(float(v), 3) if np.isfinite(v) else None for v in row]
            yield 0.5 * number / len(self._targets)
        return errors

    def _times(self, make: Callable[[str], Answer]) -> dict[str, float]:
        """Milliseconds on every kind of device that is there."""
        devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
        return {device: milliseconds(make(device), self._targets) for device in devices}

    def _maps(self, name: str, locator: Locator) -> Generator[float, None, dict[str, float]]:
        """Table 1, Fig. 4 and Fig. 5; of the models that differ in their patch only."""
        if name not in self._trainings.patches.values():
            return {}
        maps, reads = self._config.maps, self._cases.tested
        chosen = reads[: maps.template_images or len(reads)]
        spread, finished = Spread(), list[Maps]()
        for share, spread in template_errors(locator, chosen, maps, self._field):  # noqa: B007
            yield 0.5 + 0.25 * share
        for share, finished in error_maps(locator, self._targets, maps):  # noqa: B007
            yield 0.75 + 0.25 * share
        if name == self._trainings.patches[self._trainings.patch_near(MAPS_PATCH)]:
            with self._picture(MAPS) as path:
                draw_trust(path, finished)
        return spread.figures("template") | map_figures(finished, self._field)

    def _within(self, name: str, result: Result) -> Generator[float, None, Result]:
        """The rows of cines, and the picture of each with the network for landmarks."""
        which, patch = self._trainings.within[name]
        cases = cases_of(which)
        locator = make_locator(str(self._trainings.file(name)), self._config.tmn.run.device)
        rows: dict[str, dict[str, float]] = {}
        field = training_of(which).input.field
        for share, rows in measured(locator, cases, self._config.maps, field):  # noqa: B007
            yield share
        if patch == self._trainings.patch_near(LANDMARKS_PATCH):
            for row in rows:
                with self._picture(f"within-{row}.png") as path:
                    draw_tracks(path, locator, next(case for case in cases if case.row == row))
        return replace(result, rows=rows)

    def _draw_found(self, locator: Locator) -> None:
        """Where the network of Table 2 finds the landmarks in a few test images."""
        names = self._cases.names
        examples = described(locator, self._shown[0][: self._trainings.few], names)
        cases = []
        for item in self._targets[:SHOWN]:
            image, truth = item.read(), item.landmarks.select(names)
            found = locator.locate(examples, image)
            error = float(np.nanmean(np.linalg.norm(found.positions - truth.positions, axis=1)))
            cases.append((item.name, image, truth, found, error))
        with self._picture(FOUND) as path:
            draw_worst(path, cases)

    def _picture(self, name: str) -> AbstractContextManager[Path]:
        return written(self._folder / "pictures" / name, overwrite=True)
