"""DICOM files and folders: which cines and volumes they hold, and one of them read."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.dicom.clocks import Order
from LandmarkTrackerLib.formats.dicom.frames import Frame, frames_of
from LandmarkTrackerLib.formats.dicom.headers import (
    DERIVED,
    NotAnImageError,
    is_dicom,
    is_index,
    kind_of,
    read_source,
)
from LandmarkTrackerLib.formats.dicom.pixels import read_frame
from LandmarkTrackerLib.formats.dicom.stacks import Stack, stacks_of
from LandmarkTrackerLib.formats.files import NotACineError, natural, stem
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, annotated

# A folder of more files than this is not one subject's.
MOST_FILES = 50_000
# How many names a message lists.
LISTED = 12
# Times of the slices of a volume that differ by less, ms, need no word.
SAME_MOMENT_MS = 1.0


def dicom_files(path: Path) -> list[Path]:
    """The DICOM files at a path: itself, or those of a folder, whatever their names.

    A folder that holds none itself is searched with all that is below it, as a medium needs. Hidden files and
    the index of a medium (DICOMDIR) are left out; its own path stands for its folder.

    Raises:
        InputError: the folder holds far too many files, or cannot be read.
    """
    if path.is_file() and not is_index(path):
        return [path] if _looks_like_dicom(path) else []
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        return []
    try:
        here = [file for file in folder.iterdir() if file.is_file() and _looks_like_dicom(file)]
        below = [] if here else [file for file in _below(folder) if _looks_like_dicom(file)]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); check its permissions") from error
    return sorted(here or below, key=lambda file: natural(str(file)))


def _looks_like_dicom(path: Path) -> bool:
    if path.name.startswith(".") or is_index(path):
        return False
    return path.suffix.lower() == ".dcm" or is_dicom(path)


def _below(folder: Path) -> Iterable[Path]:
    """Every file below a folder; nothing hidden, and no link to a folder is followed."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += len(names)
        if count > MOST_FILES:
            raise InputError(f"{folder} holds more than {MOST_FILES} files; give the folder of one subject")
        yield from (Path(parent, name) for name in names)


@dataclass(frozen=True)
class Contents:
    """What the DICOM files at a path hold.

    Attributes:
        passed_over: what was not read, a phrase each.
    """

    path: Path
    stacks: tuple[Stack, ...]
    passed_over: tuple[str, ...]


def contents(path: Path) -> Contents:
    """Read the headers of the DICOM files at a path.

    Raises:
        InputError: there is no image, or a file is damaged.
    """
    files = dicom_files(path)
    if not files:
        raise InputError(f"{path} is the index of a DICOM medium without its images; copy the whole medium")
    states = ((file, file.stat()) for file in files)
    frames, others = _frames(tuple((file, state.st_mtime_ns, state.st_size) for file, state in states))
    kept, copies = _once(frames)
    passed = [f"{count} {what}" for what, count in others.items()]
    if copies:
        passed.append(f"{copies} copies of images that are there already")
    if not kept:
        raise InputError(
            f"{path} holds no DICOM images but {', '.join(passed) or 'nothing'}; give the images"
        )
    return Contents(path, tuple(stacks_of(kept)), (f"passed over: {', '.join(passed)}",) if passed else ())


@lru_cache(maxsize=1)
def _frames(files: tuple[tuple[Path, int, int], ...]) -> tuple[list[Frame], Counter[str]]:
    """The frames of files, and how many of which other objects there are.

    Those of the last folder are kept until one of its files changes: who looks into a folder mostly opens it.
    """
    frames: list[Frame] = []
    others: Counter[str] = Counter()
    with warnings.catch_warnings():
        # pydicom warns of every value that the standard does not allow.
        warnings.simplefilter("ignore")
        for file, _time, _size in files:
            try:
                source = read_source(file)
                if len(files) > 1 and source.tags.text("SOPClassUID") in DERIVED:
                    raise NotAnImageError(str(file), kind_of(source.tags))
                frames += frames_of(source)
            except NotAnImageError as error:
                if len(files) == 1:
                    raise
                others[error.what] += 1
    return frames, others


def _once(frames: Sequence[Frame]) -> tuple[list[Frame], int]:
    """The frames without copies of the same instance, and how many copies there were.

    Programs exist that give all images one UID: only what agrees in place and time too is a copy.
    """
    kept: dict[object, Frame] = {}
    for frame in frames:
        stamp = tuple((clock.name, value) for clock, value in frame.stamp.items())
        where = (frame.series.uid, frame.grid, stamp) if frame.instance else (frame.path,)
        kept.setdefault((frame.instance, frame.number, *where), frame)
    return list(kept.values()), len(frames) - len(kept)


@dataclass(frozen=True)
class Choice:
    """One cine of a folder: a slice, or volumes.

    Attributes:
        stack: its slices.
        orders: of the frames of each slice.
        others: the names of the slices that could be had alone instead.
    """

    stack: Stack
    orders: tuple[Order | None, ...]
    others: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.stack.phases

    def __str__(self) -> str:
        slices = len(self.stack.slices)
        return f"{len(self)} frames" if slices == 1 else f"{len(self)} volumes of {slices} slices"


def choices(stacks: Iterable[Stack]) -> tuple[dict[str, Choice], dict[str, Choice]]:
    """What can be opened as a cine, by name: what is offered, and all that a name can ask for.

    Where frame n of all slices shows one moment or phase, the slices are offered together, as volumes.
    """
    offered: dict[str, Choice] = {}
    all_of: dict[str, Choice] = {}
    for stack in stacks:
        orders = stack.orders()
        names = stack.slice_names
        single = {
            name: Choice(Stack(name, (frames,), (name,)), (order,))
            for name, frames, order in zip(names, stack.slices, orders, strict=True)
            if len(frames) > 1
        }
        together: dict[str, Choice] = {}
        if len(names) > 1 and stack.phases > 1 and None not in orders and not stack.fault():
            together[stack.name] = Choice(stack, tuple(orders), names)
        elif len(names) == 1 and single:
            all_of[stack.name] = single[names[0]]
        all_of.update({**together, **single})
        offered.update(together if together and stack.in_step(orders) else single)
    return offered, all_of


def names_in(path: Path) -> list[str]:
    """The cines that a name can ask for, volumes before their slices.

    Raises:
        InputError: there is no image, or a file is damaged.
    """
    return _names(choices(contents(path).stacks)[1])


def _names(all_of: Mapping[str, Choice]) -> list[str]:
    """Without the second name of what has two."""
    return [name for name, choice in all_of.items() if choice.stack.name == name]


def listing(path: Path) -> list[str]:
    """What can be chosen where several cines are offered, for people; nothing otherwise.

    Raises:
        InputError: there is no image, or a file is damaged.
    """
    found = contents(path)
    offered, all_of = choices(found.stacks)
    if len(offered) < 2:
        return []
    return [
        f"DICOM with {len(offered)} cines; choose one with --slice",
        *(f"{name}: {all_of[name]}" for name in _names(all_of)),
        *found.passed_over,
    ]


def read_cine(path: Path, name: str | None = None) -> Cine:
    """A cine from a DICOM file of several frames, or from a folder of files; pixels are read when asked for.

    Args:
        name: which; may be left out where there is only one.

    Raises:
        InputError: there are several and none is chosen (the message lists them), or none of this name; its
            frames cannot be put in order; or a file is damaged.
    """
    found = contents(path)
    offered, all_of = choices(found.stacks)
    if name is not None and name not in all_of:
        raise InputError(f"{path} has no cine '{name}'; choose with --slice from {_listed(all_of)}")
    if name is None and len(offered) > 1:
        raise InputError(
            f"{path} holds {len(offered)} cines; choose one with --slice from {_listed(offered)}"
        )
    if name is None and not offered:
        raise _no_cine(found)
    chosen = name or next(iter(offered))
    title = path.name if path.is_dir() else stem(path)
    if len(_names(all_of)) > 1 and name is not None:
        title = f"{title} {chosen.replace('/', ' ')}"
    cine = _cine(all_of[chosen], title, f"{path}, {chosen}", found)
    single = [stack.name for stack in found.stacks if stack.phases == 1]
    return replace(cine, notes=(*cine.notes, *_passed(single)))


def _passed(names: Sequence[str]) -> tuple[str, ...]:
    """A note of single images that were not read."""
    return (f"passed over: single images of {_enumerated(names)}",) if names else ()


def _listed(named: Mapping[str, Choice]) -> str:
    return _enumerated([f"'{name}' ({choice})" for name, choice in named.items()])


def _enumerated(texts: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
    return ", ".join(texts[:LISTED]) + more


def _no_cine(found: Contents) -> NotACineError:
    count = sum(len(stack.slices) for stack in found.stacks)
    if found.path.is_file():
        what = "one image" if count == 1 else "one 3D volume"
        return NotACineError(
            f"{found.path} is {what}, not a cine; give a .seq.nrrd, a 4D file or a folder of frames"
        )
    return NotACineError(
        f"{found.path} holds {count} slices of one image each, not a cine; give frames in time"
    )


def _cine(choice: Choice, title: str, where: str, found: Contents) -> Cine:
    stack, orders = choice.stack, [order for order in choice.orders if order is not None]
    if len(orders) < len(stack.slices):
        raise InputError(
            f"{where}: its {len(choice)} images cannot be put in order, since no time and no number tells "
            "them apart; take copies away"
        )
    frames = [
        [images[order.frames[t]] for images, order in zip(stack.slices, orders, strict=True)]
        for t in range(len(choice))
    ]
    times = np.array([order.times for order in orders])
    notes = [orders[0].note]
    if orders[0].unit == "ms" and np.ptp(times, axis=0).max() > SAME_MOMENT_MS:
        notes.append(
            f"times of the slices differ by up to {np.ptp(times, axis=0).max():.4g} ms; those of the first "
            "slice are taken"
        )
    if choice.others:
        first, *_between, last = choice.others
        notes.append(f"{choice}; --slice takes one slice alone, '{first}' to '{last}'")
    grid = stack.grid
    return Cine(
        times[0].tolist(),
        lambda t: image_of(frames[t], grid if len(frames[t]) > 1 else frames[t][0].grid),
        grid,
        title,
        orders[0].unit,
        stack.first.calibrated,
        (*notes, *stack.first.notes, *found.passed_over),
    )


def image_of(frames: Sequence[Frame], grid: Grid) -> sitk.Image:
    """A slice, or a volume of slices, with its geometry.

    Raises:
        InputError: pixels are damaged.
    """
    images = [read_frame(frame.path, frame.number) for frame in frames]
    image = images[0]
    if len(images) > 1:
        colour = image.GetNumberOfComponentsPerPixel() > 1
        pixels = np.concatenate([sitk.GetArrayViewFromImage(image) for image in images])
        image = sitk.GetImageFromArray(pixels, isVector=colour)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


def read_image(path: Path) -> sitk.Image:
    """The one slice or the one volume that a DICOM file or folder holds. Colour is kept.

    Single images beside a volume, as those that it was planned on, are passed over.

    Raises:
        InputError: there are several, frames in time, or slices that are not evenly spaced; or a file is
            damaged.
    """
    found = contents(path)
    offered, _all_of = choices(found.stacks)
    if path.is_file() and offered:
        (choice, *_others) = offered.values()
        raise InputError(f"{path} is a cine of {len(choice)} frames; give one image")
    volumes = [stack for stack in found.stacks if len(stack.slices) > 1] or list(found.stacks)
    if offered or len(volumes) > 1:
        names = _enumerated([stack.name for stack in found.stacks])
        raise InputError(f"{path} holds {names}; give a folder with one volume")
    (stack,) = volumes
    fault = stack.fault()
    if fault:
        raise InputError(f"{path} holds {fault}; resample them first")
    single = [other.name for other in found.stacks if other is not stack]
    notes = (*stack.first.notes, *found.passed_over, *_passed(single))
    image = image_of([frames[0] for frames in stack.slices], stack.grid)
    return annotated(image, notes, stack.first.calibrated)
