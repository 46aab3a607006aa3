"""Pairs of crops of one image with known motion between them: what a tracker learns from, without labels.

Target pixel y shows what the key crop shows at phi(y): a small similarity plus smooth random displacement. A
point y of the target therefore has its exemplar at phi(y), exactly. Brightness, noise and blur differ between
the two, and parts of the target may fade into another image: there the landmark is not to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from LandmarkTrackerLib.geometry import rotation
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.networks.sampling import sample
from LandmarkTrackerLib.simulation.appearance import shading, varied
from LandmarkTrackerLib.simulation.deformation import Deformation, resampled
from LandmarkTrackerLib.simulation.frames import draw_motion
from LandmarkTrackerLib.training.task import Draw

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class MotionConfig:
    """How far and how differently the two crops show the same.

    Attributes:
        size: side of the crops, pixels.
        points: landmarks a pair.
        smooth: largest displacement of the coarse smooth motion, pixels.
        ripple: the same of a finer one, in half of the pairs.
        shift: standard deviation of the common shift, pixels.
        noise: largest standard deviation of the noise; brightness goes from 0 to 1.
        vanish: share of the pairs in which parts of the target fade or are covered.
        strange: share of the pairs whose target is another image or mere noise.
    """

    size: int = 128
    points: int = 40
    smooth: float = 14.0
    ripple: float = 3.0
    shift: float = 3.0
    noise: float = 0.06
    vanish: float = 0.35
    strange: float = 0.06


class MovedPairs:
    """See `training.task.Samples`. Rows of the data are images; a draw picks the crop and everything else."""

    def __init__(self, pictures: Sequence[Picture], config: MotionConfig) -> None:
        self.pictures, self.config = pictures, config
        self.middle = np.full(2, config.size / 2)
        self.lattice = Deformation.none(self.middle).on_pixels((config.size, config.size))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """`key`, `target` (1, S, S); `exemplar`, `truth`, `start` (N, 2) pixels; `seen` (N,) 0 or 1."""
        rng, config, picture = draw.rng, self.config, self.pictures[draw.row]
        pose = self._pose(rng, picture)
        key = _crop(picture, pose(self.lattice))
        motion = draw_motion(rng, config.size, config.shift, config.smooth, config.ripple)
        target = _crop(picture, pose(motion.on_pixels((config.size, config.size))))
        seen = torch.ones(config.size, config.size)
        if rng.random() < config.vanish:
            target, seen = self._vanish(rng, target, self._other(rng))
        truth, exemplar, there = self._points(rng, target, motion, seen)
        if rng.random() < config.strange:
            target, there = self._stranger(rng), torch.zeros_like(there)
        return {
            "key": varied(rng, key, config.noise),
            "target": varied(rng, target, config.noise),
            "exemplar": exemplar,
            "truth": truth,
            "start": truth + starting_error(rng, len(truth)),
            "seen": there,
        }

    def _other(self, rng: np.random.Generator) -> Tensor:
        picture = self.pictures[int(rng.integers(len(self)))]
        return _crop(picture, self._pose(rng, picture)(self.lattice))

    def _stranger(self, rng: np.random.Generator) -> Tensor:
        """(1, S, S) in which no landmark of the key is to be seen."""
        other = self._other(rng)
        if rng.random() < 0.5:
            return other
        blurred = _tensor(rng.normal(size=other.shape))[None]
        for _ in range(int(rng.integers(0, 3))):
            blurred = avg_pool2d(blurred, 3, 1, 1)
        return 0.5 + 0.2 * blurred[0] / blurred.std()

    def _pose(self, rng: np.random.Generator, picture: Picture) -> Deformation:
        """Which part of a picture a crop shows: from pixels of the crop to those of the picture."""
        size, whole = self.config.size, np.array(picture.shape[::-1])
        angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.3 else rng.uniform(-0.4, 0.4)
        # Pictures of many pixels are seen coarser, so that a crop always shows some anatomy.
        scale = np.exp(rng.uniform(-0.5, 0.4)) * max(1.0, whole.min() / 300)
        linear = scale * rotation(angle) * np.array([rng.choice([-1.0, 1.0]), 1.0])
        room = np.minimum(size * scale / 2, whole / 2)
        return Deformation(self.middle, linear, rng.uniform(room, whole - room) - self.middle)

    def _vanish(self, rng: np.random.Generator, target: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Blend smooth blobs of `other` into the target, which fades there or, at times, is hidden."""
        knots = int(rng.integers(3, 6))
        cover = torch.sigmoid(
            8 * (shading(rng.normal(size=(knots, knots)), self.config.size) - rng.uniform(0.5, 1.5))
        )
        hidden = rng.random() < 0.5
        strength = 1.0 if hidden else rng.uniform(0.2, 0.6)
        blended = target * (1 - strength * cover) + other * strength * cover
        return blended, (cover < 0.5).float() if hidden else torch.ones_like(cover)

    def _points(
        self, rng: np.random.Generator, target: Tensor, motion: Deformation, seen: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Points of the target, more of them where there is texture; their origins; whether they are seen."""
        size, count = self.config.size, self.config.points
        offered = rng.uniform(6, size - 7, (4 * count, 2))
        origin = motion(offered)
        texture = (target - avg_pool2d(target, 5, 1, 2)).abs()
        at = _tensor(offered)[None]
        detail = sample(avg_pool2d(texture, 7, 1, 3)[None], at)[0, 0].double().numpy()
        inside = ((origin > 3) & (origin < size - 4)).all(axis=1)
        weight = np.where(inside, detail + 0.02, 0.0) + 1e-6
        chosen = rng.choice(len(offered), count, replace=False, p=weight / weight.sum())
        there = sample(seen[None, None], at, mode="nearest")[0, 0] * torch.from_numpy(inside)
        return at[0, chosen], _tensor(origin[chosen]), there[chosen]


def _crop(picture: Picture, places: Array) -> Tensor:
    """(1, S, S) a picture at pixels (S, S, 2); 0 beyond its border."""
    return resampled(torch.from_numpy(picture)[None], places)


def starting_error(rng: np.random.Generator, count: int) -> Tensor:
    """(N, 2) pixels: how far off the neighbouring frame's answer is; mostly little, sometimes much."""
    spread = rng.choice([2.0, 6.0, 16.0], size=(count, 1), p=[0.45, 0.4, 0.15])
    return _tensor(np.clip(rng.normal(size=(count, 2)) * spread, -36, 36))


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
