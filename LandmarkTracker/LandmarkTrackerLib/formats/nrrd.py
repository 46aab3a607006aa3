"""NRRD as the format describes itself: header fields, geometry, pixels.

http://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import data_beside, require_file, unpacked
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array

# The name of a type in numpy, and its names in NRRD, the first of which is written.
TYPES = {
    "int8": ("signed char", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int32": ("int", "signed int", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
# What takes a vector of each space to LPS. Any other space is read as LPS, as ITK does.
TO_LPS = {"right-anterior-superior": (-1, -1, 1), "left-anterior-superior": (1, -1, 1)}
SHORT = {"ras": "right-anterior-superior", "las": "left-anterior-superior"}
MOST_AXES, LARGEST = 16, 1 << 42  # pixels
LONGEST = 1 << 24  # bytes of a line: a sequence states the time of every frame in one
SPATIAL_KINDS = ("domain", "space", "???", "none", "")


@dataclass(frozen=True)
class Header:
    """The fields of a NRRD header in the file's own words.

    Attributes:
        fields: lower-case field name to text.
        keys: what the `KEY:=VALUE` lines say.
        data: the file with the pixels: the header's own, or the one that it names.
        offset: bytes before the pixels in `data`.
    """

    path: Path
    fields: dict[str, str]
    keys: dict[str, str]
    data: Path
    offset: int

    @property
    def sizes(self) -> list[int]:
        return [int(size) for size in self.fields["sizes"].split()]

    def skip(self, what: str) -> int:
        """Lines or bytes before the pixels in their file; -1 bytes: the pixels are its end."""
        return int(self.fields.get(f"{what} skip", self.fields.get(f"{what}skip", "0")))

    def words(self, field: str) -> list[str]:
        """One text an axis, without quotes; blank where the file says nothing."""
        found = re.findall(r'"([^"]*)"|(\S+)', self.fields.get(field, ""))
        words = [quoted or plain for quoted, plain in found]
        return words if len(words) == len(self.sizes) else [""] * len(self.sizes)

    def value(self, field: str, axis: int, default: float) -> float:
        """One number an axis; the default where the file says nothing, or NaN."""
        word = self.words(field)[axis]
        return default if word.lower() in ("", "nan") else float(word)

    @property
    def directions(self) -> list[Array | None]:
        """One vector an axis, None where the file gives none."""
        found = re.findall(r"none|\([^)]*\)", self.fields.get("space directions", ""))
        vectors = [None if vector == "none" else vector_of(vector) for vector in found]
        return vectors if len(vectors) == len(self.sizes) else [None] * len(self.sizes)

    @property
    def origin(self) -> Array:
        """As many numbers as the space has axes; zeros where the file says nothing."""
        return vector_of(self.fields.get("space origin", "(0,0,0,0)"))


def is_spread(data_file: str) -> bool:
    """Whether a header's `data file` names several files."""
    return data_file.upper().startswith("LIST") or "%" in data_file


def vector_of(text: str) -> Array:
    """Numbers from `(x,y,z)`."""
    return np.array([float(number) for number in text.strip("() ").split(",")])


def read_header(path: Path) -> Header:
    """Read a NRRD header, attached to its data or detached.

    Raises:
        InputError: this is not a NRRD file, or its header is cut short or damaged.
    """
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    with require_file(path).open("rb") as file:
        if not file.readline(16).startswith(b"NRRD000"):
            raise InputError(f"{path} is not a NRRD file; export it again")
        while line := file.readline(LONGEST).rstrip(b"\r\n").decode("utf-8", "replace"):
            key, assigns, value = line.partition(":=")
            field, colon, text = line.partition(": ")
            if assigns and ": " not in key:
                keys[key] = value
            elif colon and not line.startswith("#"):
                fields[field.strip().lower()] = text.strip()
        offset = file.tell()
    named = fields.get("data file", fields.get("datafile"))
    data = data_beside(path, named) if named and not is_spread(named) else path
    header = Header(path, fields, keys, data, 0 if named else offset)
    try:
        # All of them must be numbers.
        _ = header.directions, header.origin, header.skip("line"), header.skip("byte")
        for field in ("spacings", "axis mins"):
            _ = [header.value(field, axis, 0.0) for axis in range(len(header.sizes))]
        complete = {"type", "encoding"} <= set(fields) and len(header.sizes) <= MOST_AXES
        complete &= min(header.sizes) > 0 and math.prod(header.sizes) <= LARGEST
    except (KeyError, ValueError, OverflowError):
        complete = False
    if not complete:
        raise InputError(f"{path} has a damaged or incomplete NRRD header; export it again")
    return header


def grid_of(header: Header, axes: Sequence[int]) -> Grid:
    """Where the pixels lie along these 2 or 3 axes; 2 make a slice of thickness 1 mm.

    Raises:
        InputError: the axes span no volume.
    """
    space = header.fields.get("space", "").lower().removesuffix("-time")
    flip = np.array(TO_LPS.get(SHORT.get(space, space), (1, 1, 1)), dtype=float)
    columns = [_step(header, axis, n) * flip for n, axis in enumerate(axes)]
    if len(columns) == 2:
        normal = np.cross(columns[0], columns[1])
        columns.append(normal / (np.linalg.norm(normal) or 1.0))
    steps = np.array(columns).T
    spacing = np.linalg.norm(steps, axis=0)
    if not (np.isfinite(steps).all() and (spacing > 0).all() and np.linalg.det(steps / spacing) != 0):
        raise InputError(f"{header.path} has space directions that span no volume; export it again")
    origin = _three(header.origin) * flip
    sizes = [*(header.sizes[axis] for axis in axes), 1]
    return Grid(
        (sizes[0], sizes[1], sizes[2]),
        (float(spacing[0]), float(spacing[1]), float(spacing[2])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple((steps / spacing).ravel().tolist()),
    )


def _step(header: Header, axis: int, n: int) -> Array:
    """One step along an axis, mm; along the n-th world axis where the file gives no direction."""
    direction = header.directions[axis]
    return np.eye(3)[n] * header.value("spacings", axis, 1.0) if direction is None else _three(direction)


def _three(vector: Array) -> Array:
    """The first three components: 2D lies at z = 0, time is not a place."""
    return np.concatenate([vector[:3], np.zeros(max(0, 3 - len(vector)))])


@dataclass(frozen=True)
class Pixels:
    """Where the pixels are on disk: in the file, or in a nameless unpacked copy that goes with this object.

    Attributes:
        file: open for reading.
        start: byte at which the pixels begin.
        shape: sizes of the axes, slowest first.
    """

    file: IO[bytes]
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def mapped(self) -> np.ndarray:
        """All pixels; only what is looked at is read, and its memory is free when the array goes."""
        return np.memmap(self.file, self.dtype, "r", self.start, self.shape)


def pixels_of(header: Header) -> Pixels:
    """Find the pixels of a file, and unpack them if they are compressed.

    Raises:
        InputError: the file is damaged or cut short, or stores pixels in a way that no tool here writes.
    """
    name, encoding = header.fields["type"].lower(), header.fields["encoding"].lower()
    dtype = next((np.dtype(key) for key, words in TYPES.items() if name == key or name in words), None)
    if dtype is None:
        raise InputError(f"{header.path} has pixels of type '{name}'; export it with numbers")
    if encoding not in ("raw", "gzip", "gz"):
        raise InputError(f"{header.path} is encoded as {encoding}; save it as raw or gzip")
    if is_spread(header.fields.get("data file", header.fields.get("datafile", ""))):
        raise InputError(f"{header.path} spreads its pixels over several files; save it as one file")
    if header.fields.get("endian", "little").lower() == "big":
        dtype = dtype.newbyteorder(">")
    shape = tuple(header.sizes[::-1])
    needed = math.prod(shape) * dtype.itemsize
    stored = require_file(header.data).open("rb")
    stored.seek(header.offset)
    for _ in range(max(header.skip("line"), 0)):
        if not stored.readline():
            break
    file: IO[bytes] = stored
    start = stored.tell()
    if encoding != "raw":
        with stored:
            most = needed + max(header.skip("byte"), 0)
            file, start = unpacked(gzip.GzipFile(fileobj=stored), header.data, most), 0
    skip = header.skip("byte")
    end = file.seek(0, 2)
    start = end - needed if skip == -1 else start + skip
    if start < 0 or end - start < needed:
        file.close()
        raise InputError(
            f"{header.data} is cut short: it should hold {needed} bytes of pixels; copy it again"
        )
    return Pixels(file, start, dtype, shape)
