"""Transforms that carry one scan's landmarks to the other's, and the moving scan warped by them.

Every transform maps fixed to moving, as resampling wants it: T(fixed landmark) = moving landmark. Points are
(N, 2) or (N, 3) mm. A pair weighs as much as its score.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.plane import Plane

TransformKind = Literal["rigid", "affine", "thin-plate"]

# mm by which a pair of score 1 is taken to be off: what a thin plate may leave in order to stay smooth.
PAIR_ERROR = 1.0
NODES = 24  # of the spline along each axis that a thin plate is written as
KERNEL_ENTRIES = 10_000_000  # in memory at a time
BORDER = 2  # of these beyond the image: a cubic B-spline ends one node before its last


def fit_rigid(fixed: Array, moving: Array, weights: Array) -> sitk.Transform:
    """Rotation and translation with the least weighted squares (Kabsch 1976).

    Raises:
        InputError: there are fewer pairs than dimensions.
    """
    d = _require(fixed, fixed.shape[1], "rigid")
    w = weights / weights.sum()
    a, b = w @ fixed, w @ moving
    u, _, v = np.linalg.svd((fixed - a).T @ ((moving - b) * w[:, None]))
    mirror = np.diag([1.0] * (d - 1) + [np.linalg.det(v.T @ u.T)])
    turn = v.T @ mirror @ u.T
    transform = sitk.Euler2DTransform() if d == 2 else sitk.VersorRigid3DTransform()
    transform.SetCenter(a.tolist())
    transform.SetMatrix(turn.ravel().tolist(), 1e-6)
    transform.SetTranslation((b - a).tolist())
    return transform


def fit_affine(fixed: Array, moving: Array, weights: Array) -> sitk.AffineTransform:
    """The affine map with the least weighted squares.

    Raises:
        InputError: there are too few pairs, or they lie on a line or (in a volume) in a plane.
    """
    d = _require(fixed, fixed.shape[1] + 1, "affine")
    w = weights / weights.sum()
    a, b = w @ fixed, w @ moving
    root = np.sqrt(w)[:, None]
    spread = np.linalg.svd((fixed - a) * root, compute_uv=False)
    if spread[-1] < 1e-3 * spread[0]:
        raise InputError("the landmarks lie in a line or plane, which fixes no affine transform; use rigid")
    matrix = np.linalg.lstsq((fixed - a) * root, (moving - b) * root, rcond=None)[0].T
    transform = sitk.AffineTransform(d)
    transform.SetCenter(a.tolist())
    transform.SetMatrix(matrix.ravel().tolist())
    transform.SetTranslation((b - a).tolist())
    return transform


def fit_thin_plate(fixed: Array, moving: Array, weights: Array, domain: sitk.Image) -> sitk.Transform:
    """A smoothing thin-plate spline (Wahba 1990), as the cubic B-spline through its values on a regular grid.

    Args:
        domain: the fixed image, of as many axes as the points. Beyond it, the transform is the identity.

    Raises:
        InputError: as `fit_affine`.
    """
    fit_affine(fixed, moving, weights)
    nodes = _nodes(domain)
    at = np.array([nodes.TransformIndexToPhysicalPoint(i) for i in np.ndindex(*nodes.GetSize())])
    moves = _thin_plate(fixed, moving - fixed, weights, at)
    coefficients = []
    for component in moves.T:
        values = sitk.GetImageFromArray(component.reshape(nodes.GetSize()).T)
        values.CopyInformation(nodes)
        coefficients.append(sitk.BSplineDecomposition(values))
    return sitk.BSplineTransform(coefficients, 3)


def _thin_plate(points: Array, moves: Array, weights: Array, at: Array) -> Array:
    """Displacements (N, d) of `points` continued to `at` (M, d)."""
    n, d = points.shape
    centre, scale = points.mean(axis=0), float(np.ptp(points, axis=0).max())
    a, at = (points - centre) / scale, (at - centre) / scale
    # A pair may stay this far off for the sake of smoothness. In space the kernel is negative.
    slack = (PAIR_ERROR / scale) ** 2 / np.maximum(weights, 1e-6) * (1 if d == 2 else -1)
    system = np.zeros((n + d + 1, n + d + 1))
    system[:n, :n] = _kernel(a, a) + np.diag(slack)
    system[:n, n:] = np.hstack([np.ones((n, 1)), a])
    system[n:, :n] = system[:n, n:].T
    solution = np.linalg.solve(system, np.vstack([moves, np.zeros((d + 1, d))]))
    parts = np.array_split(at, len(at) * n // KERNEL_ENTRIES + 1)
    return np.vstack(
        [_kernel(part, a) @ solution[:n] + solution[n] + part @ solution[n + 1 :] for part in parts]
    )


def _kernel(a: Array, b: Array) -> Array:
    """(N, M) Green's function of the bending energy: r^2 log r in the plane, r in space."""
    squared = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)
    if a.shape[1] == 3:
        return np.asarray(np.sqrt(squared))
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-300)))


def _nodes(domain: sitk.Image) -> sitk.Image:
    """A coarse grid over the image and BORDER nodes beyond, along its axes."""
    size = np.array(domain.GetSize())
    step = np.array(domain.GetSpacing()) * size / (NODES - 1)
    counts = np.full(len(size), NODES + 2 * BORDER)
    nodes = sitk.Image(counts.tolist(), sitk.sitkUInt8)
    direction = np.array(domain.GetDirection()).reshape(len(size), -1)
    middle = np.array(domain.TransformContinuousIndexToPhysicalPoint(((size - 1) / 2).tolist()))
    nodes.SetSpacing(step.tolist())
    nodes.SetDirection(domain.GetDirection())
    nodes.SetOrigin((middle - direction @ (step * (counts - 1) / 2)).tolist())
    return nodes


def _require(points: Array, least: int, kind: str) -> int:
    if len(points) < least:
        raise InputError(f"{len(points)} pairs are too few for a transform that is {kind}; it takes {least}")
    return int(points.shape[1])


def fit(
    fixed: Array, moving: Array, weights: Array, domain: sitk.Image, kind: TransformKind | None = None
) -> sitk.Transform:
    """The transform of this kind; if none is asked for, a thin plate, or a rigid one where pairs are few.

    Raises:
        InputError: the pairs are too few, or do not span enough.
    """
    if kind == "rigid":
        return fit_rigid(fixed, moving, weights)
    if kind == "affine":
        return fit_affine(fixed, moving, weights)
    try:
        return fit_thin_plate(fixed, moving, weights, domain)
    except InputError:
        if kind is not None:
            raise
        return fit_rigid(fixed, moving, weights)


def warp(
    fixed: sitk.Image, moving: sitk.Image, pairs: LandmarkPairs, kind: TransformKind | None = None
) -> sitk.Image:
    """The moving scan as the pairs say it looks in the place of the fixed one, on the fixed one's pixels.

    Args:
        fixed, moving: two slices or two volumes.
        kind: see `fit`.

    Raises:
        InputError: the pairs are too few, or do not span enough, for this kind of transform.
    """
    grid = Grid.of(fixed)
    low = float(np.min(sitk.GetArrayViewFromImage(moving)))
    if not grid.is_slice:
        transform = fit(pairs.fixed, pairs.moving, pairs.score, fixed, kind)
        return sitk.Resample(moving, fixed, transform, sitk.sitkLinear, low, sitk.sitkFloat32)
    here, there = Plane(grid), Plane(Grid.of(moving))
    flat = here.image(fixed)
    points = here.to_plane(pairs.fixed), there.to_plane(pairs.moving)
    transform = fit(*points, pairs.score, flat, kind)
    return here.volume(
        sitk.Resample(there.image(moving), flat, transform, sitk.sitkLinear, low, sitk.sitkFloat32)
    )


def checkerboard(fixed: sitk.Image, warped: sitk.Image, squares: int = 8) -> sitk.Image:
    """Both scans in turn, `squares` along the longer side: edges that break show where the pairs are wrong.

    Args:
        warped: on the pixels of `fixed`, as `warp` returns it.
    """
    reach = np.array(fixed.GetSize()) * np.array(fixed.GetSpacing())
    counts = np.maximum(1, np.rint(squares * reach / reach.max())).astype(int).tolist()
    return sitk.CheckerBoard(sitk.Cast(fixed, sitk.sitkFloat32), sitk.Cast(warped, sitk.sitkFloat32), counts)
