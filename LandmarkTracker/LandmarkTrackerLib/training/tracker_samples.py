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
from torch.nn.functional import avg_pool2d, conv2d, grid_sample, interpolate

from LandmarkTrackerLib.training.task import Draw

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class MotionConfig:
    """The `[motion]` table: how far and how differently the two crops show the same.

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
        side = torch.arange(config.size, dtype=torch.float32)
        self.lattice = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        """`key`, `target` (1, S, S); `exemplar`, `truth`, `start` (N, 2) pixels; `seen` (N,) 0 or 1."""
        rng, config = draw.rng, self.config
        pose = self._pose(rng, self.pictures[draw.row])
        key = pose.crop(self.lattice)
        origins = self._origins(rng)
        target = pose.crop(origins)
        seen = torch.ones(config.size, config.size)
        if rng.random() < config.vanish:
            target, seen = self._vanish(rng, target, self._other(rng))
        truth, exemplar, there = self._points(rng, target, origins, seen)
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
        return self._pose(rng, self.pictures[int(rng.integers(len(self)))]).crop(self.lattice)

    def _stranger(self, rng: np.random.Generator) -> Tensor:
        """(1, S, S) in which no landmark of the key is to be seen."""
        other = self._other(rng)
        if rng.random() < 0.5:
            return other
        blurred = _tensor(rng.normal(size=other.shape))[None]
        for _ in range(int(rng.integers(0, 3))):
            blurred = avg_pool2d(blurred, 3, 1, 1)
        return 0.5 + 0.2 * blurred[0] / blurred.std()

    def _pose(self, rng: np.random.Generator, picture: Picture) -> Pose:
        rows, columns = picture.shape
        size = self.config.size
        angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.3 else rng.uniform(-0.4, 0.4)
        # Pictures of many pixels are seen coarser, so that a crop always shows some anatomy.
        scale = np.exp(rng.uniform(-0.5, 0.4)) * max(1.0, min(rows, columns) / 300)
        linear = scale * _rotation(angle) * np.array([rng.choice([-1.0, 1.0]), 1.0])
        room = np.minimum(size * scale / 2, np.array([columns, rows]) / 2)
        return Pose(picture, linear, rng.uniform(room, np.array([columns, rows]) - room), size)

    def _origins(self, rng: np.random.Generator) -> Tensor:
        """(S, S, 2) phi: where every target pixel comes from in the key crop."""
        config, size = self.config, self.config.size
        linear = _rotation(rng.normal(0, 0.06)) * np.exp(rng.normal(0, 0.05))
        shift = rng.normal(0, config.shift, 2) + size / 2
        similar = (self.lattice - size / 2) @ _tensor(linear.T) + _tensor(shift)
        moved = similar + smooth_field(rng, size, rng.uniform(0, config.smooth))
        return moved + smooth_field(rng, size, rng.uniform(0, config.ripple)) if rng.random() < 0.5 else moved

    def _vanish(self, rng: np.random.Generator, target: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Blend smooth blobs of `other` into the target, which fades there or, at times, is hidden."""
        size, knots = self.config.size, int(rng.integers(3, 6))
        bumps = _enlarged(rng.normal(size=(1, 1, knots, knots)), size)[0, 0]
        cover = torch.sigmoid(8 * (bumps - rng.uniform(0.5, 1.5)))
        hidden = rng.random() < 0.5
        strength = 1.0 if hidden else rng.uniform(0.2, 0.6)
        blended = target * (1 - strength * cover) + other * strength * cover
        return blended, (cover < 0.5).float() if hidden else torch.ones_like(cover)

    def _points(
        self, rng: np.random.Generator, target: Tensor, origins: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Points of the target, more of them where there is texture; their origins; whether they are seen."""
        size, count = self.config.size, self.config.points
        offered = _tensor(rng.uniform(6, size - 7, (4 * count, 2)))
        where = (2 * offered + 1) / size - 1
        origin = _read(origins.permute(2, 0, 1), where).T
        texture = (target - avg_pool2d(target, 5, 1, 2)).abs()
        detail = _read(avg_pool2d(texture, 7, 1, 3), where)[0]
        inside = ((origin > 3) & (origin < size - 4)).all(dim=1)
        weight = (torch.where(inside, detail + 0.02, torch.tensor(0.0)) + 1e-6).numpy().astype(np.float64)
        chosen = rng.choice(len(offered), count, replace=False, p=weight / weight.sum())
        there = _read(seen[None], where, "nearest")[0] * inside
        return offered[chosen], origin[chosen], there[chosen]


@dataclass(frozen=True)
class Pose:
    """Which part of a picture a crop shows: crop point p shows the picture's linear (p - S / 2) + centre."""

    picture: Picture
    linear: NDArray[np.float64]
    centre: NDArray[np.float64]
    size: int

    def crop(self, points: Tensor) -> Tensor:
        """(1, S, S) the picture at crop points (S, S, 2); 0 beyond its border."""
        rows, columns = self.picture.shape
        at = (points - self.size / 2) @ _tensor(self.linear.T) + _tensor(self.centre)
        where = (2 * at + 1) / torch.tensor([columns, rows]) - 1
        return grid_sample(torch.from_numpy(self.picture)[None, None], where[None], align_corners=False)[0]


def smooth_field(rng: np.random.Generator, size: int, reach: float) -> Tensor:
    """(S, S, 2) smooth random displacements whose longest has `reach` pixels."""
    knots = int(rng.integers(3, 8))
    field = _enlarged(rng.normal(size=(1, 2, knots, knots)), size)[0].permute(1, 2, 0)
    return field * (reach / field.norm(dim=-1).max())


def varied(rng: np.random.Generator, crop: Tensor, noise: float) -> Tensor:
    """Another brightness, contrast, coil, sharpness and noise; (1, S, S) to (1, S, S)."""
    crop = crop.clamp(min=0) ** float(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.5:
        knots = int(rng.integers(2, 6))
        crop = crop * _enlarged(rng.normal(0, 0.15, (1, 1, knots, knots)), crop.shape[-1])[0].exp()
    if rng.random() < 0.3:
        row = torch.tensor([0.25, 0.5, 0.25])
        crop = conv2d(crop[None], (row[:, None] * row)[None, None], padding=1)[0]
    crop = crop * float(rng.uniform(0.8, 1.2)) + float(rng.uniform(-0.1, 0.1))
    return crop + _tensor(rng.normal(0, rng.uniform(0, noise), crop.shape))


def starting_error(rng: np.random.Generator, count: int) -> Tensor:
    """(N, 2) pixels: how far off the neighbouring frame's answer is; mostly little, sometimes much."""
    spread = rng.choice([2.0, 6.0, 16.0], size=(count, 1), p=[0.45, 0.4, 0.15])
    return _tensor(np.clip(rng.normal(size=(count, 2)) * spread, -36, 36))


def _rotation(angle: float) -> NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _enlarged(knots: NDArray[np.float64], size: int) -> Tensor:
    return interpolate(_tensor(knots), size=(size, size), mode="bicubic", align_corners=True)


def _read(values: Tensor, where: Tensor, mode: str = "bilinear") -> Tensor:
    """(C, S, S) at (N, 2) normalised places: (C, N)."""
    return grid_sample(values[None], where[None, None], mode=mode, align_corners=False)[0, :, 0]
