"""Pixel <-> mm: the one room where an image's geometry becomes arithmetic.

An index (i, j, k) is continuous and counts columns, rows, slices from the centre of the first pixel, as ITK
has it. A numpy array of the same image is indexed [k, j, i].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike

from LandmarkTrackerLib.landmarks import Array


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a 3D image lie in the world.

    Attributes:
        size: pixels along i, j, k.
        spacing: mm along i, j, k.
        origin: LPS mm of the centre of pixel (0, 0, 0).
        direction: 9 numbers, row-major; column n is the LPS direction of axis n.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> Grid:
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @property
    def axes(self) -> Array:
        """(3, 3): column n is one step along axis n, in mm."""
        return np.array(self.direction).reshape(3, 3) * np.array(self.spacing)

    @property
    def is_slice(self) -> bool:
        return self.size[2] == 1

    def to_world(self, index: ArrayLike) -> Array:
        """Continuous index (..., 3) to LPS mm (..., 3)."""
        return np.asarray(np.asarray(index, dtype=float) @ self.axes.T + np.array(self.origin))

    def to_index(self, world: ArrayLike) -> Array:
        """LPS mm (..., 3) to continuous index (..., 3)."""
        return np.asarray(
            (np.asarray(world, dtype=float) - np.array(self.origin)) @ np.linalg.inv(self.axes).T
        )

    def contains(self, world: ArrayLike) -> np.ndarray:
        """(...,) whether LPS mm (..., 3) falls on a pixel, edges of the border pixels included."""
        index = self.to_index(world)
        size = np.array(self.size)
        with np.errstate(invalid="ignore"):
            inside = (index >= -0.5 - 1e-6) & (index <= size - 0.5 + 1e-6)
        return np.asarray(inside.all(axis=-1))

    def same_place(self, other: Grid) -> bool:
        """Whether both describe the same pixels, to a thousandth of a pixel."""
        if self.size != other.size:
            return False
        corners = np.array([[0, 0, 0], np.array(self.size) - 1], dtype=float)
        steps = np.vstack([corners, np.eye(3)])
        apart = np.abs(self.to_world(steps) - other.to_world(steps)).max()
        return bool(apart <= 1e-3 * min(self.spacing))


def anatomical(axis: Array) -> str:
    """The nearest anatomical word for a direction (3,) in LPS: "left", "anterior", "superior", ..."""
    words = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))
    main = int(np.abs(axis).argmax())
    return words[main][int(axis[main] > 0)]


def rotation(angle: float, plane: tuple[int, int] = (0, 1), dimension: int = 2) -> Array:
    """(d, d): by `angle` (radians) from the first axis of the plane towards the second."""
    matrix = np.eye(dimension)
    matrix[np.ix_(plane, plane)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix
