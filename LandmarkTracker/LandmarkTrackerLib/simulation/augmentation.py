"""Augmentation of an image together with its landmarks: translation, rotation, scale, elastic deformation.

An output pixel o reads the input at x(o) = c + A (o - middle) + D(o), with D a cubic B-spline. A landmark p
of the input is seen at the o with x(o) = p, which a few fixed-point steps find. Everything is numpy and one
`grid_sample`, so that a sample costs about a millisecond in 2D.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from LandmarkTrackerLib.landmarks import Array

BACKGROUND = -1.0


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

    multiply: tuple[float, float] = (0.75, 1.25)
    shift: tuple[float, float] = (-0.25, 0.25)
    translate: float = 20.0
    rotate: float = 15.0
    scale: tuple[float, float] = (0.6, 1.4)
    elastic: float = 5.0
    nodes: int = 12
    cut: float = 0.0


Range = tuple[float, float]


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
        linear = _rotation(rng, self.rotation, 2) * rng.uniform(*self.scale) / side
        # The crop lies anywhere within the image; before it is enlarged its centre is off by so much.
        off = rng.uniform(-0.5, 0.5, 2) * (1 - side) * np.array(size) / side
        return np.column_stack([linear, centre - off - linear @ centre])


@dataclass(frozen=True)
class PatchAugmentation:
    """How patches are varied around their centre, which stays where it is.

    Attributes:
        rotation: degrees either way.
        scale: factor of size.
        gamma: exponent of the brightness, drawn evenly on a logarithmic scale.
    """

    rotation: float = 5.0
    scale: Range = (0.9, 1.3)
    gamma: Range = (0.5, 2.0)

    def draw(self, rng: np.random.Generator) -> tuple[Array, float]:
        """(2, 2) from offsets in the patch to offsets in the augmented patch, and gamma."""
        gamma = float(np.exp(rng.uniform(*np.log(self.gamma))))
        return _rotation(rng, self.rotation, 2) * rng.uniform(*self.scale), gamma


def moved(points: Array, affine: Array) -> Array:
    """Points (..., 2) through an affine (2, 3)."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


@dataclass(frozen=True)
class Warp:
    """How output pixels read the input; indices are (i, j[, k]).

    Attributes:
        size: (d,) of the output.
        centre: (d,) input index that the output's middle reads, before deformation.
        matrix: (d, d)
        moves: (d, *nodes) displacement of the control points in input pixels, their axes in the same order.
    """

    size: tuple[int, ...]
    centre: Array
    matrix: Array
    moves: Array

    @property
    def middle(self) -> Array:
        return (np.array(self.size) - 1) / 2

    def displacement(self, output: Array) -> Array:
        """D at output indices (N, d): (N, d) input pixels."""
        nodes = self.moves.shape[1]
        weights = [_spline(output[:, a], size, nodes) for a, size in enumerate(self.size)]
        letters = "xyz"[: len(self.size)]
        return np.einsum(
            f"d{letters},{','.join('n' + c for c in letters)}->nd", self.moves, *weights, optimize=True
        )

    def to_output(self, points: Array, steps: int = 30) -> Array:
        """Where input indices (N, d) are in the output."""
        inverse = np.linalg.inv(self.matrix)
        output = (points - self.centre) @ inverse.T + self.middle
        for _ in range(steps):
            output = (points - self.centre - self.displacement(output)) @ inverse.T + self.middle
        return output

    def grid(self) -> Array:
        """([k,] j, i, d): the input index that every output pixel reads."""
        axes = [np.arange(size, dtype=float) for size in self.size]
        nodes = self.moves.shape[1]
        # One axis after the other: the spline is separable, the grid is large.
        field = self.moves
        for axis, size in enumerate(self.size):
            field = np.moveaxis(
                np.tensordot(field, _spline(axes[axis], size, nodes), axes=(axis + 1, 1)), -1, axis + 1
            )
        offsets = np.stack(
            np.meshgrid(*(a - m for a, m in zip(axes, self.middle, strict=True)), indexing="ij")
        )
        read = self.centre.reshape(-1, *[1] * len(axes)) + np.tensordot(self.matrix, offsets, axes=1) + field
        return read.transpose(*range(len(axes), -1, -1))

    def image(self, pixels: NDArray[np.float32]) -> torch.Tensor:
        """(1, *spatial) float32: the input ([k,] j, i) warped; background beyond its border."""
        size = np.array(pixels.shape[::-1])
        # grid_sample counts -1 to 1 from edge to edge of the border pixels.
        where = (2 * self.grid() + 1) / size - 1
        source = torch.from_numpy(pixels)[None, None] - BACKGROUND
        sampled = functional.grid_sample(
            source, torch.from_numpy(where.astype(np.float32))[None], align_corners=False
        )
        return sampled[0] + BACKGROUND


def draw_warp(
    rng: np.random.Generator, config: AugmentationConfig, shape: Sequence[int], size: Sequence[int]
) -> Warp:
    """A random warp of an input ([k,] j, i) `shape` to an output of `size` (i, j[, k]).

    Where the input is longer than the output, the output is a random part of it (4.4).
    """
    dimension = len(size)
    room = np.maximum(np.array(shape[::-1]) - np.array(size), 0) / 2
    part = rng.uniform(-1, 1, dimension) * room
    # Anatomy that is to look larger is read in smaller steps.
    matrix = _rotation(rng, config.rotate, dimension) / rng.uniform(*config.scale)
    centre = (np.array(shape[::-1]) - 1) / 2 + part
    centre = centre + matrix @ rng.uniform(-config.translate, config.translate, dimension)
    moves = rng.uniform(-config.elastic, config.elastic, (dimension, *[config.nodes] * dimension))
    return Warp(tuple(size), centre, matrix, moves)


def changed_intensity(
    rng: np.random.Generator, config: AugmentationConfig, image: torch.Tensor
) -> torch.Tensor:
    return image * rng.uniform(*config.multiply) + rng.uniform(*config.shift)


def cut_away(
    rng: np.random.Generator, image: torch.Tensor, points: Array
) -> tuple[torch.Tensor, NDArray[np.bool_]]:
    """Blank what lies beyond a line (a plane) in a random direction that passes near a random landmark.

    Returns the image (1, *spatial) and (N,) which of the points (N, d) were taken away with it.
    """
    dimension = points.shape[1]
    direction = rng.normal(size=dimension)
    normal: Array = np.asarray(direction / np.linalg.norm(direction), dtype=np.float64)
    through = points[rng.integers(len(points))] @ normal + rng.uniform(-0.1, 0.1) * min(image.shape[1:])
    axes = [torch.arange(n, dtype=torch.float32) for n in image.shape[1:]]
    grid = torch.meshgrid(*axes, indexing="ij")
    distance = sum((g * float(n) for g, n in zip(grid, normal[::-1], strict=True)), start=torch.zeros(()))
    return torch.where(distance > through, BACKGROUND, image), points @ normal > through


def _rotation(rng: np.random.Generator, degrees: float, dimension: int) -> Array:
    if dimension == 2:
        return _turn(math.radians(rng.uniform(-degrees, degrees)), 0, 1, 2)
    if degrees >= 180:
        frame, upper = np.linalg.qr(rng.normal(size=(3, 3)))
        frame = frame * np.sign(np.diag(upper))
        return np.asarray(frame * np.array([1.0, 1.0, np.linalg.det(frame)]))
    turns = [
        _turn(math.radians(rng.uniform(-degrees, degrees)), *plane, 3) for plane in ((0, 1), (0, 2), (1, 2))
    ]
    return np.asarray(turns[0] @ turns[1] @ turns[2])


def _turn(angle: float, a: int, b: int, dimension: int) -> Array:
    matrix = np.eye(dimension)
    matrix[[a, a, b, b], [a, b, a, b]] = [
        math.cos(angle),
        -math.sin(angle),
        math.sin(angle),
        math.cos(angle),
    ]
    return matrix


def _spline(where: Array, size: int, nodes: int) -> Array:
    """(N, nodes): weights of the uniform cubic B-spline whose `nodes` control points span `size` pixels."""
    intervals = nodes - 3
    t = np.clip((where + 0.5) / size * intervals, 0, intervals - 1e-9)
    first = np.floor(t).astype(int)
    u = t - first
    weights = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3]) / 6
    matrix = np.zeros((len(t), nodes))
    for tap in range(4):
        matrix[np.arange(len(t)), first + tap] = weights[tap]
    return matrix
