"""What the tables `[data]` and `[split]` name: files and simulated patients, split by subject."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.annotated import Annotated, annotated_images
from LandmarkTrackerLib.formats.subjects import subject_rule
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume, is_constant
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.training.config import DataConfig, SplitConfig

FIRST_PHANTOM = 1000
TRAINED = ("train", "validation")
ANNOUNCE = 2.0  # seconds between two lines
LOG = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Item:
    """One file of the data, or one simulated patient, that belongs to a part of the split.

    Attributes:
        part: "train", "validation" or "test".
        path: None for a simulated patient.
    """

    part: str
    subject: str
    data: DataConfig
    path: Path | None

    def images(self) -> Iterator[sitk.Image]:
        """Its image; of a cine, the frames."""
        if self.path is None:
            cine = Phantom(int(self.subject.removeprefix("phantom-"))).cine()
            yield from (cine[int(f)] for f in np.linspace(0, len(cine) - 1, self.data.frames).astype(int))
            return
        is_cine = self.path.is_dir() or ".seq." in self.path.name
        for image in open_cine(self.path) if is_cine else (read_image(self.path),):
            volume = as_volume(image)
            if self.data.spacing:
                volume.SetSpacing((self.data.spacing, self.data.spacing, volume.GetSpacing()[2]))
            yield volume

    def slices(self) -> Iterator[sitk.Image]:
        """Every slice of its images that shows something; of volumes, every n-th as `[data] every` says."""
        for image in self.images():
            depth, every = image.GetSize()[2], self.data.every
            if depth > 1 and every > 1:
                image = sitk.DICOMOrient(image, "LPS")
            chosen = range(depth) if depth == 1 else range(every // 2, image.GetSize()[2], every)
            yield from (part for k in chosen if not is_constant(part := image[:, :, k : k + 1]))


@dataclass(frozen=True)
class FieldImages:
    """Images of one part of the split, as the network's field shows them.

    Attributes:
        brightness: (N, rows, columns) 0 to 255: eight bits are what clipped percentiles leave to see.
        extent: (N, 2) columns and rows of the field that the image itself covers, around its centre.
        subjects: N names.
    """

    brightness: NDArray[np.uint8]
    extent: NDArray[np.float64]
    subjects: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.subjects)


def split_items(
    data: Sequence[DataConfig], split: SplitConfig, parts: Sequence[str] = TRAINED, seed: int = 0
) -> list[Item]:
    """Everything that belongs to these parts of the split; no file is opened.

    Raises:
        InputError: a folder or subject does not exist, or the subject of a file cannot be told.
    """
    named = [(subject, config, path) for config in data for subject, path in _named(config)]
    part_of = parts_of([subject for subject, _, _ in named], split, seed)
    items = [Item(part_of[subject], subject, config, path) for subject, config, path in named]
    return [item for item in items if item.part in parts]


def announced(items: Sequence[T]) -> Iterator[T]:
    """The items one by one, while the log says every few seconds how many of them are read."""
    begun = said = time.monotonic()
    for number, item in enumerate(items):
        now = time.monotonic()
        if number and now - said > ANNOUNCE:
            said, left = now, (now - begun) / number * (len(items) - number)
            LOG.info("read %d of %d files, about %.0f s left", number, len(items), left)
        yield item


def split_annotated(
    data: Sequence[DataConfig], split: SplitConfig, parts: Sequence[str] = TRAINED, seed: int = 0
) -> dict[str, list[Annotated]]:
    """The annotated images of these parts of the split.

    Raises:
        InputError: as `annotated_images`, or a subject of the split is not in the data.
    """
    items = [item for config in data for item in annotated_in(config)]
    part_of = parts_of([item.subject for item in items], split, seed)
    return {part: [item for item in items if part_of[item.subject] == part] for part in parts}


def annotated_in(config: DataConfig) -> list[Annotated]:
    """The annotated images of one `[data]` table. Raises as `annotated_images`."""
    spacing = (config.spacing,) * 2 if config.spacing else ()
    return annotated_images(config.path, config.subject, config.files, spacing)


def wanted_landmarks(data: Sequence[DataConfig]) -> tuple[str, ...]:
    """The names that the `[data]` tables list, each once."""
    return tuple(dict.fromkeys(name for config in data for name in config.landmarks))


def parts_of(subjects: Sequence[str], split: SplitConfig, seed: int = 0) -> dict[str, str]:
    """Which part each subject belongs to.

    Raises:
        InputError: a subject of the split is not in the data, or too few are there to draw a share of them.
    """
    there = list(dict.fromkeys(subjects))
    named = dict.fromkeys(split.test, "test")
    if not isinstance(split.validation, float):
        named |= dict.fromkeys(split.validation, "validation")
    unknown = sorted(set(named) - set(there))
    if unknown:
        some = ", ".join(sorted(there)[:5])
        raise InputError(f"subject '{unknown[0]}' of the split is not in the data; there are {some}, ...")
    parts = dict.fromkeys(there, "train") | named
    if isinstance(split.validation, float):
        rest = [subject for subject in there if subject not in named]
        parts |= dict.fromkeys(drawn_share(rest, split.validation, seed), "validation")
    return parts


def drawn_share(subjects: Sequence[str], share: float, seed: int) -> list[str]:
    """About this share of the subjects, drawn by the seed: at least one, and not all.

    Raises:
        InputError: there are fewer than two subjects.
    """
    if len(subjects) < 2:
        raise InputError(
            f"{len(subjects)} subject{'s' * (len(subjects) != 1)} cannot be split into training and "
            "validation; add images of more subjects, or check [data] subject"
        )
    count = min(max(round(share * len(subjects)), 1), len(subjects) - 1)
    order = np.random.default_rng(seed).permutation(len(subjects))
    return [subjects[row] for row in order[:count]]


def subject_folds(data: Sequence[Annotated], folds: int, seed: int = 0) -> list[list[Annotated]]:
    """The images in `folds` groups of about the same number of subjects, shuffled by `seed`.

    Raises:
        InputError: there are fewer subjects than folds.
    """
    subjects = list(dict.fromkeys(item.subject for item in data))
    if len(subjects) < folds:
        raise InputError(
            f"{len(subjects)} subjects cannot be split into {folds} groups; annotate more images"
        )
    order = np.random.default_rng(seed).permutation(len(subjects))
    group = {subjects[row]: place % folds for place, row in enumerate(order)}
    return [[item for item in data if group[item.subject] == fold] for fold in range(folds)]


def read_split(
    data: Sequence[DataConfig],
    split: SplitConfig,
    field: Field,
    parts: Sequence[str] = TRAINED,
    seed: int = 0,
) -> dict[str, FieldImages]:
    """The images of these parts of the split as a field shows them. Files of other parts are not opened.

    Raises:
        InputError: as `split_items`, a file cannot be read, or a part is empty.
    """
    shown: dict[str, list[tuple[NDArray[np.float32], Grid, str]]] = {part: [] for part in parts}
    for item in announced(split_items(data, split, parts, seed)):
        shown[item.part] += [(field.show(image), Grid.of(image), item.subject) for image in item.slices()]
    return {part: _stack(part, images, field) for part, images in shown.items()}


def _stack(part: str, images: list[tuple[NDArray[np.float32], Grid, str]], field: Field) -> FieldImages:
    if not images:
        raise InputError(f"no image is left for {part}; check the folders and the split")
    extents = [
        np.minimum(np.array(grid.size[:2]) * grid.spacing[:2] / field.pitch(grid), field.size)
        for _, grid, _ in images
    ]
    return FieldImages(
        np.stack([np.rint(brightness * 255).astype(np.uint8) for brightness, _, _ in images]),
        np.stack(extents),
        tuple(subject for _, _, subject in images),
    )


def _named(config: DataConfig) -> Iterator[tuple[str, Path | None]]:
    """Every subject's name with a file, or None for a simulated one."""
    if config.phantoms:
        yield from ((f"phantom-{FIRST_PHANTOM + n}", None) for n in range(config.phantoms))
        return
    folder = config.path
    paths = sorted(path for path in folder.glob(config.files) if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder} holds no file that fits '{config.files}'")
    subject = subject_rule(config.subject, folder)
    for path in paths:
        name = subject(path)
        if name is not None:
            yield name, path
