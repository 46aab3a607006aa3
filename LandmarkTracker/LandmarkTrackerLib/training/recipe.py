"""A training file that suits a folder of annotated images, for those who do not want to write one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.annotated import Annotated, annotated_images, landmark_names
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.training.config import SplitConfig
from LandmarkTrackerLib.training.data import parts_of

# The images that are looked at; the rest are like them, or training says which is not.
LOOKED_AT = 4
# Hounsfield units of air; no other modality has values this low.
AIR = -500.0


@dataclass(frozen=True)
class Defaults:
    """What a number of axes asks for.

    Attributes:
        longest: pixels of the network along the longest axis.
        multiple: that sizes must be of.
    """

    longest: int
    multiple: int
    network: str
    batch_size: int


DEFAULTS = {
    2: Defaults(128, 16, "width = 32\nfactor = 8", 4),
    3: Defaults(64, 8, "width = 24\nfactor = 4\nlevels = 3\ndropout = 0.2", 1),
}

TEMPLATE = """\
[data]
folder = {folder}
subject = {subject}

[input]
size = {size}
intensity = "{intensity}"

[network]
{network}

[augmentation]
translate = {translate:.1f}
elastic = {elastic:.1f}
nodes = 8
cut = 0.1

[learning]
rate = 1e-3

[run]
steps = {steps}
batch_size = {batch_size}
device = "{device}"
schedule = "cosine"
warmup = 20
validate_every = {validate_every}
checkpoint_every = 25
log_every = 5
"""


def recipe(folder: Path, subject_until: str, steps: int, device: str = "auto") -> str:
    """The text of a file for `landmark-tracker train scn`.

    Args:
        folder: annotated images, as `annotated_images` reads them.
        subject_until: a file's subject is its name up to this text; every file its own if empty.

    Raises:
        InputError: the folder holds no data to train on: no annotated images, of fewer than two subjects,
            slices among volumes, or a name that is a typo.
    """
    subject = until(subject_until)
    data = annotated_images(folder, subject)
    landmark_names(data)
    parts_of([item.subject for item in data], SplitConfig())
    size, intensity = _size_and_intensity(data)
    chosen = DEFAULTS[len(size)]
    return TEMPLATE.format(
        folder=_text(str(folder.resolve())),
        subject=_text(subject),
        size=list(size),
        intensity=intensity,
        network=chosen.network,
        translate=max(size) / 10,
        elastic=max(size) / 40,
        steps=steps,
        batch_size=chosen.batch_size,
        device=device,
        validate_every=max(10, min(100, steps // 20)),
    )


def until(text: str) -> str:
    """The subject rule (see `formats.subjects`) for names that hold the subject up to this text."""
    return f"^(.+?)(?:{re.escape(text)}|$)" if text else ""


def _size_and_intensity(data: Sequence[Annotated]) -> tuple[tuple[int, ...], str]:
    """The network's size, in the proportions of the images, and where its intensities come from."""
    some = [data[n] for n in np.linspace(0, len(data) - 1, min(LOOKED_AT, len(data))).astype(int)]
    images = [item.read() for item in some]
    grids = [Grid.of(image) for image in images]
    if len({grid.is_slice for grid in grids}) > 1:
        slices = [item.path.name for item, grid in zip(some, grids, strict=True) if grid.is_slice]
        raise InputError(f"{slices[0]} is a slice and others are volumes; keep them in two folders")
    dimension = 2 if grids[0].is_slice else 3
    # Volumes are turned to L, P, S for the network, whichever way they are stored.
    reach = np.mean([_reach(grid, dimension) for grid in grids], axis=0)
    chosen = DEFAULTS[dimension]
    parts = chosen.longest * reach / reach.max() / chosen.multiple
    size = tuple(chosen.multiple * max(1, math.ceil(part - 0.25)) for part in parts)
    lowest = min(float(pixels(image).min()) for image in images)
    return size, "dataset" if lowest < AIR else "image"


def _reach(grid: Grid, dimension: int) -> np.ndarray:
    """(dimension,) mm along the network's axes."""
    reach = np.array(grid.size) * np.array(grid.spacing)
    if dimension == 2:
        return np.asarray(reach[:2])
    axes = np.abs(np.reshape(grid.direction, (3, 3)))
    return np.asarray(axes @ reach)


def _text(value: str) -> str:
    """A TOML string."""
    return json.dumps(value, ensure_ascii=False)
