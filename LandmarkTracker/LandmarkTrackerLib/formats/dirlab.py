"""DIR-Lab: whole voxels, counted from 1, `x<TAB>y<TAB>z` a line: column, row, slice of the scan as stored.

Half a voxel is lost; this is for programs and evaluations that want this format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written
from LandmarkTrackerLib.formats.scans import ScanPair
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array


def write_points(path: Path, points: Array, grid: Grid, *, overwrite: bool = False) -> None:
    """Write the voxels that hold points (N, 3), LPS mm.

    Raises:
        InputError: a point lies off the scan, or the file exists and `overwrite` is False.
    """
    if not grid.contains(points).all():
        raise InputError(f"{path}: a point lies outside its scan and has no voxel; check the pairs")
    voxels = np.clip(np.rint(grid.to_index(points)), 0, np.array(grid.size) - 1).astype(int) + 1
    with written(path, overwrite) as partial:
        partial.write_text("".join("\t".join(map(str, v)) + "\n" for v in voxels), encoding="ascii")


def read_points(path: Path, grid: Grid) -> Array:
    """Read voxels as the points at their centres: (N, 3) LPS mm.

    Raises:
        InputError: a line is not three whole numbers, or a voxel lies off the scan.
    """
    try:
        voxels = np.array([line.split() for line in read_text(path).splitlines()], dtype=int).reshape(-1, 3)
    except ValueError as error:
        raise InputError(f"{path} is not a DIR-Lab file; give three whole numbers a line") from error
    if (voxels < 1).any() or (voxels > np.array(grid.size)).any():
        raise InputError(f"{path} has a voxel outside the scan of {grid.size}; voxels count from 1")
    return grid.to_world(voxels - 1)


def export(folder: Path, scans: ScanPair) -> None:
    """One file a scan.

    Raises:
        InputError: the scans are slices.
    """
    scans.require_volumes("DIR-Lab")
    write_points(folder / "fixed_xyz.txt", scans.pairs.fixed, Grid.of(scans.fixed.image))
    write_points(folder / "moving_xyz.txt", scans.pairs.moving, Grid.of(scans.moving.image))
