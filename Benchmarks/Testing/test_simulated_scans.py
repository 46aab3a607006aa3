from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.simulation.scans import Extent
from simulated_scans import KINDS, Kind, simulate

OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)
SMALL = Extent(rotate=10, scale=0.1, shear=0.1, translate=5, elastic=5, width=(25, 35))


def scan(slices: int) -> sitk.Image:
    noise = np.random.default_rng(0).normal(size=(slices, 70, 80)).astype(np.float32)
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing((1.5, 1.25, 2.0))
    image.SetOrigin((-30.0, 12.0, 7.0))
    image.SetDirection(OBLIQUE)
    return sitk.SmoothingRecursiveGaussian(image, 5.0) if slices > 1 else image


@pytest.mark.parametrize("slices", [1, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_a_point_looks_alike_where_it_went(slices: int, kind: Kind) -> None:
    image = scan(40)[:, :, 20:21] if slices == 1 else scan(40)
    scans = simulate(image, kind, np.random.default_rng(5), SMALL)
    grid = Grid.of(scans.moving)
    assert grid.same_place(Grid.of(image))
    index = np.random.default_rng(1).uniform(0.3, 0.7, (200, 3)) * (np.array(grid.size) - 1)
    moving = grid.to_world(index)
    fixed = scans.in_fixed(moving)
    there = grid.contains(fixed)
    assert there.mean() > 0.8
    apart = np.linalg.norm(fixed - moving, axis=1)
    assert (apart.max() < 1e-9) if kind == "intensity" else (apart.max() > 1)
    a = [scans.fixed.EvaluateAtPhysicalPoint(p) for p in fixed[there].tolist()]
    b = [scans.moving.EvaluateAtPhysicalPoint(p) for p in moving[there].tolist()]
    assert np.corrcoef(a, b)[0, 1] > 0.98
