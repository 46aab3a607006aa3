"""NIfTI, 3D and 4D, `.nii` and `.nii.gz`. SimpleITK reads the pixels; what it does not tell is read here.

ITK takes a file that is cut short for zeros and does not say which unit of time the file states.
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file, unpack
from LandmarkTrackerLib.formats.times import regular

SUFFIXES = (".nii", ".nii.gz")
# The unit of time in bits 3 to 5 of xyzt_units, as https://nifti.nimh.nih.gov defines it.
TIME_UNITS = {8: "s", 16: "ms", 24: "us"}


def _header(path: Path) -> tuple[bytes, str]:
    """The first 348 bytes, and the byte order of their numbers."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(require_file(path), "rb") as file:
            header = file.read(348)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} is damaged or cut short; copy it again") from error
    for order in "<>":
        if len(header) == 348 and struct.unpack(order + "i", header[:4])[0] == 348:
            return header, order
    raise InputError(f"{path} has no NIfTI-1 header; export it again")


def times(path: Path) -> tuple[list[float], str]:
    """When each frame was taken, and the unit, as a 4D file states them; no times in a 3D file."""
    header, order = _header(path)
    axes = struct.unpack(order + "8h", header[40:56])
    if axes[0] < 4:
        return [], ""
    step, start = (
        # The shortest number that is this float32: 0.04, not 0.03999999910593033.
        float(str(np.frombuffer(header, order + "f4", 1, offset)[0]))
        for offset in (92, 136)
    )
    return regular(axes[4], start, step, TIME_UNITS.get(header[123] & 0x38, ""))


def plain(path: Path, folder: Path) -> Path:
    """The same image as a file that SimpleITK reads in parts: `path`, or its unpacked copy in `folder`.

    Raises:
        InputError: the file is damaged or cut short.
    """
    header, order = _header(path)
    if path.suffix.lower() == ".gz":
        with gzip.open(path) as packed, (folder / path.stem).open("wb") as file:
            unpack(packed, file, path)
        there = folder / path.stem
    else:
        there = path
    axes = struct.unpack(order + "8h", header[40:56])
    bits = struct.unpack(order + "h", header[72:74])[0]
    pixels = int(np.prod(axes[1 : 1 + axes[0]], dtype=np.int64)) * bits // 8
    needed = int(struct.unpack(order + "f", header[108:112])[0]) + pixels
    if there.stat().st_size < needed:
        raise InputError(f"{path} is cut short: {there.stat().st_size} of {needed} bytes; copy it again")
    return there
