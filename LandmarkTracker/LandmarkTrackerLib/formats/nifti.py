"""NIfTI-1 and NIfTI-2, 3D and 4D, one file or `.hdr` with `.img`. SimpleITK reads the pixels.

ITK takes a file that is cut short for zeros, does not say which unit of time the file states, and refuses
axes that are off by a rounding error. What it cannot read as it is, it gets as a copy whose header says the
same in its own terms.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file, stem, unpack
from LandmarkTrackerLib.formats.times import regular
from LandmarkTrackerLib.landmarks import Array

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")
# The unit of time in bits 3 to 5 of xyzt_units, as https://nifti.nimh.nih.gov defines it; of space in 0 to 2.
TIME_UNITS = {8: "s", 16: "ms", 24: "us"}
MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
# Bits of a pixel of each type.
BITS = {
    2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64,
    1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
# Axes that are less than this many degrees off a right angle are a matter of rounding.
SLIGHT = 1.0
EXACT = 1e-4  # what ITK takes
LARGEST = 1 << 44  # bytes
# Bytes of a header, which its first number states, and what it holds: the form, as `struct` names it, and the
# first byte.
FIRST, SECOND = 348, 540
LAYOUT_1 = {
    "axes": ("8h", 40),
    "kind": ("h", 70),
    "bits": ("h", 72),
    "pixdim": ("8f", 76),
    "offset": ("f", 108),
    "scaling": ("2f", 112),
    "units": ("B", 123),
    "start": ("f", 136),
    "qform": ("h", 252),
    "sform": ("h", 254),
    "quatern": ("6f", 256),
    "rows": ("12f", 280),
}
LAYOUT_2 = {
    "kind": ("h", 12),
    "bits": ("h", 14),
    "axes": ("8q", 16),
    "pixdim": ("8d", 104),
    "offset": ("q", 168),
    "scaling": ("2d", 176),
    "start": ("d", 216),
    "qform": ("i", 344),
    "sform": ("i", 348),
    "quatern": ("6d", 352),
    "rows": ("12d", 400),
    "units": ("i", 500),
}


@dataclass(frozen=True)
class Header:
    """What a NIfTI header states.

    Attributes:
        size: pixels along the axes, at least 3 of them.
        kind: code of the pixel type; `bits` of a pixel.
        step: pixdim[1] and on, one number an axis.
        offset: bytes before the pixels in their file.
        affine: (3, 4) from pixels to RAS mm; of the sform if there is one, else of the qform, else the steps.
        coded: whether the file states a position at all.
        start: time of the first frame.
        units: xyzt_units.
        scaling: slope and intercept of the pixels' values.
        second: whether this is NIfTI-2.
        flat: whether the file has two axes only.
        order: of the bytes of a number, as `struct` names it.
        data: the file with the pixels.
    """

    size: tuple[int, ...]
    kind: int
    bits: int
    step: tuple[float, ...]
    offset: int
    affine: Array
    coded: bool
    scaling: tuple[float, float]
    start: float
    units: int
    second: bool
    flat: bool
    order: str
    data: Path

    @cached_property
    def bytes_of_pixels(self) -> int:
        return math.prod(self.size) * self.bits // 8

    @cached_property
    def spacing(self) -> Array:
        """(3,) mm."""
        return np.asarray(np.linalg.norm(self.affine[:, :3], axis=0))

    @cached_property
    def rotation(self) -> Array:
        """(3, 3) the nearest right angles to its axes (polar decomposition)."""
        left, _, right = np.linalg.svd(self.affine[:, :3] / self.spacing)
        return np.asarray(left @ right)

    @cached_property
    def skew(self) -> float:
        """Degrees by which two axes are off a right angle, at most."""
        return _skew(self.affine)


def read_header(path: Path) -> Header:
    """The header of a NIfTI file, checked.

    Raises:
        InputError: the file is missing or damaged, no NIfTI file, or states what cannot be.
    """
    head, data = _files(path)
    try:
        with _opened(head) as file:
            raw = file.read(SECOND)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short; copy it again") from error
    for order in "<>":
        for length in (FIRST, SECOND):
            if len(raw) >= length and struct.unpack(order + "i", raw[:4])[0] == length:
                return _checked(path, _header(raw[:length], order, data))
    raise InputError(f"{path} has no NIfTI header; export it again")


def times(path: Path) -> tuple[list[float], str, tuple[str, ...]]:
    """When each frame was taken, the unit, and a note where the file's times cannot be used; no times in a 3D
    file."""
    header = read_header(path)
    if len(header.size) < 4:
        return [], "", ()
    count, unit = header.size[3], TIME_UNITS.get(header.units & 0x38, "")
    # The shortest number that is this float32: 0.04, not 0.03999999910593033.
    step, start = (float(str(np.float32(value))) for value in (header.step[3], header.start))
    start = start if math.isfinite(start) else 0.0
    if not (math.isfinite(step) and step > 0) and (unit or step != 0):
        return [float(n) for n in range(count)], "frame", (f"frames {step:g} apart: frame numbers instead",)
    found, named = regular(count, start, step, unit)
    return found, named, ()


def understood(path: Path) -> tuple[str, ...]:
    """Notes on a geometry that was not taken as the file has it."""
    header = read_header(path)
    if header.skew > np.degrees(EXACT):
        return (f"axes {header.skew:.2g} degrees off right angles, read as the nearest right angles",)
    return ()


def plain(path: Path, folder: Path) -> Path:
    """The same image as a file that SimpleITK reads in parts: `path`, or a copy in `folder`.

    Raises:
        InputError: the file is damaged or cut short, or its axes are not at right angles.
    """
    header = read_header(path)
    packed = header.data.suffix.lower() == ".gz"
    if not packed:
        there = require_file(header.data).stat().st_size
        _require_whole(path, there, header.offset + header.bytes_of_pixels)
        if _readable(header, path):
            return path
    copy = folder / f"{stem(path)}.nii"
    with copy.open("wb") as file, _opened(header.data) as source:
        file.write(_rewritten(header))
        _skip(source, header.offset, path)
        count = unpack(source, file, path, header.bytes_of_pixels)
    _require_whole(path, header.offset + count, header.offset + header.bytes_of_pixels)
    return copy


def _readable(header: Header, path: Path) -> bool:
    """Whether ITK reads the file itself right."""
    usual = path.name.lower().endswith(".nii") and not header.second
    steps = np.array(header.step[:3])
    agree = np.isfinite(steps).all() and np.allclose(np.abs(steps), header.spacing, rtol=1e-3)
    return bool(usual and agree and header.skew <= np.degrees(EXACT))


def _files(path: Path) -> tuple[Path, Path]:
    """The files with the header and with the pixels."""
    require_file(path)
    name = path.name.lower()
    for one, other in ((".hdr", ".img"), (".img", ".hdr")):
        for packed in ("", ".gz"):
            if name.endswith(one + packed):
                base = path.name[: -len(one + packed)]
                twin = next(
                    (p for end in (packed, "", ".gz") if (p := path.with_name(base + other + end)).is_file()),
                    None,
                )
                if twin is None:
                    raise InputError(f"{path} has no {base + other} beside it; put both into one folder")
                return (path, require_file(twin)) if one == ".hdr" else (require_file(twin), path)
    return path, path


def _opened(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _skip(file: IO[bytes], count: int, path: Path) -> None:
    try:
        while count > 0 and (block := file.read(min(count, 1 << 20))):
            count -= len(block)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short ({error}); copy it again") from error


def _require_whole(path: Path, there: int, needed: int) -> None:
    if there < needed:
        raise InputError(f"{path} is cut short: {there} of {needed} bytes; copy it again")


def _header(raw: bytes, order: str, data: Path) -> Header | None:
    """None where it states sizes, an offset or a position that cannot be."""
    second = len(raw) == SECOND
    stated: dict[str, Any] = {}
    for name, (form, place) in (LAYOUT_2 if second else LAYOUT_1).items():
        numbers = struct.unpack_from(order + form, raw, place)
        stated[name] = numbers if len(numbers) > 1 else numbers[0]
    if not second:
        _amend_first(stated, raw[344:347])
    axes, offset = stated["axes"], stated["offset"]
    if not (1 <= axes[0] <= 7 and all(n >= 1 for n in axes[1 : 1 + axes[0]])) or not math.isfinite(offset):
        return None
    size = [*axes[1 : 1 + axes[0]], 1, 1][: max(axes[0], 3)]
    while len(size) > 4 and size[-1] == 1:
        size.pop()
    step = [*stated["pixdim"][1 : 1 + axes[0]], 1.0, 1.0, 1.0, 1.0][: max(len(size), 4)]
    affine, coded = _affine(step, stated)
    units = stated["units"] & 0xFF
    return Header(
        size=tuple(int(n) for n in size),
        kind=stated["kind"],
        bits=stated["bits"],
        step=tuple(float(s) for s in step),
        offset=int(offset),
        affine=affine * MILLIMETRES.get(units & 7, 1.0),
        coded=coded,
        scaling=stated["scaling"],
        start=stated["start"],
        units=units,
        second=second,
        flat=axes[0] < 3,
        order=order,
        data=data,
    )


def _amend_first(stated: dict[str, Any], magic: bytes) -> None:
    """Analyze 7.5, which has no magic, states no position; only one file in all needs the offset."""
    if magic not in (b"n+1", b"ni1"):
        stated["qform"] = stated["sform"] = 0
    if magic != b"n+1" and not math.isfinite(stated["offset"]):
        stated["offset"] = 0.0


def _affine(step: Sequence[float], stated: Mapping[str, Any]) -> tuple[Array, bool]:
    """From pixels to RAS, in the file's unit of length, and whether the file states it.

    ITK, and so Slicer, takes the qform unless there is none or the sform is the scanner's; whichever of them
    is damaged or not at right angles leaves it to the other.
    """
    lengths = np.abs(np.array(step[:3], dtype=float))
    found = []
    rows = np.array(stated["rows"], dtype=float).reshape(3, 4)
    if stated["sform"] > 0 and np.isfinite(rows).all() and np.linalg.matrix_rank(rows[:, :3]) == 3:
        found.append(rows)
    by_quatern = None
    if stated["qform"] > 0:
        by_quatern = _of_quatern(lengths, stated["quatern"], stated["pixdim"][0])
    if by_quatern is not None:
        found.insert(len(found) if stated["sform"] == 1 else 0, by_quatern)
    if found:
        return min(found, key=lambda affine: _skew(affine) > SLIGHT), True
    # As ITK does where the file gives no position.
    lengths = np.where(np.isfinite(lengths) & (lengths > 0), lengths, 1.0)
    return np.column_stack([np.diag(lengths * [-1, -1, 1]), np.zeros(3)]), False


def _of_quatern(lengths: Array, quatern: Any, handed: float) -> Array | None:
    """The affine of a qform; None if its numbers cannot be."""
    b, c, d = (float(n) for n in quatern[:3])
    square = b * b + c * c + d * d
    if not (np.isfinite(lengths).all() and (lengths > 0).all() and np.isfinite(quatern).all()):
        return None
    if square > 1 + 1e-4:
        return None
    a = math.sqrt(max(1 - square, 0.0))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    signs = np.array([1.0, 1.0, -1.0 if handed < 0 else 1.0])
    return np.column_stack([turn * lengths * signs, quatern[3:]])


def _skew(affine: Array) -> float:
    """Degrees by which two axes are off a right angle, at most."""
    axes = affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0)
    off = np.abs(axes.T @ axes - np.eye(3)).max()
    return float(np.degrees(np.arcsin(min(off, 1.0))))


def _checked(path: Path, header: Header | None) -> Header:
    if header is None:
        raise InputError(f"{path} has a NIfTI header with impossible numbers; export it again")
    if header.kind not in BITS:
        raise InputError(f"{path} has pixels of the unknown NIfTI type {header.kind}; export it again")
    if BITS[header.kind] != header.bits:
        raise InputError(
            f"{path} states {header.bits} bits for pixels of {BITS[header.kind]} bits; export it again"
        )
    if len(header.size) > 4:
        raise InputError(f"{path} has {len(header.size)} axes; give an image of 2 to 4 axes")
    if header.offset < 0 or header.bytes_of_pixels > LARGEST:
        raise InputError(f"{path} has a NIfTI header with impossible numbers; export it again")
    if header.skew > SLIGHT:
        raise InputError(
            f"{path} has axes that are {header.skew:.3g} degrees off right angles; resample it to a grid "
            "with right angles"
        )
    return header


def _rewritten(header: Header) -> bytes:
    """The same as a NIfTI-1 header of one file, with right angles and no other position than its affine."""
    if max(header.size) > 32767:
        raise InputError(f"{header.data} has an axis of {max(header.size)} pixels, more than can be read")
    out, order = bytearray(352), header.order
    struct.pack_into(order + "i", out, 0, 348)
    axes = [2 if header.flat else len(header.size), *header.size, 1, 1, 1, 1, 1]
    struct.pack_into(order + "8h", out, 40, *axes[:8])
    struct.pack_into(order + "2h", out, 70, header.kind, header.bits)
    time = header.step[3] if math.isfinite(header.step[3]) and header.step[3] > 0 else 1.0
    struct.pack_into(order + "8f", out, 76, 1.0, *header.spacing, time, 1.0, 1.0, 1.0)
    slope, inter = header.scaling
    scaled = math.isfinite(slope) and math.isfinite(inter) and slope != 0
    struct.pack_into(order + "3f", out, 108, 352.0, *((slope, inter) if scaled else (0.0, 0.0)))
    out[123] = 2 | (header.units & 0x38)
    steps = header.rotation * header.spacing
    struct.pack_into(order + "2h", out, 252, 0, 1 if header.coded else 0)
    struct.pack_into(order + "12f", out, 280, *np.column_stack([steps, header.affine[:, 3]]).ravel())
    out[344:348] = b"n+1\0"
    return bytes(out)
