from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.simulation.deformation import Deformation, Smooth, jacobian
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic


@pytest.mark.parametrize("size", [(90.0, 120.0), (60.0, 80.0, 100.0)])
def test_a_grid_and_single_points_are_deformed_alike(size: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    deformation = draw_elastic(rng, size, Extent(), draw_affine(rng, size, Extent()))
    axes = [np.linspace(0, s, n) for s, n in zip(size, (5, 7, 4), strict=False)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(size))
    grid = deformation.on_axes(axes)
    np.testing.assert_allclose(grid.reshape(len(size), -1).T, deformation(points), atol=1e-9)


def test_the_middle_of_the_box_moves_by_the_translation_alone() -> None:
    affine = draw_affine(np.random.default_rng(1), (100, 60), Extent())
    np.testing.assert_allclose(affine(np.array([[50.0, 30.0]]))[0], np.array([50, 30]) + affine.shift)


def test_the_jacobian_of_an_affine_map_is_its_determinant() -> None:
    affine = draw_affine(np.random.default_rng(2), (40, 50, 60), Extent())
    field = affine.on_axes([np.arange(0, s, 4.0) for s in (40, 50, 60)])
    np.testing.assert_allclose(jacobian(field, (4, 4, 4)), np.linalg.det(affine.matrix), rtol=1e-9)


def bump(at: np.ndarray, moves: np.ndarray, width: float) -> Deformation:
    return Deformation(np.zeros(2), np.eye(2), np.zeros(2), (Smooth.bumps(at, moves, width),))


def test_a_bump_that_pushes_points_past_their_neighbours_folds() -> None:
    gentle, steep = (bump(np.array([[50.0, 50.0]]), np.array([[height, 0.0]]), 20) for height in (8, 50))
    # The steepest slope of a Gaussian is height / (width sqrt(e)).
    assert gentle.least_jacobian((100, 100)) == pytest.approx(1 - 8 / 20 / np.sqrt(np.e), abs=0.01)
    assert steep.least_jacobian((100, 100)) < 0


def test_a_spline_of_equal_control_points_is_constant_and_of_rising_ones_a_ramp() -> None:
    size, nodes = (40, 24), (9, 7)
    at = np.stack(np.meshgrid(*map(np.arange, nodes), indexing="ij")).astype(float)
    values = Smooth.spline(np.concatenate([np.ones((1, *nodes)), at]), size).on_axes(
        [np.arange(n) for n in size]
    )
    np.testing.assert_allclose(values[0], 1)
    for axis in (0, 1):
        steps = np.diff(values[1 + axis], axis=axis)
        np.testing.assert_allclose(steps, (nodes[axis] - 3) / size[axis])


def test_a_surface_through_values_has_them_from_border_to_border() -> None:
    values = np.random.default_rng(0).normal(size=(2, 5, 4))
    smooth = Smooth.through(values, (41, 31))
    np.testing.assert_allclose(
        smooth.on_axes([np.linspace(0, 40, 5), np.linspace(0, 30, 4)]), values, atol=1e-12
    )


@pytest.mark.parametrize("size", [(30, 40), (20, 24, 18)])
@pytest.mark.parametrize("make", [Smooth.spline, Smooth.through])
def test_nodes_on_a_lattice_add_up_alike_on_a_grid_and_at_points(make, size: tuple[int, ...]) -> None:
    smooth = make(np.random.default_rng(0).normal(size=(3, *range(5, 5 + len(size)))), size)
    axes = [np.linspace(0, n - 1, 4) for n in size]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    np.testing.assert_allclose(np.moveaxis(smooth.on_axes(axes), 0, -1), smooth(points), atol=1e-12)


def test_a_point_goes_where_the_image_shows_it() -> None:
    rng, size = np.random.default_rng(4), (60, 50)
    deformation = draw_elastic(
        rng, size, Extent(elastic=2, width=(12, 18)), draw_affine(rng, size, Extent(5, 0.1, 0.1, 3))
    )
    points = rng.uniform(20, 30, (8, 2))
    at = deformation.apply_to_points(points)
    np.testing.assert_allclose(deformation(at), points, atol=1e-6)
    j, i = np.indices(size[::-1])
    for point, there in zip(points, at, strict=True):
        blob = np.exp(-((i - point[0]) ** 2 + (j - point[1]) ** 2) / 8).astype(np.float32)
        moved = deformation.apply(torch.from_numpy(blob)[None], size)[0].numpy()
        centre = [np.average(grid, weights=moved) for grid in (i, j)]
        assert np.linalg.norm(centre - there) < 0.3
