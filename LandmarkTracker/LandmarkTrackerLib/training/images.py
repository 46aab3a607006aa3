"""Training images: any folders of images and cines, split by patient."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume, is_constant
from LandmarkTrackerLib.simulation.phantom import Phantom

FIRST_PHANTOM = 1000


@dataclass(frozen=True)
class Source:
    """One `[[data]]` table: a folder of files, or simulated patients.

    Attributes:
        folder: below the folder that the environment variable LANDMARKTRACKER_DATA names, or absolute.
        files: which, as a pattern; each is an image, a volume or a cine.
        patient: regular expression whose first group, found in the path below `folder`, is the patient.
        table: instead of `patient`, a CSV file in the folder with the columns `file` and `patient`.
        spacing_mm: mm a pixel of images that carry no geometry (PNG, JPEG); 0 uses what the files state.
        phantoms: instead of a folder, the number of simulated patients, "phantom-1000" and so on: seeds below
            1000 are left to demonstrations and tests.
        frames: frames of each phantom, spread over its cine.
    """

    folder: str = ""
    files: str = "*"
    patient: str = "(.+)"
    table: str = ""
    spacing_mm: float = 0.0
    phantoms: int = 0
    frames: int = 8

    def __post_init__(self) -> None:
        if bool(self.folder) == bool(self.phantoms):
            raise InputError("give either a folder or a number of phantoms")
        try:
            groups = re.compile(self.patient).groups
        except re.error as error:
            raise InputError(f"patient '{self.patient}' is not a regular expression: {error}") from error
        if not groups:
            raise InputError(f"patient '{self.patient}' has no group; put brackets around the patient's name")


@dataclass(frozen=True)
class Split:
    """The `[split]` table. Every patient who is not named is trained on.

    Attributes:
        validation: patients who choose the best model and calibrate its sigma.
        test: patients whom training never sees.
    """

    validation: tuple[str, ...]
    test: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.validation:
            raise InputError("name at least one patient for validation")
        both = set(self.validation) & set(self.test)
        if both:
            raise InputError(f"patient '{min(both)}' is in validation and in test")


@dataclass(frozen=True)
class FieldImages:
    """Images of one part of the split, as the network's field shows them.

    Attributes:
        brightness: (N, rows, columns) 0 to 255: eight bits are what clipped percentiles leave to see.
        extent: (N, 2) columns and rows of the field that the image itself covers, around its centre.
        patients: N names.
    """

    brightness: NDArray[np.uint8]
    extent: NDArray[np.float64]
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.patients)


def read_split(
    sources: tuple[Source, ...], split: Split, field: Field, parts: tuple[str, ...] = ("train", "validation")
) -> dict[str, FieldImages]:
    """The images of these parts of the split: "train", "validation", "test". Other files are not opened.

    Raises:
        InputError: a folder or patient does not exist, a file cannot be read, or a part is empty.
    """
    shown: dict[str, list[tuple[NDArray[np.float32], Grid, str]]] = {part: [] for part in parts}
    for part, patient, image in split_images(sources, split, parts):
        shown[part].append((field.show(image), Grid.of(image), patient))
    return {part: _stack(part, images, field) for part, images in shown.items()}


def split_images(
    sources: tuple[Source, ...], split: Split, parts: tuple[str, ...] = ("train", "validation")
) -> Iterator[tuple[str, str, sitk.Image]]:
    """Part, patient and image of every slice of these parts that shows something; other files are not opened.

    Raises:
        InputError: a folder or patient does not exist, or a file cannot be read.
    """
    where = dict.fromkeys(split.validation, "validation") | dict.fromkeys(split.test, "test")
    patients = set()
    for source in sources:
        for patient, images in _files(source):
            patients.add(patient)
            part = where.get(patient, "train")
            if part in parts:
                yield from ((part, patient, image) for image in images if not is_constant(image))
    unknown = sorted(set(where) - patients)
    if unknown:
        some = ", ".join(sorted(patients)[:5])
        raise InputError(f"patient '{unknown[0]}' of the split is not in the data; there are {some}, ...")


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
        tuple(patient for _, _, patient in images),
    )


def _files(source: Source) -> Iterator[tuple[str, Iterator[sitk.Image]]]:
    """Every patient's name with images of one slice each, read when they are asked for."""
    if source.phantoms:
        for seed in range(FIRST_PHANTOM, FIRST_PHANTOM + source.phantoms):
            yield f"phantom-{seed}", _phantom(seed, source.frames)
        return
    folder = data_folder() / source.folder
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}; set LANDMARKTRACKER_DATA to the folder that holds {source.folder}"
        )
    paths = sorted(path for path in folder.glob(source.files) if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder} holds no file that fits '{source.files}'")
    table = _patients(folder / source.table) if source.table else None
    for path in paths:
        if table is not None:
            if path.name in table:
                yield table[path.name], _slices(path, source.spacing_mm)
            continue
        match = re.search(source.patient, path.relative_to(folder).as_posix())
        if match is None:
            raise InputError(f"the patient of {path.name} cannot be told by '{source.patient}'")
        yield match.group(1), _slices(path, source.spacing_mm)


def data_folder() -> Path:
    """Where relative data folders start."""
    return Path(os.environ.get("LANDMARKTRACKER_DATA", "data"))


def _patients(table: Path) -> dict[str, str]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return {row["file"]: row["patient"] for row in csv.DictReader(file)}
    except (OSError, KeyError) as error:
        raise InputError(f"{table} must be a CSV file with the columns file and patient") from error


def _slices(path: Path, spacing_mm: float) -> Iterator[sitk.Image]:
    for image in _frames(path):
        volume = as_volume(image)
        if spacing_mm:
            volume.SetSpacing((spacing_mm, spacing_mm, volume.GetSpacing()[2]))
        for k in range(volume.GetSize()[2]):
            yield volume[:, :, k : k + 1]


def _frames(path: Path) -> Iterator[sitk.Image]:
    if path.is_dir() or ".seq." in path.name:
        yield from open_cine(path)
    else:
        yield read_image(path)


def _phantom(seed: int, frames: int) -> Iterator[sitk.Image]:
    cine = Phantom(seed).cine()
    for frame in np.linspace(0, len(cine) - 1, frames).astype(int):
        yield cine[int(frame)]
