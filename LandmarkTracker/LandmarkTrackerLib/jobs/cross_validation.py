"""K-fold cross-validation: every subject is tested once, by a model that has never seen it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.localization import Localization
from LandmarkTrackerLib.formats.annotated import Annotated, landmark_names
from LandmarkTrackerLib.jobs.detect import detect
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import AlwaysAnswering, Detector
from LandmarkTrackerLib.step import Step, results

if TYPE_CHECKING:
    from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining


SHARE = 0.2  # of the subjects that are not tested, to validate on, where the file names some instead


def cross_validate(config: HeatmapTraining, folds: int, folder: Path) -> Iterator[Step[Localization]]:
    """Train and test `folds` models, in `folder/fold-1` and so on. A fold that was begun goes on.

    The validation part of the training file is taken from the other folds' subjects, so that nothing about a
    tested subject has a say in its model. Subjects that the file holds out are tested in no fold.

    Raises:
        InputError: the data cannot be used, or there are too few subjects.
    """
    from LandmarkTrackerLib.methods.registry import make_detector
    from LandmarkTrackerLib.training.data import annotated_in, drawn_share, subject_folds, wanted_landmarks
    from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
    from LandmarkTrackerLib.training.loop import Run

    if folds < 2:
        raise InputError(f"{folds} fold is no cross-validation; use at least 2")
    data = [item for table in config.data for item in annotated_in(table)]
    data = [item for item in data if item.subject not in config.split.test]
    # All folds learn the same landmarks, also one whose training images lack some.
    names = landmark_names(data, wanted_landmarks(config.data))
    config = replace(config, data=tuple(replace(table, landmarks=names) for table in config.data))
    share = config.split.validation if isinstance(config.split.validation, float) else SHARE
    # A fold is trained, and then tested; where epochs are counted, its steps are fewer than this.
    each = config.run.counted(len(data)).steps + 1
    for fold, tested in enumerate(subject_folds(data, folds, config.run.seed), start=1):
        others = [item for item in data if item not in tested]
        validating = drawn_share([*dict.fromkeys(item.subject for item in others)], share, config.run.seed)
        training, validation = (
            [item for item in others if (item.subject in validating) == part] for part in (False, True)
        )
        task = HeatmapTask(config, training, validation)
        where = folder / f"fold-{fold}"
        before = (fold - 1) * each
        run = Run(task, config.run, where, resume=(where / "last.ckpt").exists())
        if not run.finished:
            for step in run:
                yield Step(before + step.done, folds * each)
        result = evaluate(tested, make_detector(str(run.model), config.run.device))
        yield Step(before + each, folds * each, result)


def evaluate(data: list[Annotated], detector: Detector) -> Localization:
    """The detector's answers on annotated images, against what people placed.

    A detector that has a place for every landmark is measured on all of them, as in the paper; which of them
    it reports is kept beside.

    Raises:
        InputError: an image cannot be used, or shares no landmark with the model.
    """
    watched = _Watched(detector)
    answers, reported = [], []
    found_in = results(detect({item.name: item.read for item in data}, watched))
    for item, found in zip(data, found_in, strict=True):
        if found.landmarks is None:
            raise InputError(f"{item.name}: {found.failure}")
        answers.append((item.name, item.landmarks, found.landmarks))
        reported.append(watched.reported.pop() if watched.reported else found.landmarks.defined)
    return Localization.of(answers, np.array(reported))


class _Watched:
    """A detector that answers always where it can, and notes which answers it would report."""

    def __init__(self, detector: Detector) -> None:
        self.detector, self.reported = detector, list[NDArray[np.bool_]]()  # of the last image

    @property
    def names(self) -> tuple[str, ...]:
        return self.detector.names

    def detect(self, image: sitk.Image) -> LandmarkSet:
        found, reported = self._answers(image)
        self.reported.append(reported)
        return found

    def _answers(self, image: sitk.Image) -> tuple[LandmarkSet, NDArray[np.bool_]]:
        if isinstance(self.detector, AlwaysAnswering):
            return self.detector.answers(image)
        found = self.detector.detect(image)
        return found, np.asarray(found.defined)


def joined(results: list[Localization]) -> Localization:
    """The answers of all folds as one."""
    return replace(
        results[0],
        images=tuple(image for result in results for image in result.images),
        truth=np.concatenate([result.truth for result in results]),
        found=np.concatenate([result.found for result in results]),
        sigma=np.concatenate([result.sigma for result in results]),
        reported=np.concatenate([result.answered for result in results]),
        scale=np.concatenate([result.scale for result in results]),
    )
