"""Known deformations of images and volumes, to train on and to measure against.

A deformation says where each point of the target image comes from in the reference image, as resampling needs
it, and is exact at every point: an affine map plus Gaussian bumps, in mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from LandmarkTrackerLib.landmarks import Array


@dataclass(frozen=True, eq=False)
class Deformation:
    """x -> matrix (x - centre) + centre + shift + sum_n moves_n exp(-|x - at_n|^2 / (2 width^2)).

    Attributes:
        centre: (d,) mm; stays in place but for `shift` and the bumps.
        matrix: (d, d).
        shift: (d,) mm.
        at, moves: (n, d) centres and displacements of the bumps, mm.
        width: standard deviation of the bumps, mm.
    """

    centre: Array
    matrix: Array
    shift: Array
    at: Array
    moves: Array
    width: float = 1.0

    @classmethod
    def none(cls, centre: Array) -> Deformation:
        d = len(centre)
        return cls(np.asarray(centre, float), np.eye(d), np.zeros(d), np.zeros((0, d)), np.zeros((0, d)))

    def __call__(self, points: Array) -> Array:
        """Where target points (N, d) come from: (N, d), mm."""
        squared = ((points[:, None] - self.at) ** 2).sum(axis=2)
        bumps = np.exp(-squared / (2 * self.width**2)) @ self.moves
        return np.asarray((points - self.centre) @ self.matrix.T + self.centre + self.shift + bumps)

    def on_axes(self, axes: Sequence[Array]) -> Array:
        """The same for every point of a rectangular grid: (d, *lengths of the axes), mm."""
        d = len(axes)
        # A Gaussian is separable: d short factors a bump instead of one exponential a grid point.
        factors = [
            np.exp(-((axis[None] - self.at[:, [a]]) ** 2) / (2 * self.width**2))
            for a, axis in enumerate(axes)
        ]
        letters = "xyz"[:d]
        bumps = np.einsum(
            f"nd,{','.join('n' + c for c in letters)}->d{letters}", self.moves, *factors, optimize=True
        )
        offsets = np.stack(
            np.meshgrid(*(axis - c for axis, c in zip(axes, self.centre, strict=True)), indexing="ij")
        )
        home = (self.centre + self.shift).reshape(-1, *[1] * d)
        return np.asarray(home + np.tensordot(self.matrix, offsets, axes=1) + bumps)

    def least_jacobian(self, size: Sequence[float], steps: int = 24) -> float:
        """The smallest determinant of the Jacobian in a box of `size` mm from 0; below 0 the map folds."""
        axes = [np.linspace(0, s, steps) for s in size]
        return float(jacobian(self.on_axes(axes), [axis[1] - axis[0] for axis in axes]).min())


def jacobian(field: Array, spacing: Sequence[float]) -> Array:
    """Determinant of the Jacobian of a map (d, *sizes) that is sampled every `spacing` mm: (*sizes)."""
    d = len(field)
    rows = [np.stack(np.gradient(component, *spacing)) for component in field]
    return np.asarray(np.linalg.det(np.moveaxis(np.stack(rows), (0, 1), (-2, -1)).reshape(-1, d, d))).reshape(
        field.shape[1:]
    )


@dataclass(frozen=True)
class Extent:
    """How far simulated scans differ; the defaults give the displacements of Grewal et al. 2020, section 3.2.

    An affine map is a random share, 0 to 1, of what these allow: there are small and large ones.

    Attributes:
        rotate: degrees, to both sides; in 3D about each axis.
        scale: factor of each axis, 1 - scale to 1 + scale.
        shear: tangent of the angle, to both sides.
        translate: mm, to both sides along each axis.
        elastic: median displacement, mm.
        width: of the Gaussian bumps, mm.
    """

    rotate: float = 35.0
    scale: float = 0.35
    shear: float = 0.25
    translate: float = 80.0
    elastic: float = 12.0
    width: tuple[float, float] = (35.0, 60.0)


def draw_affine(rng: np.random.Generator, size: Sequence[float], extent: Extent) -> Deformation:
    """A random rotation, scaling, shear and translation about the middle of a box of `size` mm."""
    d, share = len(size), rng.uniform()
    matrix = np.eye(d)
    for a in range(d):
        for b in range(a + 1, d):
            angle = math.radians(share * rng.uniform(-extent.rotate, extent.rotate))
            turn = np.eye(d)
            turn[[a, a, b, b], [a, b, a, b]] = (
                math.cos(angle),
                -math.sin(angle),
                math.sin(angle),
                math.cos(angle),
            )
            lean = np.eye(d)
            lean[a, b] = share * rng.uniform(-extent.shear, extent.shear)
            matrix = matrix @ turn @ lean
    matrix = matrix @ np.diag(1 + share * rng.uniform(-extent.scale, extent.scale, d))
    still = Deformation.none(np.array(size, float) / 2)
    shift = share * rng.uniform(-extent.translate, extent.translate, d)
    return Deformation(still.centre, matrix, shift, still.at, still.moves)


def draw_elastic(
    rng: np.random.Generator, size: Sequence[float], extent: Extent, base: Deformation | None = None
) -> Deformation:
    """Random Gaussian bumps all over a box of `size` mm, on top of `base` if given; without folding."""
    d = len(size)
    base = base or Deformation.none(np.array(size, float) / 2)
    # Bumps one width apart add up to a component's SD of pi^(d/4) times that of one bump; the length of a
    # vector of d normal components has this median.
    median = (1.177, 1.538)[d - 2]
    strength = extent.elastic / median / math.pi ** (d / 4)
    while True:
        width = rng.uniform(*extent.width)
        places = [np.arange(-2 * width, s + 2 * width, width) for s in size]
        at = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, d)
        at = at + rng.uniform(-width / 2, width / 2, at.shape)
        moves = rng.normal(0, strength, at.shape)
        drawn = Deformation(base.centre, base.matrix, base.shift, at, moves, width)
        if drawn.least_jacobian(size) > 0.1:
            return drawn
