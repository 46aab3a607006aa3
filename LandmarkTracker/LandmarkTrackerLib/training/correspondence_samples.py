"""Pairs of images whose relation is known, simulated from single images: data without any label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, body_mask, grey_image
from LandmarkTrackerLib.methods.network_grid import Pixels, oriented
from LandmarkTrackerLib.simulation.appearance import changed
from LandmarkTrackerLib.simulation.deformation import Deformation, resampled
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic, draw_pose
from LandmarkTrackerLib.training.data import Item, announced
from LandmarkTrackerLib.training.task import Draw


@dataclass(frozen=True)
class PairsConfig:
    """Simulated pairs and the sampling layer, with the paper's values (2.6).

    Attributes:
        size: pixels of either image along each axis.
        count: K landmarks sampled in each image.
        cell: at most one landmark in each cell of this many pixels along each axis.
        within: pixels from a landmark to its partner's projection (thresh_pixels).
        brightness, contrast: jitter of the grey values, which go from 0 to 1, to both sides.
        noise: largest SD of Gaussian noise, another one in each image.
        single, pose: see `correspondence.AugmentationConfig`.
        whole: see `correspondence.ViewConfig`.
    """

    size: int = 192
    count: int = 400
    cell: int = 8
    within: float = 2.0
    brightness: float = 0.2
    contrast: float = 0.2
    noise: float = 0.03
    single: bool = False
    pose: bool = True
    whole: bool = False


@dataclass(frozen=True)
class Source:
    """An image to simulate pairs from.

    Attributes:
        pixels: (2, *spatial) grey values and valid mask; half precision holds twice as many in memory.
        body: (N, d) pixels of the body; none where images are shown whole.
    """

    pixels: Tensor
    body: Tensor


def read_sources(items: Sequence[Item], config: PairInputConfig, whole: bool = False) -> list[Source]:
    """The images of these items; for slices, those that `[data] every` says of each volume.

    Args:
        whole: images are shown whole, and no place in the body is needed.

    Raises:
        InputError: a file cannot be read, or none suits the network.
    """
    sources = []
    for item in announced(items):
        for image in item.slices() if config.dimension == 2 else item.images():
            if config.dimension == 2 or not Grid.of(image).is_slice:
                _, grey = grey_image(oriented(image, config.dimension), config)
                sources.append(_source(grey if config.dimension == 3 else grey[0], whole))
    if not sources:
        raise InputError("no image is left for a part of the split; check [data] and [split]")
    return sources


def _source(grey: Pixels, whole: bool) -> Source:
    mask = body_mask(grey)
    places = np.zeros((0, grey.ndim)) if whole else np.argwhere(mask > 0)[:, ::-1]
    return Source(torch.from_numpy(np.stack([grey, mask])).half(), torch.from_numpy(places.astype(np.int16)))


class SimulatedPairs:
    """Pairs of views of the sources, each a pure function of its draw. See `Samples`."""

    def __init__(self, sources: list[Source], config: PairsConfig, extent: Extent, spacing: float) -> None:
        self.sources, self.config, self.extent, self.spacing = sources, config, extent, spacing

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """`fixed`, `moving` (1, *spatial), their masks, and `origins` (d, *spatial): see `sample_pairs`."""
        rng, source = draw.rng, self.sources[draw.row]
        config, pixels = self.config, source.pixels.float()
        d, size, spacing = pixels.ndim - 1, config.size, self.spacing
        middle = np.full(d, (size - 1) / 2)
        pose = Deformation(middle, draw_pose(rng, d) if config.pose else np.eye(d), self._off(rng, source))
        same = Deformation.none(middle * spacing)
        kind = int(rng.integers(3 if config.single else 4))
        relation = self._relation(rng, kind, [size * spacing] * d, same)
        origins = relation.on_pixels([size] * d, spacing) / spacing
        fixed = pose.apply(pixels, [size] * d)
        moving = resampled(pixels, pose(origins))
        return {
            "fixed": fixed[:1] if config.single else self._jittered(rng, fixed[:1]),
            "moving": moving[:1] if config.single and kind else self._jittered(rng, moving[:1]),
            "fixed_mask": (fixed[1:] > 0.5).float(),
            "moving_mask": (moving[1:] > 0.5).float(),
            "origins": torch.from_numpy(np.float32(np.moveaxis(origins, -1, 0))),
        }

    def _off(self, rng: np.random.Generator, source: Source) -> Array:
        """(d,) from the middle of what is shown to where it is in the source."""
        if self.config.whole:
            centre = (np.array(source.pixels.shape[:0:-1]) - 1) / 2
        else:
            centre = source.body[rng.integers(len(source.body))].numpy().astype(float)
        return np.asarray(centre - (self.config.size - 1) / 2)

    def _relation(
        self, rng: np.random.Generator, kind: int, box: list[float], same: Deformation
    ) -> Deformation:
        """0: grey values only; 1: an affine map; 2: an elastic one; 3: both."""
        affine = draw_affine(rng, box, self.extent) if kind in (1, 3) else same
        return draw_elastic(rng, box, self.extent, affine) if kind >= 2 else affine

    def _jittered(self, rng: np.random.Generator, image: Tensor) -> Tensor:
        config = self.config
        contrast, brightness = config.contrast, config.brightness
        return changed(rng, image, (1 - contrast, 1 + contrast), (-brightness, brightness), config.noise)
