"""NRRD with a frame axis: Slicer's `.seq.nrrd`, and any NRRD whose last axis is time.

ITK takes the frame axis of a sequence (kind `list`) for pixel components and shows its first frame only, so
the format is read here: http://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, require_file, stem, written
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT, regular, unit_of
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import Array

SUFFIXES = (".nrrd", ".nhdr")
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
SHORT = {"RAS": "right-anterior-superior", "LAS": "left-anterior-superior", "LPS": "left-posterior-superior"}
FRAME_KINDS = ("list", "time")
SPATIAL_KINDS = ("domain", "space", "???", "none", "")


@dataclass(frozen=True)
class Header:
    """The fields of a NRRD header in the file's own words, and where its data begin.

    Attributes:
        fields: lower-case field name to text.
        keys: what `KEY:=VALUE` lines say.
        offset: bytes before the data in `data`.
        data: the file with the data; the header's own file, or the one that it names.
    """

    path: Path
    fields: dict[str, str]
    keys: dict[str, str]
    offset: int
    data: Path

    @property
    def sizes(self) -> list[int]:
        return [int(size) for size in self.fields["sizes"].split()]

    def words(self, field: str) -> list[str]:
        """One text an axis: blank where the file says nothing, without quotes."""
        found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', self.fields.get(field, ""))
        words = [quoted or plain for quoted, plain in found]
        return words if len(words) == len(self.sizes) else [""] * len(self.sizes)

    @property
    def directions(self) -> list[Array | None]:
        """One vector an axis, None where the file gives none."""
        vectors: list[Array | None] = [
            None if vector == "none" else np.array([float(x) for x in vector.strip("()").split(",")])
            for vector in re.findall(r"none|\([^)]*\)", self.fields.get("space directions", ""))
        ]
        return vectors if len(vectors) == len(self.sizes) else [None] * len(self.sizes)


def read_header(path: Path) -> Header:
    """Read a NRRD header.

    Raises:
        InputError: this is not a NRRD file, or its header is cut short or not understood.
    """
    with require_file(path).open("rb") as file:
        if not file.readline(16).startswith(b"NRRD000"):
            raise InputError(f"{path} is not a NRRD file; export it again")
        fields: dict[str, str] = {}
        keys: dict[str, str] = {}
        while line := file.readline().rstrip(b"\r\n").decode("utf-8", "replace"):
            if line.startswith("#"):
                continue
            key, assigns, value = line.partition(":=")
            field, colon, text = line.partition(":")
            if assigns and ": " not in key:
                keys[key] = value
            elif colon:
                fields[field.strip().lower()] = text.strip()
        offset = file.tell()
    data = fields.get("data file", fields.get("datafile"))
    header = Header(path, fields, keys, 0 if data else offset, path.parent / data if data else path)
    try:
        complete = {"type", "sizes", "encoding"} <= set(fields) and min(header.sizes) > 0
    except ValueError:
        complete = False
    if not complete:
        raise InputError(f"{path} has a damaged or incomplete NRRD header; export it again")
    return header


def frame_axis(header: Header) -> int | None:
    """Which axis counts frames, or None in a single image."""
    kinds, directions = header.words("kinds"), header.directions
    for axis, kind in enumerate(kinds):
        if kind.lower() in FRAME_KINDS:
            return axis
    spatial = [axis for axis, kind in enumerate(kinds) if kind.lower() in SPATIAL_KINDS]
    if any(direction is not None for direction in directions):
        undirected = [axis for axis in spatial if directions[axis] is None]
        if undirected:
            return undirected[0]
    return spatial[-1] if len(spatial) == 4 else None


def read_cine(path: Path) -> Cine:
    """A cine from a NRRD file with a frame axis, first or last, raw or gzip.

    Raises:
        InputError: it has no frame axis, is damaged, or uses a part of the format that no tool here writes.
    """
    header = read_header(path)
    axis = frame_axis(header)
    if axis is None:
        raise InputError(
            f"{path} is one image, not a cine; give a .seq.nrrd, a 4D file or a folder of frames"
        )
    kinds = header.words("kinds")
    spatial = [a for a, kind in enumerate(kinds) if a != axis and kind.lower() in SPATIAL_KINDS]
    parts = [a for a in range(len(kinds)) if a != axis and a not in spatial]
    if len(spatial) not in (2, 3) or len(parts) > 1:
        raise InputError(f"{path} has axes {', '.join(kinds)}; a cine has 2 or 3 in space and one of frames")
    times, unit = _times(header, axis)
    grid = _grid(header, spatial)
    # NRRD counts the fastest axis first, numpy last.
    order = [len(kinds) - 1 - a for a in (axis, *spatial[::-1], *parts)]
    pixels = _pixels(header)

    def read(frame: int) -> sitk.Image:
        array = np.transpose(pixels(), order)[frame]
        array = array if len(spatial) == 3 else array[None]
        image = sitk.GetImageFromArray(
            np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")), isVector=bool(parts)
        )
        image.SetSpacing(grid.spacing)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
        return image

    return Cine(times, read, grid, stem(path), unit)


def _times(header: Header, axis: int) -> tuple[list[float], str]:
    count = header.sizes[axis]
    label, unit = header.words("labels")[axis], header.words("units")[axis]
    values = header.keys.get(f"axis {axis} index values", "").split()
    if values and header.keys.get(f"axis {axis} index type", "numeric") == "numeric":
        if len(values) != count:
            raise InputError(
                f"{header.path} states {len(values)} index values for {count} frames; export it again"
            )
        try:
            return [float(value) for value in values], unit_of(unit, label)
        except ValueError as error:
            raise InputError(f"{header.path} has an index value that is no number: {error}") from error
    direction = header.directions[axis]
    if direction is not None and len(direction) == 4:
        origin = _vector(header.fields.get("space origin"))
        start = float(origin[3]) if origin is not None and len(origin) == 4 else 0.0
        return regular(count, start, float(direction[3]), unit)
    steps, starts = header.words("spacings")[axis], header.words("axis mins")[axis]
    step, start = (float(word) if word else np.nan for word in (steps, starts))
    return regular(count, 0.0 if np.isnan(start) else start, 1.0 if np.isnan(step) else step, unit)


def _vector(text: str | None) -> Array | None:
    return np.array([float(x) for x in text.strip("() ").split(",")]) if text else None


def _grid(header: Header, spatial: list[int]) -> Grid:
    """The frame's grid; a 2D frame becomes one slice of thickness 1 mm."""
    space = header.fields.get("space", "")
    space = SHORT.get(space[:3], space.lower())
    flip = np.array(TO_LPS.get(space.removesuffix("-time"), (1, 1, 1)), dtype=float)
    columns = [_column(header, axis, n) * flip for n, axis in enumerate(spatial)]
    if len(columns) == 2:
        normal = np.cross(columns[0], columns[1])
        columns.append(normal / np.linalg.norm(normal))
    axes = np.array(columns).T
    spacing = np.linalg.norm(axes, axis=0)
    if not (np.isfinite(axes).all() and abs(np.linalg.det(axes)) > 0):
        raise InputError(f"{header.path} has space directions that span no volume; export it again")
    origin = _vector(header.fields.get("space origin"))
    place = np.zeros(3)
    if origin is not None:
        place[: min(3, len(origin))] = origin[:3]
    sizes = [*(header.sizes[axis] for axis in spatial), 1][:3]
    return Grid(
        (sizes[0], sizes[1], sizes[2]),
        tuple(spacing.tolist()),
        tuple((place * flip).tolist()),
        tuple((axes / spacing).ravel().tolist()),
    )


def _column(header: Header, axis: int, n: int) -> Array:
    """One step along an axis, mm; along the n-th world axis if the file gives no direction."""
    direction = header.directions[axis]
    column = np.zeros(3)
    if direction is not None:
        column[: min(3, len(direction))] = direction[:3]
        return column
    spacing = header.words("spacings")[axis]
    column[n] = float(spacing) if spacing and spacing.lower() != "nan" else 1.0
    return column


def _pixels(header: Header) -> Callable[[], np.ndarray]:
    """A function that maps the pixels into memory; what is compressed is unpacked to disk, once."""
    name = header.fields["type"].lower()
    dtype = next((np.dtype(key) for key, words in TYPES.items() if name == key or name in words), None)
    if dtype is None:
        raise InputError(f"{header.path} has pixels of type '{name}'; export it with numbers")
    if header.fields.get("endian", "little") == "big":
        dtype = dtype.newbyteorder(">")
    encoding = header.fields["encoding"].lower()
    if encoding not in ("raw", "gzip", "gz"):
        raise InputError(f"{header.path} is encoded as {encoding}; save it as raw or gzip")
    if header.data.name.startswith("LIST") or "%" in header.data.name:
        raise InputError(f"{header.path} spreads its data over several files; save it as one .seq.nrrd")
    skipped = int(header.fields.get("byte skip", header.fields.get("byteskip", 0)))
    lines = int(header.fields.get("line skip", header.fields.get("lineskip", 0)))
    shape = tuple(header.sizes[::-1])
    size = int(np.prod(shape)) * dtype.itemsize

    @cache
    def pixels() -> np.ndarray:
        with require_file(header.data).open("rb") as packed:
            packed.seek(header.offset)
            for _ in range(lines):
                packed.readline()
            file: IO[bytes] = packed
            start = packed.tell()
            if encoding != "raw":
                file, start = unpacked(gzip.GzipFile(fileobj=packed), header.data), 0
            end = file.seek(0, 2)
            start = end - size if skipped == -1 else start + skipped
            if start < 0 or end - start < size:
                there = f"{max(end - start, 0)} of {size} bytes of pixels"
                raise InputError(f"{header.data} is cut short: {there}; copy it again")
            return np.memmap(file, dtype, "r", start, shape)

    return pixels


def unpacked(compressed: Any, path: Path) -> IO[bytes]:
    """What a compressed stream holds, in a nameless file that goes when its last user does.

    Raises:
        InputError: the stream is damaged or cut short.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - its user closes it
    try:
        shutil.copyfileobj(compressed, file, 1 << 20)
    except (EOFError, OSError, zlib.error) as error:
        file.close()
        raise InputError(f"{path} is damaged or cut short ({error}); copy it again") from error
    file.flush()
    return file


def write_cine(path: Path, cine: Cine, *, overwrite: bool = False, compress: bool = True) -> None:
    """Write a cine as Slicer's own sequence file (frames last, LPS, gzip or raw), one frame in memory.

    Raises:
        InputError: the file exists, is not named .seq.nrrd, or the frames differ in grid or pixel type.
    """
    if not path.name.lower().endswith(".seq.nrrd"):
        raise InputError(f"{path} is not a name for a sequence of images; end it with .seq.nrrd")
    first = sitk.GetArrayViewFromImage(cine[0])
    vectors = [f"({','.join(number(x) for x in column)})" for column in cine.grid.axes.T]
    unit = "" if cine.time_unit == UNSTATED_UNIT else cine.time_unit
    header = f"""NRRD0004
type: {first.dtype.name}
dimension: 4
space: left-posterior-superior
sizes: {" ".join(str(size) for size in cine.grid.size)} {len(cine)}
space directions: {" ".join(vectors)} none
kinds: domain domain domain list
labels: "" "" "" "{"frame" if unit == "frame" else "time"}"
units: "" "" "" "{unit}"
endian: little
encoding: {"gzip" if compress else "raw"}
space origin: ({",".join(number(x) for x in cine.grid.origin)})
DataNodeClassName:=vtkMRMLScalarVolumeNode
axis 3 index type:=numeric
axis 3 index values:={" ".join(number(time) for time in cine.times)}

"""
    with written(path, overwrite) as partial, partial.open("wb") as file:
        file.write(header.encode())
        packed: Any = gzip.GzipFile("", "wb", 6, file, mtime=0) if compress else file
        for frame, image in enumerate(cine):
            array = sitk.GetArrayViewFromImage(image)
            if array.dtype != first.dtype:
                raise InputError(
                    f"{cine.name}: frame {frame} holds {array.dtype}, frame 0 {first.dtype}; cast them"
                )
            packed.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")))
        if compress:
            packed.close()
