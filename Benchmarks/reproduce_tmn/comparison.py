"""The comparisons of Frueh et al. 2022 on a folder of images: everything trained, measured and reported.

Every finished model and every finished measurement is kept, so an interrupted comparison goes on.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written
from LandmarkTrackerLib.formats.tables import read_table, write_table
from LandmarkTrackerLib.jobs.export import refuse_existing
from LandmarkTrackerLib.step import Step

from reproduce_tmn.config import ReproduceConfig, settings_of
from reproduce_tmn.data import Cases, read_cases
from reproduce_tmn.measuring import Measuring
from reproduce_tmn.report import REPORT_FILES, write_report
from reproduce_tmn.result import Result
from reproduce_tmn.trainings import SAME_PLACE, SPLIT, Trainings, train

SETTINGS = "settings.json"
SPLIT_COLUMNS = ("file", "patient", "part", "landmarks")
# Measuring a model is taken for this share of training it, in the estimate of time.
MEASURING = 0.1
PARTS = 10_000  # of the whole work, that progress counts


class Comparison:
    """An iterator over the steps of all trainings and measurements.

        for step in Comparison(folder, output, config):
            print(step.result)  # what is being done

    Args:
        folder: images, some or all with landmarks; see `data.read_cases`.
        output: receives `models/`, `results/`, `pictures/`, and after every model `report.html` and
            `numbers.csv` of what is finished so far. If the same comparison was begun there, it goes on.
        config: the recipe.
        overwrite: write the report again though it is there.

    Raises:
        InputError: the folder cannot be used, or `output` holds something else or a finished report.
    """

    def __init__(self, folder: Path, output: Path, config: ReproduceConfig, overwrite: bool = False) -> None:
        self.output, self.config = output, config
        _require_ours(output)
        self.cases = read_cases(folder, config.data)
        _begin(output, config, self.cases)
        self.trainings = Trainings(config, self.cases, output)
        if all(self._row(name).exists() for name in self.trainings.all):
            refuse_existing(output, REPORT_FILES, overwrite)
        if config.tmn.run.threads:
            torch.set_num_threads(config.tmn.run.threads)

    def __iter__(self) -> Generator[Step[str], None, None]:
        """Train and measure what is not there yet, and report.

        Raises:
            InputError: an image cannot be used, or a training fails.
        """
        work = {t.name: t.work * t.steps for t in self.trainings.all.values()}
        measure = Measuring(self.config, self.cases, self.trainings, self.output)
        total = sum(work.values()) * (1 + MEASURING)
        done = sum(work[name] for name in work if self._row(name).exists()) * (1 + MEASURING)
        yield _step(done / total, "begin")
        if not self._row(SAME_PLACE).exists():
            for _ in self._kept(measure.same_place(), SAME_PLACE):
                yield _step(done / total, "the same place, without a network")
        for number, (name, training) in enumerate(self.trainings.all.items(), start=1):
            what = f"{number} of {len(work)}, {name}"
            if self._row(name).exists():
                continue
            with closing(train(training, self.output / "models" / name)) as steps:
                for step in steps:
                    share = min(step / training.steps, 1.0) * work[name]
                    yield _step((done + share) / total, f"{what}: step {step} of {training.steps}")
            done += work[name]
            for share in self._kept(measure(name), name):
                yield _step((done + share * MEASURING * work[name]) / total, f"{what}: measured")
            done += MEASURING * work[name]
            self._write_report()
        self._write_report()

    @property
    def report(self) -> Path:
        return self.output / REPORT_FILES[0]

    def _write_report(self) -> None:
        """Of what is finished so far."""
        names = [name for name in (*self.trainings.all, SAME_PLACE) if self._row(name).exists()]
        results = {name: Result.read(self._row(name)) for name in names}
        write_report(self.output, self.config, self.cases, self.trainings, results)

    def _kept(self, measuring: Generator[float, None, Result], name: str) -> Iterator[float]:
        """Pass on the shares that are done, and write the result in the end."""
        result = yield from measuring
        result.write(self._row(name))

    def _row(self, name: str) -> Path:
        return self.output / "results" / f"{name}.json"


def _require_ours(output: Path) -> None:
    refuse_existing(output, (), overwrite=False)
    if output.is_dir() and any(output.iterdir()) and not (output / SETTINGS).is_file():
        raise InputError(f"{output} holds other files; choose a new folder with --output")


def _begin(output: Path, config: ReproduceConfig, cases: Cases) -> None:
    """Write down what is compared, or see that it is what was begun."""
    settings, split = output / SETTINGS, output / SPLIT
    now = settings_of(config)
    if not settings.exists():
        write_table(split, SPLIT_COLUMNS, cases.rows, overwrite=True)
        with written(settings) as partial:
            partial.write_text(json.dumps(now, indent=1), encoding="utf-8")
        return
    before = json.loads(read_text(settings))
    for key, value in now.items():
        if before.get(key) != value:
            raise InputError(
                f"{output} was begun with {key} = {before.get(key)}, and it is {value} now; go on with the "
                "same recipe, or choose a new folder with --output"
            )
    rows = [tuple(row.values()) for row in read_table(split)]
    if rows != [tuple(str(cell) for cell in row) for row in cases.rows]:
        raise InputError(
            f"the images of {cases.folder}, or their landmarks, are not those that {split} lists; go on with "
            "the same images, or choose a new folder with --output"
        )


def _step(share: float, what: str) -> Step[str]:
    return Step(int(PARTS * share), PARTS, what)
