"""MetaImage, `.mha` and `.mhd`, and PLUS's sequences of them: checked, and made readable in parts.

The native reader sees a header that was written here from what this one states, and never the file's own:
some of what a header can say ends the process.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import BLOCK, data_beside, require_file
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT

SUFFIXES = (".mha", ".mhd")
# PLUS writes ultrasound so: frames along the last axis, with a time stamp each, in seconds.
STAMP = re.compile(r"Seq_Frame(\d+)_(?:Unfiltered)?Timestamp$")
BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}
MOST_AXES, LARGEST = 4, 1 << 44
LINES = 1 << 20  # of a header; PLUS writes several a frame
# Names of one thing in different versions, and how many numbers an axis they have.
NUMBERS = {
    "Offset": ("Offset", "Position", "Origin"),
    "ElementSpacing": ("ElementSpacing", "ElementSize"),
    "TransformMatrix": ("TransformMatrix", "Orientation", "Rotation"),
}


@dataclass(frozen=True)
class Header:
    """What a MetaImage header states.

    Attributes:
        fields: `Key = Value` lines.
        size: pixels along each axis.
        bytes_of_pixels: unpacked.
        data: the file with the pixels, and `offset` bytes before them; None where they are spread over
            several files.
    """

    path: Path
    fields: dict[str, str]
    size: tuple[int, ...]
    bytes_of_pixels: int
    data: Path | None
    offset: int

    @property
    def packed(self) -> bool:
        return self.fields.get("CompressedData", "False").lower() == "true"

    @property
    def stamps(self) -> list[float]:
        """The time of each frame of a sequence in seconds; none of an image."""
        found = {}
        for key, value in self.fields.items():
            if match := STAMP.match(key):
                found[int(match.group(1))] = value
        try:
            stamps = [float(found[n]) for n in sorted(found)]
        except ValueError as error:
            raise InputError(f"{self.path} has a time stamp that is no number; export it again") from error
        return stamps

    @property
    def is_sequence(self) -> bool:
        """Whether the last axis counts frames."""
        return len(self.size) > 2 and (
            self.fields.get("Kinds", "").split()[-1:] == ["list"] or len(self.stamps) == self.size[-1] > 1
        )


def read_header(path: Path) -> Header:
    """The header of a MetaImage, checked.

    Raises:
        InputError: it is damaged, states what cannot be, or takes its pixels from elsewhere.
    """
    with require_file(path).open("rb") as file:
        fields = _fields(file, path)
        offset = file.tell()
    try:
        size = tuple(int(n) for n in fields["DimSize"].split())
        axes, channels = int(fields["NDims"]), int(fields.get("ElementNumberOfChannels", "1"))
        kind = fields["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")
        each = BYTES[kind] if kind in BYTES else BYTES[kind.removeprefix("U")]
        numbers = {name: _numbers(fields, keys) for name, keys in NUMBERS.items()}
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} has a MetaImage header that lacks or garbles {error}; export it again"
        ) from error
    count = math.prod(size) * each * channels
    right = 2 <= axes <= MOST_AXES and len(size) == axes and min(size) > 0 and 0 < channels <= 1024
    lengths = {"Offset": axes, "ElementSpacing": axes, "TransformMatrix": axes * axes}
    right &= all(len(values) in (0, lengths[name]) for name, values in numbers.items())
    if not right or count > LARGEST:
        raise InputError(f"{path} has a MetaImage header with impossible numbers; export it again")
    name = fields["ElementDataFile"]
    if name == "LOCAL":
        return Header(path, fields, size, count, path, offset)
    if name.upper().startswith("LIST") or "%" in name:
        return Header(path, fields, size, count, None, 0)
    return Header(path, fields, size, count, data_beside(path, name), _header_size(fields, path))


def times(header: Header) -> tuple[list[float], str, tuple[str, ...]]:
    """When each frame of a sequence was taken, the unit, and a note where its stamps cannot be used."""
    stamps, count = header.stamps, header.size[-1]
    if len(stamps) == count and np.isfinite(stamps).all() and (np.diff(stamps) > 0).all():
        return stamps, "s", ("times from the time stamps of the frames",)
    note = ("time stamps that do not rise: frame numbers instead",) if stamps else ()
    return [float(n) for n in range(count)], "frame" if stamps or count else UNSTATED_UNIT, note


def plain(path: Path, folder: Path) -> Path:
    """The same image as a file that SimpleITK reads in parts: a header in `folder`, and the pixels where they
    are, or unpacked beside it.

    Raises:
        InputError: the header or the pixels are damaged or cut short.
    """
    header = read_header(path)
    if header.data is None:
        raise InputError(f"{path} spreads its pixels over several files; save it as one file")
    data, skip = require_file(header.data), header.offset
    if header.packed:
        packed, data, skip = data, folder / "unpacked.raw", 0
        with packed.open("rb") as source, data.open("wb") as file:
            source.seek(header.offset)
            there = _inflate(source, file, packed, header.bytes_of_pixels)
    else:
        stored = data.stat().st_size
        skip = stored - header.bytes_of_pixels if skip < 0 else skip
        there = stored - skip
    if skip < 0 or there < header.bytes_of_pixels:
        needed = f"it should hold {header.bytes_of_pixels} bytes of pixels"
        raise InputError(f"{header.data} is cut short: {needed}; copy it again")
    copy = folder / "plain.mhd"
    copy.write_text(_text(header, data.resolve(), skip), encoding="utf-8")
    return copy


def _text(header: Header, data: Path, skip: int) -> str:
    fields, axes = header.fields, len(header.size)
    values = {name: _numbers(fields, keys) for name, keys in NUMBERS.items()}
    spacing = [
        abs(mm) if math.isfinite(mm) and mm else 1.0 for mm in values["ElementSpacing"] or [1.0] * axes
    ]
    big = next((fields[k] for k in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB") if k in fields), "False")
    lines = {
        "ObjectType": "Image",
        "NDims": axes,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(big.lower() in ("true", "1")),
        "CompressedData": "False",
        "TransformMatrix": _joined(values["TransformMatrix"] or np.eye(axes).ravel()),
        "Offset": _joined(values["Offset"] or [0.0] * axes),
        "ElementSpacing": _joined(spacing),
        "DimSize": " ".join(map(str, header.size)),
        "ElementNumberOfChannels": int(fields.get("ElementNumberOfChannels", "1")),
        "ElementType": fields["ElementType"],
        "HeaderSize": skip,
        "ElementDataFile": data,
    }
    return "".join(f"{key} = {value}\n" for key, value in lines.items())


def _joined(numbers: object) -> str:
    return " ".join(repr(float(x)) for x in numbers)  # type: ignore[attr-defined]


def _numbers(fields: dict[str, str], keys: tuple[str, ...]) -> list[float]:
    """The numbers of the first of these keys that is there."""
    text = next((fields[key] for key in keys if key in fields), "")
    numbers = [float(word) for word in text.split()]
    if keys[0] != "ElementSpacing" and not np.isfinite(numbers).all():
        raise ValueError(keys[0])
    return numbers


def _header_size(fields: dict[str, str], path: Path) -> int:
    try:
        return int(fields.get("HeaderSize", "0"))
    except ValueError as error:
        raise InputError(f"{path} has a header size that is no number; export it again") from error


def _fields(file: IO[bytes], path: Path) -> dict[str, str]:
    """`Key = Value` lines up to ElementDataFile, after which the pixels begin."""
    header: dict[str, str] = {}
    for _ in range(LINES):
        line = file.readline(BLOCK)
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            break
        header[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return header
    raise InputError(f"{path} has a damaged or incomplete MetaImage header; export it again")


def _inflate(packed: IO[bytes], file: IO[bytes], path: Path, most: int) -> int:
    """Unpack block by block, up to what the header declares; returns how many bytes there were."""
    stream, count = zlib.decompressobj(), 0
    try:
        while count < most and (block := packed.read(BLOCK)):
            while block and count < most:
                count += file.write(stream.decompress(block, min(BLOCK, most - count)))
                block = stream.unconsumed_tail
        return count
    except zlib.error as error:
        raise InputError(f"{path} is damaged or cut short ({error}); copy it again") from error
