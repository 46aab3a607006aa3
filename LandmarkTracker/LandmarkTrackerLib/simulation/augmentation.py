"""Random variation of images together with their points: parameters are drawn here, and applied elsewhere.

Points and translations are in pixels, (column, row[, slice]), from the centre of the first pixel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from LandmarkTrackerLib.geometry import rotation
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.simulation.deformation import Deformation, Smooth

Range = tuple[float, float]


@dataclass(frozen=True)
class AugmentationConfig:
    """The `[augmentation]` table: uniform ranges, with the paper's values (section 3) as defaults.

    Attributes:
        multiply, shift: of the intensities, which lie in [-1, 1].
        translate: pixels of the network, along each axis, to both sides.
        rotate: degrees, to both sides; in 3D about each axis; 180 in 3D draws any orientation.
        scale: of the anatomy in the network's input.
        elastic: pixels by which every control point moves at most, along each axis.
        nodes: control points along each axis.
        cut: how often a part of the image is taken away, so that the network learns to stay silent about
            landmarks that are not there. The paper has 0.
    """

    multiply: Range = (0.75, 1.25)
    shift: Range = (-0.25, 0.25)
    translate: float = 20.0
    rotate: float = 15.0
    scale: Range = (0.6, 1.4)
    elastic: float = 5.0
    nodes: int = 12
    cut: float = 0.0

    def draw(self, rng: np.random.Generator, shape: Sequence[int], size: Sequence[int]) -> Deformation:
        """Of an input ([k,] j, i) `shape`, to an output of `size` (i, j[, k]).

        Where the input is longer than the output, the output is a random part of it (4.4).
        """
        dimension, middle = len(size), (np.array(size) - 1) / 2
        room = np.maximum(np.array(shape[::-1]) - np.array(size), 0) / 2
        part = rng.uniform(-1, 1, dimension) * room
        # Anatomy that is to look larger is read in smaller steps.
        matrix = draw_rotation(rng, self.rotate, dimension) / rng.uniform(*self.scale)
        centre = (np.array(shape[::-1]) - 1) / 2 + part
        centre = centre + matrix @ rng.uniform(-self.translate, self.translate, dimension)
        moves = rng.uniform(-self.elastic, self.elastic, (dimension, *[self.nodes] * dimension))
        return Deformation(middle, matrix, centre - middle, (Smooth.spline(moves, size),))


@dataclass(frozen=True)
class ImageAugmentation:
    """How whole images are varied (section II.C).

    Attributes:
        rotation: degrees either way.
        scale: factor of size.
        crop: side of a random crop, as a share of the image, that is then enlarged to the image's size.
    """

    rotation: float = 10.0
    scale: Range = (0.8, 1.2)
    crop: Range = (0.8, 1.0)

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        """(2, 3) from points of the image to points of the augmented image of the same size."""
        centre = (np.array(size) - 1) / 2
        side = rng.uniform(*self.crop)
        linear = draw_rotation(rng, self.rotation, 2) * rng.uniform(*self.scale) / side
        # The crop lies anywhere within the image; before it is enlarged its centre is off by so much.
        off = rng.uniform(-0.5, 0.5, 2) * (1 - side) * np.array(size) / side
        return np.column_stack([linear, centre - off - linear @ centre])


@dataclass(frozen=True)
class PatchAugmentation:
    """How patches are varied around their centre, which stays where it is.

    Attributes:
        rotation: degrees either way.
        scale: factor of size.
        gamma: exponent of the brightness, drawn uniformly as imgaug does, which the paper names.
    """

    rotation: float = 5.0
    scale: Range = (0.9, 1.3)
    gamma: Range = (0.5, 2.0)

    def draw(self, rng: np.random.Generator) -> tuple[Array, float]:
        """(2, 2) from offsets in the patch to offsets in the augmented patch, and gamma."""
        gamma = float(rng.uniform(*self.gamma))
        return draw_rotation(rng, self.rotation, 2) * rng.uniform(*self.scale), gamma


def moved(points: Array, affine: Array) -> Array:
    """Points (..., 2) through an affine (2, 3)."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


def draw_rotation(rng: np.random.Generator, degrees: float, dimension: int) -> Array:
    """(d, d): up to so many degrees either way, in 3D about each axis; from 180 on in 3D, any orientation."""
    if dimension == 3 and degrees >= 180:
        frame, upper = np.linalg.qr(rng.normal(size=(3, 3)))
        frame = frame * np.sign(np.diag(upper))
        return np.asarray(frame * np.array([1.0, 1.0, np.linalg.det(frame)]))
    turn = np.eye(dimension)
    for plane in itertools.combinations(range(dimension), 2):
        turn = turn @ rotation(math.radians(rng.uniform(-degrees, degrees)), plane, dimension)
    return turn
