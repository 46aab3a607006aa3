"""A user's folder, read and split by patient: who is trained on, who shows the landmarks, who is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.formats.annotated import Annotated, annotated_images, landmark_names
from LandmarkTrackerLib.formats.files import natural
from LandmarkTrackerLib.formats.image_file import SUFFIXES
from LandmarkTrackerLib.formats.subjects import subject_rule
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.training.config import SplitConfig

from reproduce_tmn.config import Data

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
# One patient to train on, one to validate on, and two to test: a cyclic error needs another patient.
LEAST = {"train": 1, "validation": 1, "test": 2}


@dataclass(frozen=True)
class Cases:
    """The images of a folder.

    Attributes:
        folder: that holds them.
        patients: file name to patient.
        parts: patient to part.
        annotated: the images with landmarks, all of them slices.
        names: the landmarks that are sought.
    """

    folder: Path
    patients: dict[str, str]
    parts: dict[str, Part]
    annotated: tuple[Annotated, ...]
    names: tuple[str, ...]

    def of(self, part: Part) -> list[Annotated]:
        """The annotated images of a part."""
        return [item for item in self.annotated if self.parts[item.subject] == part]

    @property
    def split(self) -> SplitConfig:
        def named(part: Part) -> tuple[str, ...]:
            return tuple(patient for patient, where in self.parts.items() if where == part)

        return SplitConfig(named("validation"), named("test"))

    @property
    def rows(self) -> list[tuple[str, str, str, int]]:
        """File, patient, part and number of landmarks of every image."""
        counts = {item.path.name: int(item.landmarks.defined.sum()) for item in self.annotated}
        return [(f, p, self.parts[p], counts.get(f, 0)) for f, p in self.patients.items()]

    @property
    def tested(self) -> list[Callable[[], sitk.Image]]:
        """Every image of the test patients, with landmarks or without, as what reads it."""
        files = [file for file, patient in self.patients.items() if self.parts[patient] == "test"]
        return [partial(read_image, self.folder / file) for file in files]

    @property
    def trained(self) -> int:
        """How many images are trained on."""
        return sum(self.parts[patient] == "train" for patient in self.patients.values())

    def examples(self, draw: int, seed: int) -> list[Annotated]:
        """Training images that show every landmark, in the order in which they become examples."""
        complete = [i for i in self.of("train") if i.landmarks.select(self.names).defined.all()]
        return in_turn(complete, (seed, 1, draw))

    def targets(self, count: int, seed: int) -> list[Annotated]:
        """Test images in which landmarks are sought."""
        return in_turn(self.of("test"), (seed, 2))[:count]


def read_cases(folder: Path, config: Data) -> Cases:
    """Read and split a folder; every annotated image is looked at.

    Raises:
        InputError: there are no annotated images or too few patients, a patient cannot be told, or an image
            does not fit its landmarks or the others; the message names the file.
    """
    items = annotated_images(folder, config.subject)
    whose = subject_rule(config.subject, folder)
    files = sorted(
        (p for p in folder.iterdir() if p.name.lower().endswith(SUFFIXES) and p.name[0] != "."),
        key=lambda path: natural(path.name),
    )
    patients = {path.name: subject for path in files if (subject := whose(path)) is not None}
    names = landmark_names(items, config.landmarks)
    _look_at(items)
    labelled = list(dict.fromkeys(item.subject for item in items))
    others = [p for p in dict.fromkeys(patients.values()) if p not in set(labelled)]
    parts = _share(labelled, config, LEAST) | _share(others, config, {})
    cases = Cases(folder, patients, parts, tuple(items), names)
    if not cases.examples(0, config.seed):
        raise InputError(
            f"no training image in {folder} shows all of {', '.join(names)}; annotate them in one image or "
            "list fewer in [data] landmarks"
        )
    return cases


def in_turn(items: Sequence[Annotated], seed: tuple[int, ...]) -> list[Annotated]:
    """Shuffled, so that each patient's first image comes before any patient's second."""
    rng = np.random.default_rng(seed)
    taken: dict[str, int] = {}
    turns: list[tuple[int, int, Annotated]] = []
    for row in rng.permutation(len(items)):
        taken[items[row].subject] = taken.get(items[row].subject, 0) + 1
        turns.append((taken[items[row].subject], len(turns), items[row]))
    return [item for _, _, item in sorted(turns, key=lambda turn: turn[:2])]


def _look_at(items: Sequence[Annotated]) -> None:
    first: Grid | None = None
    for item in items:
        grid = Grid.of(item.read(first))
        if not grid.is_slice:
            raise InputError(
                f"{item.path} is a volume of {grid.size[2]} slices; annotate single slices instead"
            )
        first = first or grid


def _share(patients: Sequence[str], config: Data, least: dict[str, int]) -> dict[str, Part]:
    """Which part each patient belongs to, drawn at random."""
    needed = sum(least.values())
    if len(patients) < needed:
        raise InputError(
            f"the annotated images are of {len(patients)} patient{'s' * (len(patients) != 1)} and {needed} "
            "are needed, 2 of them to test; annotate more, or check the regular expression (--subject)"
        )
    counts = {
        part: max(round(getattr(config, part) * len(patients)), least.get(part, 0)) for part in PARTS[1:]
    }
    shuffled = [patients[row] for row in np.random.default_rng((config.seed, 0)).permutation(len(patients))]
    parts: dict[str, Part] = dict.fromkeys(shuffled, "train")
    tested = counts["test"]
    parts |= dict.fromkeys(shuffled[:tested], "test")
    return parts | dict.fromkeys(shuffled[tested : tested + counts["validation"]], "validation")
