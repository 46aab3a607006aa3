"""NiftyReg: `reg_f3d -land WEIGHT FILE`, a pair a line, `refX refY refZ floX floY floZ` (4 for slices).

The numbers are mm in the world of the NIfTI files, which is RAS. The reader counts columns by single spaces:
no header, no trailing space, no blank last line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import TO_LPS
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


def read_landmarks(path: Path) -> tuple[Array, Array]:
    """Read pairs: fixed and moving, (N, 2 or 3) each, LPS mm.

    Raises:
        InputError: the lines do not hold 4 or 6 numbers each, with single spaces between.
    """
    lines = read_text(path).split("\n")
    try:
        rows = np.array([line.split(" ") for line in lines], dtype=float)
    except ValueError as error:
        raise InputError(
            f"{path} has a line that NiftyReg misreads; separate numbers by one space"
        ) from error
    if rows.ndim != 2 or rows.shape[1] not in (4, 6):
        raise InputError(f"{path} has {rows.shape[-1]} numbers a line; NiftyReg reads 4 or 6")
    d = rows.shape[1] // 2
    signs = TO_LPS["RAS"][:d]
    return rows[:, :d] * signs + 0.0, rows[:, d:] * signs + 0.0


def export(folder: Path, scans: ScanPair) -> None:
    """Landmarks, the scans as NIfTI and the command.

    The scans are copied so that their sform and qform agree: NiftyReg prefers one, other programs the other.
    """
    write_landmarks(folder / "landmarks.txt", *scans.points)
    a, b = scans.images(folder, ".nii.gz", copy=True)
    command = ["reg_f3d", "-ref", a, "-flo", b, "-land", str(WEIGHT), "landmarks.txt"]
    write_script(folder / "register.sh", [*command, "-cpp", "control_points.nii.gz", "-res", "warped.nii.gz"])
