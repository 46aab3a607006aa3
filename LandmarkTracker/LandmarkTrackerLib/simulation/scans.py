"""How two scans of one patient, or of two, differ: whole and elastic deformations, drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from LandmarkTrackerLib.geometry import rotation
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.simulation.deformation import Deformation, Smooth, jittered


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
            turn = rotation(math.radians(share * rng.uniform(-extent.rotate, extent.rotate)), (a, b), d)
            lean = np.eye(d)
            lean[a, b] = share * rng.uniform(-extent.shear, extent.shear)
            matrix = matrix @ turn @ lean
    matrix = matrix @ np.diag(1 + share * rng.uniform(-extent.scale, extent.scale, d))
    shift = share * rng.uniform(-extent.translate, extent.translate, d)
    return Deformation(np.array(size, float) / 2, matrix, shift)


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
        at = jittered(rng, [np.arange(-2 * width, s + 2 * width, width) for s in size], width / 2)
        bumps = Smooth.bumps(at, rng.normal(0, strength, at.shape), width)
        drawn = Deformation(base.centre, base.matrix, base.shift, (*base.parts, bumps))
        if drawn.least_jacobian(size) > 0.1:
            return drawn


def draw_pose(rng: np.random.Generator, dimension: int) -> Array:
    """(d, d): axes in a random order and direction, and a scale of 0.8 to 1.25.

    Few patients stand for many: their anatomy is shown in every orientation and size.
    """
    order = rng.permutation(dimension)
    signs = rng.choice((-1.0, 1.0), dimension)
    return np.asarray(np.eye(dimension)[order] * signs * np.exp(rng.uniform(-0.22, 0.22)))
