"""Frames over time that a file keeps as a volume: which axis counts them, and what is a frame then."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, stem
from LandmarkTrackerLib.formats.times import frame_numbers
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, annotated, is_calibrated, notes_of

FrameAxis = Literal["i", "j", "k"]
FRAME_AXES = get_args(FrameAxis)
# TrackRAD2025 states the frames a second beside its stacks.
RATE_FILE = "frame-rate.json"


def frames_of(read: Callable[[], sitk.Image], path: Path, axis: FrameAxis, rate: float | None = None) -> Cine:
    """A volume's slices along one axis as the frames of a cine.

    Args:
        read: the volume; called once, when its geometry is needed.
        axis: "k" for the last axis, as a viewer scrolls; "i" for the first.
        rate: frames a second; of a `frame-rate.json` beside the file if not given.

    Raises:
        InputError: it is no volume with two slices or more along that axis, or the rate cannot be.
    """
    volume = read()
    whole, along = Grid.of(volume), FRAME_AXES.index(axis)
    count = whole.size[along]
    if count < 2:
        raise InputError(f"{path} has one slice along axis {axis}; a cine has two frames or more")
    rate = rate if rate is not None else rate_beside(path)
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise InputError(f"the frame rate is {rate:g} a second; give a number above 0")
    times, unit = frame_numbers(count) if rate is None else ([n / rate for n in range(count)], "s")
    order = [n for n in range(3) if n != along] + [along]
    permuted = cache(lambda: sitk.PermuteAxes(volume, order))
    grid = _of_frame(Grid.of(permuted()))

    def frame(number: int) -> sitk.Image:
        image = permuted()[:, :, number : number + 1]
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
        image.SetSpacing(grid.spacing)
        return annotated(image, notes_of(volume), is_calibrated(volume))

    notes = (*notes_of(volume), f"frames along axis {axis}")
    return Cine(times, frame, grid, stem(path), unit, is_calibrated(volume), notes)


def rate_beside(path: Path) -> float | None:
    """Frames a second as a file beside a stack states them; None if there is no such file.

    Raises:
        InputError: it holds something else.
    """
    beside = [path.with_name(RATE_FILE), path.with_name(f"{stem(path).partition('_frames')[0]}_{RATE_FILE}")]
    file = next((file for file in beside if file.is_file()), None)
    if file is None:
        return None
    try:
        content = json.loads(read_text(file))
        if isinstance(content, dict):
            content = next(v for k, v in content.items() if "rate" in k.lower())
        return float(content)
    except (ValueError, TypeError, StopIteration, RecursionError) as error:
        raise InputError(f"{file} must hold the frames a second, a number; correct or remove it") from error


def _of_frame(grid: Grid) -> Grid:
    """Where one frame lies: its third axis, which counted time, is the normal of the two others."""
    axes = np.array(grid.direction).reshape(3, 3)
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    size, spacing = (*grid.size[:2], 1), (*grid.spacing[:2], 1.0)
    return Grid(size, spacing, grid.origin, tuple(axes.ravel().tolist()))
