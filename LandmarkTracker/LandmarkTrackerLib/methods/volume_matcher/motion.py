"""A smooth map from one volume to the other: an affine part and displacements of a grid of nodes.

Positions are LPS mm, (N, 3) x, y, z; the map is linear between nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from LandmarkTrackerLib.methods.volume_matcher.levels import Level
from torch import Tensor
from torch.nn import functional

STEPS = 25  # of conjugate gradients; the preconditioner is nearly the inverse


@dataclass(frozen=True)
class Nodes:
    """A regular grid over a volume.

    Attributes:
        shape: nodes along z, y, x.
        origin: (3,) LPS mm of the first node.
        spacing: mm.
    """

    shape: tuple[int, int, int]
    origin: Tensor
    spacing: float

    @classmethod
    def over(cls, level: Level, spacing: float) -> Nodes:
        reach = (level.size - 1) * level.spacing
        counts = torch.ceil(reach / spacing - 1e-6).long() + 1
        origin = level.origin + (reach - (counts - 1) * spacing) / 2
        nx, ny, nz = counts.tolist()
        return cls((nz, ny, nx), origin, spacing)

    def positions(self) -> Tensor:
        """(nodes, 3) LPS mm, in the order of the values."""
        return lattice(self.shape, self.origin, self.spacing)

    def read(self, values: Tensor, points: Tensor) -> Tensor:
        """Values (3, *shape) at LPS mm (..., 3); constant beyond the grid."""
        size = torch.tensor(self.shape[::-1])
        where = 2 * (points - self.origin) / self.spacing / (size - 1).clamp(min=1) - 1
        flat = where.reshape(1, -1, 1, 1, 3)
        read = functional.grid_sample(values[None], flat, padding_mode="border", align_corners=True)
        return read[0, :, :, 0, 0].T.reshape(*points.shape[:-1], 3)

    def smooth(self, points: Tensor, moves: Tensor, weights: Tensor, length: float) -> Tensor:
        """The displacements (3, *shape) that follow weighted `moves` (N, 3) at `points` and bend little.

        Least squares with a penalty on second derivatives (Rohr et al. 2001), by conjugate gradients in the
        basis of cosines, where the penalty is diagonal.

        Args:
            length: mm below which detail is smoothed away.
        """
        rows, shares = self._corners(points)
        total = float(weights.sum().clamp(min=1e-6))
        stiffness = (total / math.prod(self.shape)) * (length / self.spacing) ** 4 * _bending(self.shape)
        diagonal = stiffness + total / math.prod(self.shape)

        def gather(spectrum: Tensor) -> Tensor:
            values = _cosines(spectrum, inverse=True).reshape(3, -1)
            return (values[:, rows] * shares).sum(dim=-1)

        def scatter(residual: Tensor) -> Tensor:
            sums = torch.zeros(3, math.prod(self.shape))
            sums.index_add_(1, rows.flatten(), (residual[..., None] * shares).flatten(1))
            return _cosines(sums.reshape(3, *self.shape))

        spectrum = torch.zeros(3, *self.shape)
        residual = scatter(moves.T * weights)
        direction = preconditioned = residual / diagonal
        strength = (residual * preconditioned).sum()
        for _ in range(STEPS):
            pushed = scatter(gather(direction) * weights) + stiffness * direction
            step = strength / (direction * pushed).sum().clamp(min=1e-12)
            spectrum = spectrum + step * direction
            residual = residual - step * pushed
            preconditioned = residual / diagonal
            before, strength = strength, (residual * preconditioned).sum()
            if strength < 1e-10:
                break
            direction = preconditioned + strength / before * direction
        return _cosines(spectrum, inverse=True)

    def _corners(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 8) numbers of the nodes around each point, and their shares in linear interpolation."""
        size = torch.tensor(self.shape[::-1])
        at = ((points - self.origin) / self.spacing).clamp(min=0).minimum(size - 1.0)
        first = at.floor().long().minimum((size - 2).clamp(min=0))
        part = at - first
        rows, shares = [], []
        for corner in range(8):
            bits = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
            x, y, z = (first + bits).minimum(size - 1).unbind(dim=1)
            rows.append((z * self.shape[1] + y) * self.shape[2] + x)
            shares.append(torch.where(bits == 1, part, 1 - part).prod(dim=1))
        return torch.stack(rows, dim=1), torch.stack(shares, dim=1)


@lru_cache(maxsize=16)
def _basis(count: int) -> Tensor:
    """(count, count) orthonormal cosines, a row a frequency (DCT-II)."""
    at = (torch.arange(count) + 0.5) / count
    rows = torch.cos(math.pi * torch.arange(count)[:, None] * at) * math.sqrt(2 / count)
    rows[0] /= math.sqrt(2)
    return rows


def _cosines(values: Tensor, inverse: bool = False) -> Tensor:
    """(3, z, y, x) to its cosine spectrum, or back."""
    for axis in (1, 2, 3):
        basis = _basis(values.shape[axis])
        values = torch.tensordot(values, basis.T if not inverse else basis, dims=([axis], [0])).movedim(
            -1, axis
        )
    return values


@lru_cache(maxsize=16)
def _bending(shape: tuple[int, int, int]) -> Tensor:
    """Squared eigenvalues of the Laplacian of each cosine."""
    parts = [2 - 2 * torch.cos(math.pi * torch.arange(n) / n) for n in shape]
    return (parts[0][:, None, None] + parts[1][:, None] + parts[2]) ** 2


@dataclass(frozen=True)
class Motion:
    """x -> x @ matrix + shift + what the nodes say.

    Attributes:
        matrix: (3, 3), for row vectors.
        shift: (3,) mm.
        bend: (3, *nodes.shape) mm; None for an affine map.
    """

    nodes: Nodes
    matrix: Tensor
    shift: Tensor
    bend: Tensor | None = None

    def __call__(self, points: Tensor) -> Tensor:
        """Where LPS mm (..., 3) of the one volume are in the other."""
        moved = points @ self.matrix + self.shift
        return moved if self.bend is None else moved + self.nodes.read(self.bend, points)

    def after(self, moves: Tensor) -> Motion:
        """This map of points that are displaced by `moves` (3, *nodes.shape) first."""
        at = self.nodes.positions()
        there = self(at + moves.reshape(3, -1).T)
        bend = (there - at @ self.matrix - self.shift).T.reshape(3, *self.nodes.shape)
        return replace(self, bend=bend)


def lattice(shape: tuple[int, int, int], origin: Tensor, spacing: float) -> Tensor:
    """(z * y * x, 3) LPS mm of a grid of `shape`, x fastest."""
    z, y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in shape), indexing="ij")
    return origin + spacing * torch.stack([x, y, z], dim=-1).reshape(-1, 3)


def robust_affine(points: Tensor, targets: Tensor, weights: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """The affine map (matrix for row vectors, shift) that most pairs (N, 3) agree on.

    Iteratively reweighted least squares with the weights of Geman and McClure, whose width is 1.5 median
    residuals, and `scale` mm at least.
    """
    ones = torch.ones(len(points), 1)
    middle = points.mean(dim=0)
    design = torch.cat([points - middle, ones], dim=1).double()
    goal, current = targets.double(), weights.double()
    solution = torch.zeros(4, 3, dtype=torch.double)
    for _ in range(20):
        weighted = design * current[:, None]
        ridge = 1e-6 * torch.eye(4, dtype=torch.double) * float(current.sum())
        solution = torch.linalg.solve(weighted.T @ design + ridge, weighted.T @ goal)
        residual = (design @ solution - goal).norm(dim=1)
        width = max(scale, 1.5 * float(residual.median()))
        current = weights.double() / (1 + (residual / width) ** 2) ** 2
    matrix, shift = solution[:3].float(), solution[3].float()
    return matrix, shift - middle @ matrix
