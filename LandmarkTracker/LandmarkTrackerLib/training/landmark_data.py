"""A folder of annotated images, checked as a whole before anybody spends time on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_image, read_landmarks
from LandmarkTrackerLib.formats.files import natural, stem
from LandmarkTrackerLib.formats.image_file import SUFFIXES
from LandmarkTrackerLib.formats.points import TO_LPS
from LandmarkTrackerLib.formats.tables import number_in, read_table
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

TABLE = "landmarks.csv"
LPS, RAS, INDEX = ("l", "p", "s"), ("r", "a", "s"), ("i", "j")


@dataclass(frozen=True)
class DataConfig:
    """The `[data]` table.

    Attributes:
        folder: images with point lists of the same names beside them, or with one table `landmarks.csv`.
        landmarks: names to train, in this order; all that occur if not given.
        subject_until: a file's subject is its name up to this text ("-IM-"); every file its own if empty.
            Images of one subject never lie on both sides of a split.
        validation: part of the subjects that choose the best model and calibrate it.
        held_out: subjects that are not touched at all.
    """

    folder: str
    landmarks: tuple[str, ...] = ()
    subject_until: str = ""
    validation: float = 0.2
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Annotated:
    """One image file and its landmarks (LPS mm, three axes)."""

    path: Path
    subject: str
    landmarks: LandmarkSet

    @property
    def name(self) -> str:
        return stem(self.path)

    def read(self, like: Grid | None = None) -> sitk.Image:
        """The image.

        Args:
            like: grid of the first image of a data set, which slices must not be mirrored against.

        Raises:
            InputError: it cannot be read, a landmark lies off it, or a slice is mirrored or turned over.
        """
        image = read_image(self.path)
        grid = Grid.of(image)
        for landmark in self.landmarks.only_defined():
            if not grid.contains(landmark.position):
                at = ", ".join(f"{x:.1f}" for x in landmark.position)
                raise InputError(
                    f"{self.path}: landmark '{landmark.name}' at LPS ({at}) mm lies outside the image; "
                    "check that the points belong to it and are in the right coordinate system"
                )
        if like is not None and grid.is_slice and like.is_slice:
            alignment = (np.reshape(grid.direction, (3, 3)) * np.reshape(like.direction, (3, 3))).sum(axis=0)
            if (alignment[:2] < 0).any():
                raise InputError(
                    f"{self.path} is mirrored or turned by more than 90 degrees against the first image; "
                    "reorient it so that its rows and columns run the same way"
                )
        return image


def annotated_images(folder: Path, subject_until: str = "") -> list[Annotated]:
    """The annotated images of a folder in natural order; images without landmarks are left out.

    Raises:
        InputError: the folder does not exist, no image is annotated, or landmarks belong to no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder that holds the annotated images")
    images: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: natural(p.name)):
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith("."):
            if stem(path) in images:
                raise InputError(
                    f"{images[stem(path)].name} and {path.name} share a name; keep one of them in {folder}"
                )
            images[stem(path)] = path
    table = folder / TABLE
    landmarks = _from_table(table, images) if table.is_file() else _from_files(folder)
    for name, where in landmarks.items():
        if name not in images:
            raise InputError(
                f"{where[0]} has landmarks of '{name}', but {folder} holds no image of that name"
            )
    if not landmarks:
        raise InputError(
            f"{folder} holds no annotated image; save a point list NAME.mrk.json beside each image NAME, "
            f"or one table {TABLE}"
        )
    return [
        Annotated(path, name.split(subject_until)[0] if subject_until else name, landmarks[name][1])
        for name, path in images.items()
        if name in landmarks
    ]


def _from_files(folder: Path) -> dict[str, tuple[Path, LandmarkSet]]:
    return {stem(path): (path, read_landmarks(path)) for path in sorted(folder.glob("*.mrk.json"))}


def _from_table(table: Path, images: dict[str, Path]) -> dict[str, tuple[Path, LandmarkSet]]:
    """Columns image, name (or label), and l, p, s or r, a, s in mm, or i, j[, k] in pixels from the first
    pixel's centre. A row with empty coordinates says that the landmark is not in that image."""
    rows = read_table(table)
    header = set(rows[0]) if rows else set()
    label = next((column for column in ("name", "label") if column in header), None)
    axes = next((axes for axes in (LPS, RAS, INDEX) if set(axes) <= header), ())
    if label is None or "image" not in header or not axes:
        raise InputError(f"{table} needs the columns image, name and l,p,s or r,a,s (mm) or i,j (pixels)")
    axes = (*axes, "k") if axes == INDEX and "k" in header else axes
    points: dict[str, dict[str, np.ndarray]] = {}
    for line, row in enumerate(rows, start=2):
        image = stem(Path(row["image"]))
        if row[label] in points.setdefault(image, {}):
            raise InputError(
                f"{table}, row {line}: '{image}' has a second landmark '{row[label]}'; remove one"
            )
        empty = not any(row[axis] for axis in axes)
        values = [np.nan] * 3 if empty else [number_in(table, row, axis, line) for axis in axes]
        points[image][row[label]] = np.array([*values, 0.0][:3])
    sets = {}
    for image, named in points.items():
        positions = np.array(list(named.values()))
        if axes == RAS:
            positions = positions * TO_LPS["RAS"]
        elif axes != LPS and image in images:
            positions = Grid.of(read_image(images[image])).to_world(positions)
        sets[image] = (table, LandmarkSet(tuple(named), positions, defined=np.isfinite(positions).all(1)))
    return sets


def landmark_names(data: Sequence[Annotated], wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The landmarks to train: `wanted`, or all that occur, in the order of their first appearance.

    Raises:
        InputError: a wanted name occurs nowhere; or a single file of three or more uses a name that no other
            file has, which is a slip of the pen more often than not.
    """
    counts = Counter(name for item in data for name in item.landmarks.names)
    for name in wanted:
        if name not in counts:
            close = get_close_matches(name, counts, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(counts)}"
            raise InputError(f"no file has a landmark '{name}'; {hint}")
    if wanted:
        return tuple(wanted)
    for item in data if len(data) > 2 else []:
        for name in item.landmarks.names:
            if counts[name] == 1:
                others = [n for n, count in counts.items() if count > 1]
                close = get_close_matches(name, others, n=1)
                hint = f"rename it, perhaps to '{close[0]}'" if close else "rename it"
                raise InputError(
                    f"{item.name}: no other file has a landmark '{name}'; {hint}, "
                    "or list the landmarks to train in [data] landmarks"
                )
    return tuple(counts)


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


def split(data: Sequence[Annotated], part: float, seed: int = 0) -> tuple[list[Annotated], list[Annotated]]:
    """Training and validation images; the latter of `part` of the subjects, at least one.

    Raises:
        InputError: `part` is not between 0 and 1, or there are fewer than two subjects.
    """
    if not 0 < part < 1:
        raise InputError(f"validation = {part} must lie between 0 and 1")
    subjects = len({item.subject for item in data})
    groups = subject_folds(data, max(subjects, 2), seed)
    count = min(max(round(part * subjects), 1), subjects - 1)
    chosen = {item.subject for group in groups[:count] for item in group}
    return [i for i in data if i.subject not in chosen], [i for i in data if i.subject in chosen]
