"""plastimatch: `.fcsv` that is RAS whatever its header says, or plain text in LPS; volumes only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import fcsv
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import Coordinates, PointFile, unnamed
from LandmarkTrackerLib.formats.scans import ScanPair, write_script
from LandmarkTrackerLib.landmarks import Array

REGISTRATION = """\
[GLOBAL]
fixed={fixed}
moving={moving}
fixed_landmarks=fixed.fcsv
moving_landmarks=moving.fcsv
img_out=registered.mha
xform_out=registered_bspline.txt
warped_landmarks=registered_landmarks.fcsv

[STAGE]
xform=bspline
optim=lbfgsb
impl=plastimatch
metric=mi
max_its=50
res=4 4 2
grid_spac=30 30 30
landmark_stiffness=1.0

[STAGE]
max_its=50
res=2 2 1
grid_spac=15 15 15
landmark_stiffness=1.0
"""


def write_points(path: Path, points: Array, *, overwrite: bool = False) -> None:
    """Write points (N, 3), LPS mm, one a line.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    with written(path, overwrite) as partial:
        lines = (" ".join(map(number, point)) + "\n" for point in points)
        partial.write_text("".join(lines), encoding="ascii")


def parse(path: Path) -> PointFile:
    """The points of a text file, a point a line, with or without commas.

    Raises:
        InputError: a line is not a point.
    """
    lines = [line for line in read_text(path).splitlines() if line.strip() and not line.startswith("#")]
    try:
        points = np.array([line.replace(",", " ").split() for line in lines], dtype=float).reshape(-1, 3)
    except ValueError as error:
        raise InputError(f"{path} has a line that is not a point; export it again") from error
    coordinates = Coordinates("LPS", "as plastimatch has it; the file does not state it", stated=False)
    return PointFile(path, "plastimatch points", coordinates, {"": unnamed(points)})


def export(folder: Path, scans: ScanPair) -> None:
    """Point lists in RAS, a registration with landmarks, and the thin-plate warp of the landmarks alone.

    Raises:
        InputError: the scans are slices.
    """
    scans.require_volumes("plastimatch")
    for role, landmarks in zip(("fixed", "moving"), scans.pairs.landmarks, strict=True):
        fcsv.write_fcsv(folder / f"{role}.fcsv", landmarks, system="RAS")
    a, b = scans.images(folder)
    with written(folder / "register.txt") as partial:
        partial.write_text(REGISTRATION.format(fixed=a, moving=b), encoding="utf-8")
    warp = ["plastimatch", "lm-warp", "-f", "fixed.fcsv", "-m", "moving.fcsv", "-a", "tps", "-I", b, "-F", a]
    warp += ["-O", "thin_plate.mha", "-V", "thin_plate_field.mha"]
    write_script(folder / "register.sh", ["plastimatch", "register", "register.txt"], warp)
