"""A folder of single-frame images, one a frame, in the natural order of their names."""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import image_file
from LandmarkTrackerLib.formats.files import natural
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, is_calibrated, notes_of

SUFFIXES = image_file.SUFFIXES


def image_files(folder: Path) -> list[Path]:
    """The images of a folder, frame 2 before frame 10.

    Raises:
        InputError: there is none, or they are of several kinds.
    """
    kinds: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), key=lambda p: natural(p.name)):
        kind = image_file.suffix_of(path)
        if kind and path.is_file() and not path.name.startswith("."):
            kinds.setdefault(kind, []).append(path)
    if not kinds:
        raise InputError(
            f"{folder} holds no images; give a folder of frames ({', '.join(image_file.SUFFIXES)})"
        )
    if len(kinds) > 1:
        raise InputError(
            f"{folder} holds images of several kinds ({', '.join(kinds)}); keep the frames apart"
        )
    return next(iter(kinds.values()))


def has_images(folder: Path) -> bool:
    """Whether there are images of other formats than DICOM."""
    other = tuple(suffix for suffix in SUFFIXES if suffix != ".dcm")
    return any(path.name.lower().endswith(other) for path in folder.iterdir() if path.is_file())


def read_cine(folder: Path) -> Cine:
    """A cine whose times are frame numbers.

    Raises:
        InputError: no images, images of several kinds, or only one.
    """
    files = image_files(folder)
    if len(files) < 2:
        raise InputError(f"{folder} holds one image, {files[0].name}; a cine has two frames or more")
    times = [float(frame) for frame in range(len(files))]
    first = image_file.read_image(files[0])
    return Cine(
        times,
        lambda frame: image_file.read_image(files[frame]),
        Grid.of(first),
        folder.name,
        calibrated=is_calibrated(first),
        notes=notes_of(first),
    )
