"""Annotated images in memory, and the augmented samples that are drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.annotated import Annotated
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.heatmap.detector import HeatmapConfig, NetworkImage, prepare
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.simulation.appearance import BACKGROUND, changed, cut_away
from LandmarkTrackerLib.simulation.augmentation import AugmentationConfig
from LandmarkTrackerLib.training.data import announced
from LandmarkTrackerLib.training.task import Draw


@dataclass(frozen=True)
class Example:
    """An image of the data set as the network sees it.

    Attributes:
        centres: (N, d) index (i, j[, k]) in the view; NaN where the landmark is not in the image.
        known: (N,) False where the annotation does not list the landmark.
    """

    view: NetworkImage
    centres: Array
    known: np.ndarray


def read_examples(items: Sequence[Annotated], model: HeatmapConfig, like: Grid) -> list[Example]:
    """Annotated images as the network sees them; one at a time in memory as it is.

    Args:
        like: the first image's grid, see `Annotated.read`.

    Raises:
        InputError: naming the file, where an image does not suit the model.
    """
    examples = []
    reference: Array | None = None
    for item in announced(items):
        image = item.read(like)
        try:
            views = prepare(image, model)
        except InputError as error:
            raise InputError(f"{item.path}: {error}") from error
        landmarks = item.landmarks.select(model.names)
        centres = [grid.to_index(landmarks.positions) for grid in views.grids]
        # Which way round an aligned volume lies is free: all take the way of the first.
        reference = centres[0] if reference is None else reference
        best = int(np.argmin([_apart(c, reference) for c in centres]))
        known = np.array([name in item.landmarks for name in model.names])
        examples.append(
            Example(views.see(views.grids[best]), centres[best][:, : model.input.dimension], known)
        )
    return examples


class HeatmapSamples:
    """Augmented images with the landmarks where the augmentation has taken them."""

    def __init__(
        self, examples: Sequence[Example], augmentation: AugmentationConfig, config: InputConfig
    ) -> None:
        self.examples, self.augmentation, self.size = examples, augmentation, config.size

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Image (1, *spatial), centres (N, d) in its pixels with NaN where absent, known (N,)."""
        example, rng = self.examples[draw.row], draw.rng
        warp = self.augmentation.draw(rng, example.view.pixels.shape, self.size)
        image = warp.apply(torch.from_numpy(example.view.pixels)[None], self.size, BACKGROUND, cubic=True)
        there = np.isfinite(example.centres).all(axis=1)
        centres = np.full_like(example.centres, np.nan)
        centres[there] = warp.apply_to_points(example.centres[there])
        if there.any() and rng.random() < self.augmentation.cut:
            image, gone = cut_away(rng, image, centres[there])
            centres[np.flatnonzero(there)[gone]] = np.nan
        image = changed(rng, image, self.augmentation.multiply, self.augmentation.shift)
        return image, torch.from_numpy(centres).float(), torch.from_numpy(example.known).float()


def _apart(centres: Array, reference: Array) -> float:
    """Mean squared distance (pixels) of the landmarks that both have, each about its own middle."""
    both = np.isfinite(centres).all(axis=1) & np.isfinite(reference).all(axis=1)
    if not both.any():
        return np.inf
    difference = centres[both] - reference[both]
    return float(((difference - difference.mean(axis=0)) ** 2).mean())
