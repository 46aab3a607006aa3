"""NiftyReg: `reg_f3d -land WEIGHT FILE`, a pair a line, `refX refY refZ floX floY floZ` (4 for slices).

The numbers are mm in the world of the NIfTI files, which is RAS. The reader counts columns by single spaces:
no header, no trailing space, no blank last line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import PAIR, TO_LPS, Coordinates, PointFile, unnamed
from LandmarkTrackerLib.formats.scans import ScanPair, write_script
from LandmarkTrackerLib.landmarks import Array

WEIGHT = 0.5


def write_landmarks(path: Path, fixed: Array, moving: Array, *, overwrite: bool = False) -> None:
    """Write pairs (N, 2 or 3) each, LPS mm.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    signs = TO_LPS["RAS"][: fixed.shape[1]]
    rows = np.hstack([fixed * signs, moving * signs]) + 0.0
    with written(path, overwrite) as partial:
        # No end of line after the last: the reader would take the empty line for a landmark.
        partial.write_text("\n".join(" ".join(map(number, row)) for row in rows), encoding="ascii")


def parse(path: Path) -> PointFile:
    """The points of both images.

    Raises:
        InputError: the lines do not hold 4 or 6 numbers each.
    """
    try:
        rows = np.array([line.split() for line in read_text(path).splitlines() if line.strip()], dtype=float)
    except ValueError as error:
        raise InputError(f"{path} has a line that is not a pair; NiftyReg reads 4 or 6 numbers") from error
    if rows.ndim != 2 or rows.shape[1] not in (4, 6):
        raise InputError(f"{path} has {rows.shape[-1]} numbers a line; NiftyReg reads 4 or 6")
    sides = np.split(rows, 2, axis=1)
    points = {role: unnamed(side) for role, side in zip(PAIR, sides, strict=True)}
    source = "the world of NIfTI files, as NiftyReg has it; the file does not state it"
    return PointFile(path, "NiftyReg landmarks", Coordinates("RAS", source, stated=False), points)


def export(folder: Path, scans: ScanPair) -> None:
    """Landmarks, the scans as NIfTI and the command.

    The scans are copied so that their sform and qform agree: NiftyReg prefers one, other programs the other.
    """
    write_landmarks(folder / "landmarks.txt", *scans.points)
    a, b = scans.images(folder, ".nii.gz", copy=True)
    command = ["reg_f3d", "-ref", a, "-flo", b, "-land", str(WEIGHT), "landmarks.txt"]
    write_script(folder / "register.sh", [*command, "-cpp", "control_points.nii.gz", "-res", "warped.nii.gz"])
