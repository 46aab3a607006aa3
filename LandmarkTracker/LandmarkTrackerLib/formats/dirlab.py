"""DIR-Lab: whole voxels, counted from 1, `x<TAB>y<TAB>z` a line: column, row, slice of the scan as stored.

Half a voxel is lost; this is for programs and evaluations that want this format.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written
from LandmarkTrackerLib.formats.points import Coordinates, PointFile, unnamed
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


def parse(path: Path) -> PointFile:
    """The voxels of a file.

    Raises:
        InputError: a line is not three whole numbers.
    """
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    if not all(len(line) == 3 and all(cell.isdecimal() for cell in line) for line in lines):
        raise InputError(f"{path} is not a DIR-Lab file; give three whole numbers a line")
    source = "as DIR-Lab counts them; the file does not state it"
    coordinates = Coordinates("pixel", source, stated=False, first=1)
    return PointFile(path, "DIR-Lab voxels", coordinates, {"": unnamed(np.array(lines, dtype=float))})


def export(folder: Path, scans: ScanPair) -> None:
    """One file a scan.

    Raises:
        InputError: the scans are slices.
    """
    scans.require_volumes("DIR-Lab")
    write_points(folder / "fixed_xyz.txt", scans.pairs.fixed, Grid.of(scans.fixed.image))
    write_points(folder / "moving_xyz.txt", scans.pairs.moving, Grid.of(scans.moving.image))
