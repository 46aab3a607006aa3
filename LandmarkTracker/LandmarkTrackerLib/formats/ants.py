"""ANTs: points to transform, point sets to register with, and a transform to start from.

`*.csv` (`x,y,z,t,label`, LPS mm) is what antsApplyTransformsToPoints reads: with the transforms that warp the
moving image it sends fixed points to the moving image. `*.txt` (`x y z label` between two lines of zeros) is
what `antsRegistration -m PSE[...]` reads; equal labels belong together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import Point, PointFile
from LandmarkTrackerLib.formats.points_csv import ANTS
from LandmarkTrackerLib.formats.scans import ScanPair, write_script
from LandmarkTrackerLib.formats.tables import write_table
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.warping import fit

AXES = ("x", "y", "z")
START = "start.nii.gz"


def write_points_csv(path: Path, points: Array, *, overwrite: bool = False) -> None:
    """Write points (N, 2 or 3), mm, for antsApplyTransformsToPoints.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    rows = (
        [*(number(x) for x in (*point, 0.0, 0.0)[:3]), "0", str(label)]
        for label, point in enumerate(points, start=1)
    )
    write_table(path, (*AXES, "t", "label"), rows, overwrite=overwrite)


def write_point_set(path: Path, points: Array, *, overwrite: bool = False) -> None:
    """Write points (N, 2 or 3), mm, labelled from 1: the reader drops a point at 0 with label 0.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    lines = [
        " ".join([*map(number, (*point, 0.0)[:3]), str(label)]) for label, point in enumerate(points, start=1)
    ]
    with written(path, overwrite) as partial:
        partial.write_text("\n".join(["0 0 0 0", *lines, "0 0 0 0"]) + "\n", encoding="ascii")


def parse_point_set(path: Path) -> PointFile:
    """The points of a point set, named by their labels.

    Raises:
        InputError: a line is not four numbers, or the lines of zeros around the points are missing.
    """
    try:
        values = np.array([line.split() for line in read_text(path).splitlines()], dtype=float)
    except ValueError as error:
        raise InputError(f"{path} is not a point set; give lines of x y z label") from error
    if values.ndim != 2 or values.shape[1] != 4 or values[[0, -1]].any():
        raise InputError(f"{path} is not a point set; it has lines of x y z label between two of zeros")
    body = values[1:-1]
    if not np.isfinite(body).all() or (body[:, 3] % 1).any():
        raise InputError(f"{path} is not a point set; labels are whole numbers")
    points = tuple(Point(str(int(row[3])), row[:3].tolist()) for row in body)
    return PointFile(path, "ANTs point set", ANTS, {"": points})


def export(folder: Path, scans: ScanPair) -> None:
    """Points, point sets, the displacement field of the pairs to start from, and the command."""
    fixed, moving = scans.points
    for role, points in (("fixed", fixed), ("moving", moving)):
        write_points_csv(folder / f"{role}_points.csv", points)
        write_point_set(folder / f"{role}_points.txt", points)
    domain = scans.domain
    field = sitk.TransformToDisplacementField(
        fit(fixed, moving, scans.pairs.score, domain),
        sitk.sitkVectorFloat32,
        domain.GetSize(),
        domain.GetOrigin(),
        domain.GetSpacing(),
        domain.GetDirection(),
    )
    sitk.WriteImage(field, str(folder / START))
    a, b = scans.images(folder)
    register = ["antsRegistration", "-d", str(scans.dimension), "-o", "[ants_,warped.nii.gz]"]
    register += ["-r", START, "-t", "SyN[0.15,3,0.5]", "-m", f"MI[{a},{b},1,32]"]
    register += ["-m", "PSE[fixed_points.txt,moving_points.txt,0.3,1,0,1,1]"]
    register += ["-c", "[60x40x20,1e-6,10]", "-f", "4x2x1", "-s", "2x1x0vox"]
    # Fixed points go where the warp of the moving image reads it: with the transforms in the same order.
    check = ["antsApplyTransformsToPoints", "-d", str(scans.dimension), "-i", "fixed_points.csv"]
    check += ["-o", "fixed_points_in_moving.csv", "-t", "ants_1Warp.nii.gz", "-t", "ants_0Warp.nii.gz"]
    write_script(folder / "register.sh", register, check)
