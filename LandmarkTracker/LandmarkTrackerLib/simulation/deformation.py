"""Known deformations: an affine map plus smooth displacements, exact at every point.

A deformation says where each point of the target image comes from in the reference image, as resampling
needs it. It counts in mm or in pixels, whichever its numbers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from LandmarkTrackerLib.landmarks import Array

if TYPE_CHECKING:
    from torch import Tensor

# Of the iteration that inverts a deformation.
MOST_STEPS, CONVERGED = 60, 1e-9


def gaussian(t: Array) -> Array:
    return np.exp(-(t**2) / 2)


def cubic_spline(t: Array) -> Array:
    """The uniform cubic B-spline: smooth to the second derivative, and below its nodes."""
    t = np.abs(t)
    return np.where(t < 1, (4 - 6 * t**2 + 3 * t**3) / 6, np.clip(2 - t, 0, None) ** 3 / 6)


def cubic_convolution(t: Array) -> Array:
    """Keys' kernel with a = -0.75: through its nodes, smooth to the first derivative."""
    t, a = np.abs(t), -0.75
    near = ((a + 2) * t - (a + 3)) * t**2 + 1
    return np.where(t < 1, near, np.where(t < 2, ((t - 5) * t + 8) * t * a - 4 * a, 0))


@dataclass(frozen=True, eq=False)
class Smooth:
    """A smooth function of place: a sum of nodes, each a value times a product of kernels along the axes.

    Attributes:
        at: coordinates of the nodes along each of the d axes.
        values: (c, n) of n nodes that lie anywhere, at (at[0][n], at[1][n], ...); or (c, *lengths of `at`) of
            nodes on a lattice.
        width: what a kernel takes for 1, along each axis.
        kernel: of the distance in widths.
    """

    at: tuple[Array, ...]
    values: Array
    width: tuple[float, ...]
    kernel: Callable[[Array], Array]

    @classmethod
    def bumps(cls, at: Array, values: Array, width: float) -> Smooth:
        """Gaussians with this standard deviation at (n, d), values (n, c)."""
        return cls(tuple(at.T), values.T, (width,) * at.shape[1], gaussian)

    @classmethod
    def spline(cls, values: Array, size: Sequence[int]) -> Smooth:
        """The cubic B-spline whose control points (c, *nodes) just span an image of `size` pixels."""
        width = tuple(s / (n - 3) for s, n in zip(size, values.shape[1:], strict=True))
        at = tuple((np.arange(n) - 1) * w - 0.5 for n, w in zip(values.shape[1:], width, strict=True))
        return cls(at, values, width, cubic_spline)

    @classmethod
    def through(cls, values: Array, size: Sequence[int]) -> Smooth:
        """Through values (c, *nodes), the outermost of which lie on the border pixels of an image."""
        counts = values.shape[1:]
        width = tuple((s - 1) / (n - 1) for s, n in zip(size, counts, strict=True))
        at = tuple(np.arange(-1, n + 1) * w for n, w in zip(counts, width, strict=True))
        continued = np.pad(values, [(0, 0), *[(1, 1)] * len(counts)], mode="edge")
        return cls(at, continued, width, cubic_convolution)

    def __call__(self, points: Array) -> Array:
        """(..., c) at points (..., d)."""
        listed = points.reshape(-1, points.shape[-1])
        return self._sum(list(listed.T), ["p"] * len(self.at)).T.reshape(*points.shape[:-1], -1)

    def on_axes(self, axes: Sequence[Array]) -> Array:
        """(c, *lengths of the axes) at every point of a rectangular grid."""
        return self._sum(axes, list("xyz"[: len(axes)]))

    def times(self, factor: float) -> Smooth:
        return Smooth(self.at, self.values * factor, self.width, self.kernel)

    def _sum(self, places: Sequence[Array], letters: list[str]) -> Array:
        """The product is separable: d short factors a node instead of one kernel a grid point."""
        factors = [
            self.kernel((place - at[:, None]) / width)
            for place, at, width in zip(places, self.at, self.width, strict=True)
        ]
        lattice = self.values.ndim > 2
        nodes = list("abc"[: len(letters)]) if lattice else ["n"] * len(letters)
        terms = ",".join(n + letter for n, letter in zip(nodes, letters, strict=True))
        result = "".join(dict.fromkeys(letters))
        summed = f"v{''.join(dict.fromkeys(nodes))},{terms}->v{result}"
        return np.asarray(np.einsum(summed, self.values, *factors, optimize=True))


@dataclass(frozen=True, eq=False)
class Deformation:
    """x -> matrix (x - centre) + centre + shift + the sum of `parts` at x.

    Attributes:
        centre: (d,) stays in place but for `shift` and the parts.
        matrix: (d, d).
        shift: (d,).
        parts: displacements, each with d components.
    """

    centre: Array
    matrix: Array
    shift: Array
    parts: tuple[Smooth, ...] = ()

    @classmethod
    def none(cls, centre: Array) -> Deformation:
        return cls(np.asarray(centre, float), np.eye(len(centre)), np.zeros(len(centre)))

    def __call__(self, points: Array) -> Array:
        """Where target points (..., d) come from: (..., d)."""
        affine = (points - self.centre) @ self.matrix.T + self.centre + self.shift
        return np.asarray(affine + sum(part(points) for part in self.parts))

    def on_axes(self, axes: Sequence[Array]) -> Array:
        """The same for every point of a rectangular grid: (d, *lengths of the axes)."""
        offsets = np.stack(
            np.meshgrid(*(axis - c for axis, c in zip(axes, self.centre, strict=True)), indexing="ij")
        )
        home = (self.centre + self.shift).reshape(-1, *[1] * len(axes))
        affine = home + np.tensordot(self.matrix, offsets, axes=1)
        return np.asarray(affine + sum(part.on_axes(axes) for part in self.parts))

    def on_pixels(self, size: Sequence[int], spacing: Sequence[float] | float = 1.0) -> Array:
        """The same for every pixel of an image of `size` (i, j[, k]): ([k,] j, i, d)."""
        steps = np.broadcast_to(spacing, len(size))
        return self.on_axes([np.arange(n) * s for n, s in zip(size, steps, strict=True)]).T

    def apply(self, image: Tensor, size: Sequence[int], beyond: float = 0.0, cubic: bool = False) -> Tensor:
        """An image (C, *spatial) deformed: (C, *spatial) of `size` (i, j[, k]). It counts in pixels.

        Args:
            beyond: the value that continues the image beyond its border.
            cubic: interpolate slices cubically; volumes linearly all the same.
        """
        return resampled(image - beyond, self.on_pixels(size), cubic and len(size) == 2) + beyond

    def apply_to_points(self, points: Array) -> Array:
        """Where points of the reference (N, d) are in the target: (N, d).

        By fixed-point iteration, which takes displacements that are less steep than the affine map.
        """
        inverse = np.linalg.inv(self.matrix)
        target = fixed = (points - self.centre - self.shift) @ inverse.T + self.centre
        for _ in range(MOST_STEPS if self.parts else 0):
            before = target
            target = fixed - sum(part(target) for part in self.parts) @ inverse.T
            if np.abs(target - before).max(initial=0) < CONVERGED:
                break
        return np.asarray(target)

    def least_jacobian(self, size: Sequence[float], steps: int = 24) -> float:
        """The smallest determinant of the Jacobian in a box of `size` from 0; below 0 the map folds."""
        axes = [np.linspace(0, s, steps) for s in size]
        return float(jacobian(self.on_axes(axes), [axis[1] - axis[0] for axis in axes]).min())


def resampled(image: Tensor, places: Array, cubic: bool = False) -> Tensor:
    """An image (C, *spatial) read at pixels (*output, d): (C, *output); 0 beyond its border."""
    import torch

    from LandmarkTrackerLib.networks.sampling import sample

    at = torch.from_numpy(np.ascontiguousarray(places))[None]
    return sample(image[None], at, mode="bicubic" if cubic else "bilinear")[0]


def jacobian(field: Array, spacing: Sequence[float]) -> Array:
    """Determinant of the Jacobian of a map (d, *sizes) that is sampled every `spacing`: (*sizes)."""
    d = len(field)
    rows = [np.stack(np.gradient(component, *spacing)) for component in field]
    return np.asarray(np.linalg.det(np.moveaxis(np.stack(rows), (0, 1), (-2, -1)).reshape(-1, d, d))).reshape(
        field.shape[1:]
    )


def jittered(rng: np.random.Generator, axes: Sequence[Array], reach: float) -> Array:
    """(n, d) the points of a lattice, each moved by up to `reach` along every axis."""
    at = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return np.asarray(at + rng.uniform(-reach, reach, at.shape))
