"""Where one volume roughly lies in the other: turns and sizes are tried, and every translation at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from LandmarkTrackerLib.methods.volume_matcher.levels import Level
from LandmarkTrackerLib.methods.volume_matcher.mind import CHANNELS, mind_ssc
from LandmarkTrackerLib.methods.volume_matcher.motion import lattice
from torch import Tensor
from torch.nn import functional

VOXELS = 20  # along the longest axis of either volume
ANGLES = (-24.0, 0.0, 24.0)  # degrees about each axis
SIZES = (0.8, 1.0, 1.25)
OVERLAP = 0.25  # of the smaller body, at least
POSES = len(ANGLES) ** 3 * len(SIZES)
KEPT = 4  # poses that are looked at more closely


@dataclass(frozen=True)
class Pose:
    """x -> x @ matrix + shift, LPS mm; `cost`: the mean descriptor distance, more where little overlaps."""

    matrix: Tensor
    shift: Tensor
    cost: float


def poses(fixed: Level, moving: Level) -> Iterator[Pose | None]:
    """Yields None after every pose that was tried, then the best `KEPT`, the best first."""
    reach = max(max(level.values.shape) * level.spacing for level in (fixed, moving))
    here, there = _at(_coarse(fixed), reach / VOXELS), _at(_coarse(moving), reach / VOXELS)
    middle = _middle(here)
    found = []
    reference = _Reference(here, _middle_size(here, there))
    for turns in itertools.product(ANGLES, repeat=3):
        for size in SIZES:
            matrix = _rotation(turns) * size
            found.append(reference.best(there, matrix, middle))
            yield None
    found.sort(key=lambda pose: pose.cost)
    yield from found[:KEPT]


def _middle(level: Level) -> Tensor:
    """(3,) LPS mm of the middle of the body."""
    return level.to_mm(
        level.body.nonzero().flip(1).float().mean(dim=0) if level.body.any() else level.size / 2
    )


def _coarse(level: Level) -> Level:
    while max(level.values.shape) >= 2 * VOXELS:
        level = level.halved()
    return level


def _at(level: Level, spacing: float) -> Level:
    """The level sampled at another spacing, which is not much larger."""
    size = (level.size * level.spacing / spacing).round().long().clamp(min=1)
    origin = level.origin + (level.size - 1) * level.spacing / 2 - (size - 1) * spacing / 2
    at = lattice(tuple(size.flip(0).tolist()), origin, spacing)
    shape = size.flip(0).tolist()
    body = Level(level.body.float(), level.body, level.origin, level.spacing).read(at).reshape(shape) > 0.5
    return Level(level.read(at).reshape(shape), body, origin, spacing)


def _middle_size(a: Level, b: Level) -> list[int]:
    """Voxels along z, y, x that hold both volumes beside each other."""
    reach = max(max(b.values.shape) * max(SIZES), max(b.values.shape))
    return [_fast(int(n + math.ceil(reach))) for n in a.values.shape]


def _fast(n: int) -> int:
    """The next number with small factors."""
    while True:
        rest = n
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 1


class _Reference:
    """The fixed volume's spectra, compared with the moving one in any pose."""

    def __init__(self, level: Level, size: list[int]) -> None:
        self.level, self.size = level, size
        body = _thick(level.body).float()
        described = mind_ssc(level.values) * body[..., None]
        self.count = float(body.sum())
        self.mask = self._spectrum(body)
        self.power = self._spectrum(described.square().sum(dim=-1))
        self.channels = self._spectrum(described.movedim(-1, 0))

    def _spectrum(self, values: Tensor) -> Tensor:
        return torch.fft.rfftn(values, s=self.size, dim=(-3, -2, -1))

    def best(self, moving: Level, matrix: Tensor, middle: Tensor) -> Pose:
        """The translation at which the turned moving volume looks most alike."""
        level, target = self.level, _middle(moving)
        # The moving volume seen through x -> (x - middle) @ matrix + target, on a grid that holds all of it.
        reach = max(moving.values.shape) / float(matrix.det().abs() ** (1 / 3))
        n = int(min(math.ceil(reach), *(s - f for s, f in zip(self.size, level.values.shape, strict=True))))
        at = lattice((n, n, n), middle - (n - 1) / 2 * level.spacing, level.spacing)
        there = (at - middle) @ matrix + target
        values = moving.read(there).reshape(n, n, n)
        seen = moving.contains(there).reshape(n, n, n)
        body = _thick(
            Level(moving.body.float(), moving.body, moving.origin, moving.spacing)
            .read(there)
            .reshape(n, n, n)
            > 0.5
        )
        weight = (body & seen).float()
        described = mind_ssc(values) * weight[..., None]
        mask = self._spectrum(weight).conj()
        power = self._spectrum(described.square().sum(dim=-1)).conj()
        channels = self._spectrum(described.movedim(-1, 0)).conj()
        spectrum = self.power * mask + self.mask * power - 2 * (self.channels * channels).sum(dim=0)
        total, overlap = (torch.fft.irfftn(s, s=self.size) for s in (spectrum, self.mask * mask))
        least = OVERLAP * min(self.count, float(weight.sum()))
        allowed = overlap >= max(least, 1.0)
        mean = total.clamp(min=0) / overlap.clamp(min=1) / CHANNELS
        if not allowed.any():
            return Pose(matrix, target - middle @ matrix, math.inf)
        # What does not overlap costs as much as what overlaps anywhere.
        usual = mean[allowed].median()
        whole = min(self.count, float(weight.sum()))
        score = torch.where(
            allowed, usual + (mean - usual) * (overlap / whole).clamp(max=1).sqrt(), torch.full((), torch.inf)
        )
        best = int(score.argmin())
        z, y, x = torch.unravel_index(torch.tensor(best), score.shape)
        lag = torch.stack([x, y, z]).float()
        size = torch.tensor(self.size[::-1]).float()
        lag = torch.where(lag > size / 2, lag - size, lag)
        # Voxel m of the turned volume lies on voxel m + lag of the fixed one.
        moved = level.origin + lag * level.spacing - (middle - (n - 1) / 2 * level.spacing)
        return Pose(matrix, target - (middle + moved) @ matrix, float(score.flatten()[best]))


def _thick(body: Tensor) -> Tensor:
    """The body and what is next to it: its surface is what is seen best."""
    return functional.max_pool3d(body[None, None].float(), 3, 1, 1)[0, 0] > 0


def _rotation(degrees: tuple[float, ...]) -> Tensor:
    matrix = torch.eye(3)
    for axis, angle in enumerate(degrees):
        a, b = [n for n in range(3) if n != axis]
        turn = torch.eye(3)
        turn[a, a] = turn[b, b] = math.cos(math.radians(angle))
        turn[a, b], turn[b, a] = -math.sin(math.radians(angle)), math.sin(math.radians(angle))
        matrix = matrix @ turn
    return matrix
