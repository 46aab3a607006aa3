"""Annotated images: a folder of images with point files beside them, or with one table of landmarks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import landmarks_beside, read_image, read_landmarks, read_points
from LandmarkTrackerLib.formats.files import natural, stem
from LandmarkTrackerLib.formats.image_file import SUFFIXES
from LandmarkTrackerLib.formats.points import TO_LPS
from LandmarkTrackerLib.formats.subjects import subject_rule
from LandmarkTrackerLib.formats.tables import number_in, read_table
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

TABLE = "landmarks.csv"
LPS, RAS, INDEX = ("l", "p", "s"), ("r", "a", "s"), ("i", "j")


@dataclass(frozen=True)
class Annotated:
    """One image file and its landmarks (LPS mm, three axes).

    Attributes:
        spacing: mm a pixel if the image states none, see `formats.read_image`.
    """

    path: Path
    subject: str
    landmarks: LandmarkSet
    spacing: tuple[float, ...] = ()

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
        image = read_image(self.path, self.spacing)
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


def annotated_images(
    folder: Path, subject: str = "", files: str = "*", spacing: Sequence[float] = ()
) -> list[Annotated]:
    """The annotated images of a folder in natural order; images without landmarks are left out.

    Args:
        folder: images with a point file of the same name beside each, in any format that is read, or with
            one table `landmarks.csv`; or such a table itself, in the folder of its images.
        subject: whose image a file is; see `subject_rule`.
        files: which images, as a pattern.
        spacing: mm a pixel of images that state none, see `formats.read_image`.

    Raises:
        InputError: the folder does not exist, no image is annotated, or landmarks belong to no image.
    """
    folder = Path(folder)
    table = folder if folder.suffix.lower() == ".csv" and folder.is_file() else folder / TABLE
    folder = table.parent
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder that holds the annotated images")
    images = _images(folder, files)
    landmarks = (
        _from_table(table, images, spacing) if table.is_file() else _from_files(folder, images, spacing)
    )
    for name, where in landmarks.items():
        if name not in images and files == "*":
            raise InputError(
                f"{where[0]} has landmarks of '{name}', but {folder} holds no image of that name"
            )
    whose = subject_rule(subject, folder)
    found = [(path, whose(path), landmarks[name][1]) for name, path in images.items() if name in landmarks]
    annotated = [
        Annotated(path, subject, points, tuple(spacing))
        for path, subject, points in found
        if subject is not None
    ]
    if not annotated:
        raise InputError(
            f"{folder} holds no annotated image; save a point list NAME.mrk.json beside each image NAME, "
            f"or one table {TABLE}"
        )
    return annotated


def _images(folder: Path, files: str) -> dict[str, Path]:
    images: dict[str, Path] = {}
    for path in sorted(folder.glob(files), key=lambda p: natural(p.name)):
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith("."):
            if stem(path) in images:
                raise InputError(
                    f"{images[stem(path)].name} and {path.name} share a name; keep one of them in {folder}"
                )
            images[stem(path)] = path
    return images


def landmarks_of(image: Path, spacing: Sequence[float] = ()) -> LandmarkSet:
    """Those of the point file beside an image, LPS mm; the image is read only where they count its pixels.

    Raises:
        InputError: there is no such file, or it cannot be used.
    """
    points = read_points(landmarks_beside(image))
    return points.landmarks(Grid.of(read_image(image, spacing)) if points.needs_image else None)


def _from_files(
    folder: Path, images: dict[str, Path], spacing: Sequence[float]
) -> dict[str, tuple[Path, LandmarkSet]]:
    lonely = [path for path in sorted(folder.glob("*.mrk.json")) if stem(path) not in images]
    found = {stem(path): (path, read_landmarks(path)) for path in lonely}
    for name, path in images.items():
        try:
            points = landmarks_beside(path)
        except InputError:
            continue
        found[name] = (points, landmarks_of(path, spacing))
    return found


def _from_table(
    table: Path, images: dict[str, Path], spacing: Sequence[float]
) -> dict[str, tuple[Path, LandmarkSet]]:
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
            positions = Grid.of(read_image(images[image], spacing)).to_world(positions)
        sets[image] = (table, LandmarkSet(tuple(named), positions, defined=np.isfinite(positions).all(1)))
    return sets


def landmark_names(data: Sequence[Annotated], wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The landmarks to train: `wanted`, or all that occur, in the order of their first appearance.

    Raises:
        InputError: a wanted name occurs nowhere; or a single file of three or more uses a name that no other
            file has, which is a typo more often than not.
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
