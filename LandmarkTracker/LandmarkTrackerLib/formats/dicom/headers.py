"""What a DICOM file says of itself, read by pydicom and checked before a native reader sees any of it.

https://dicom.nema.org/medical/dicom/current: part 3 says what tags mean, part 5 how they are written, part 6
gives their keywords.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import IO, Any

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file

DICOMDIR = "1.2.840.10008.1.3.10"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG_ENDIAN, DEFLATED)
RLE = "1.2.840.10008.1.2.5"
# JPEG, JPEG-LS, JPEG 2000 and HTJ2K, as far as GDCM decodes them; all end with the same two bytes.
JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203))
# What has pixels, but is made of images rather than by a scanner: dose, segmentations, parametric maps.
DERIVED = tuple(f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("481.2", "66.4", "66.7", "30"))
PIXEL_DATA, FLOAT_PIXELS = (0x7FE0, 0x0010), ((0x7FE0, 0x0008), (0x7FE0, 0x0009))
ITEM, END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
# A file that is compressed as a whole is unpacked in memory, up to here.
MOST_INFLATED = 1 << 30
# A frame of more bytes than this must hold a thousandth of them when it is compressed.
LARGE_FRAME = 1 << 26


class NotAnImageError(InputError):
    """An intact DICOM object without images that this program reads.

    Attributes:
        what: its kind, in the words of the standard.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does, whatever its name."""
    return _head(path)[128:132] == b"DICM"


def is_index(path: Path) -> bool:
    """Whether a file is the index of a medium, which holds no image and is mostly named DICOMDIR."""
    return path.is_file() and (path.name.upper() == "DICOMDIR" or DICOMDIR.encode() in _head(path))


def _head(path: Path) -> bytes:
    """The first bytes of a file; nothing if it cannot be read."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(512)
    except OSError:
        pass
    return b""


@dataclass(frozen=True)
class Tags:
    """Tags by keyword. What is absent, empty, garbled or has more values than asked for reads as nothing."""

    data: Any

    def text(self, keyword: str) -> str:
        """One or several values, several with backslashes between."""
        value = self._value(keyword)
        if value is None:
            return ""
        several = isinstance(value, list | tuple) or type(value).__name__ == "MultiValue"
        return "\\".join(map(str, value)) if several else str(value).strip(" \0")

    def numbers(self, keyword: str, count: int) -> tuple[float, ...] | None:
        """Exactly `count` finite numbers, or None."""
        value = self._value(keyword)
        try:
            values = [float(value)] if isinstance(value, int | float | str) else [float(x) for x in value]
        except (TypeError, ValueError, OverflowError):
            return None
        return tuple(values) if len(values) == count and all(map(isfinite, values)) else None

    def number(self, keyword: str) -> float | None:
        """One finite number, or None."""
        values = self.numbers(keyword, 1)
        return values[0] if values else None

    def positive(self, keyword: str) -> float | None:
        """One number above 0, or None."""
        value = self.number(keyword)
        return value if value is not None and value > 0 else None

    def items(self, keyword: str) -> list[Tags]:
        """The items of a sequence."""
        value = self._value(keyword)
        return [Tags(item) for item in value] if type(value).__name__ == "Sequence" else []

    def item(self, keyword: str, n: int = 0) -> Tags:
        """One item of a sequence; without any tag if it is not there."""
        value = self._value(keyword)
        there = type(value).__name__ == "Sequence" and n < len(value)
        return Tags(value[n]) if there else NONE

    def __len__(self) -> int:
        return len(self.data)

    def _value(self, keyword: str) -> Any:
        try:
            # pydicom decodes a value when it is asked for, and a garbled one may raise nearly anything.
            return self.data.get(keyword)
        except Exception:
            return None


NONE = Tags({})


@dataclass(frozen=True)
class Groups:
    """The functional groups of one frame of an enhanced file: its own, and those that all frames share."""

    own: Tags
    shared: Tags

    @classmethod
    def of(cls, tags: Tags, frame: int) -> Groups:
        own, shared = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
        return cls(tags.item(own, frame), tags.item(shared))

    def __getitem__(self, keyword: str) -> Tags:
        """The tags of a group; none if the file does not have it."""
        return self.own.item(keyword) or self.shared.item(keyword)


@dataclass(frozen=True)
class Source:
    """One DICOM file with pixels, its header checked.

    Attributes:
        tags: all that comes before the pixels.
        syntax: UID of the transfer syntax.
        size: columns and rows.
        samples: numbers a pixel, 3 in colour.
        bits: of a number, as stored.
        count: frames.
        frame_bytes: length of a frame that is not compressed.
        swap: bytes that change places to make the numbers little-endian; 1 if they are.
        offset: where the pixels begin in the file: their bytes, or the offset table of compressed ones.
        packed: the whole data set after the file's meta information, unpacked, of a deflated file; else None.
    """

    path: Path
    tags: Tags
    syntax: str
    size: tuple[int, int]
    samples: int
    bits: int
    count: int
    frame_bytes: float
    swap: int
    offset: int
    packed: bytes | None = None

    @property
    def compressed(self) -> bool:
        return self.syntax not in NATIVE

    def open(self) -> IO[bytes]:
        """What `offset` counts in."""
        return self.path.open("rb") if self.packed is None else io.BytesIO(self.packed)


def read_source(path: Path) -> Source:
    """Read a file's header without its pixels.

    Raises:
        NotAnImageError: an intact DICOM object without images that this program reads.
        InputError: the file is missing, unreadable, damaged or cut short, or no DICOM file.
    """
    try:
        with require_file(path).open("rb") as file:
            packed = _inflated(file, path)
            stream = file if packed is None else io.BytesIO(packed)
            tags, syntax, implicit = _tags(stream, path)
            return _checked(path, tags, syntax, implicit, stream, packed)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check it and its permissions") from error


def _inflated(file: IO[bytes], path: Path) -> bytes | None:
    """The unpacked data set of a file that is deflated as a whole; None of any other file."""
    head = file.read(512)
    file.seek(0)
    if head[128:140] != b"DICM\2\0\0\0UL\4\0" or DEFLATED.encode() not in head:
        return None
    file.seek(144 + struct.unpack("<I", head[140:144])[0])
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(file.read(), MOST_INFLATED)
    except zlib.error as error:
        raise InputError(f"{path} is damaged ({error}); copy it again or take it away") from error
    if not stream.eof:
        raise InputError(f"{path} is cut short, or unpacks to more than 1 GB; export it again")
    return data


def _tags(stream: IO[bytes], path: Path) -> tuple[Tags, str, bool]:
    """The tags before the pixels, the transfer syntax, and whether tags have no explicit type."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
            implicit, little = data.original_encoding
            named = str(data.file_meta.get("TransferSyntaxUID") or "")
            if "SOPClassUID" not in data:
                data.SOPClassUID = str(data.file_meta.get("MediaStorageSOPClassUID") or "")
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # pydicom has no common error for what can be wrong with a file.
        raise InputError(f"{path} is damaged or no DICOM file; copy it again or take it away") from error
    tags = Tags(data)
    if not (tags.text("SOPClassUID") or tags.number("Rows")):
        raise InputError(f"{path} is damaged or no DICOM file; copy it again or take it away")
    # A file may lack its meta information; pydicom then finds out how it is written.
    return tags, named or (NATIVE[0 if implicit else 1] if little else BIG_ENDIAN), bool(implicit)


def _checked(
    path: Path, tags: Tags, syntax: str, implicit: bool, stream: IO[bytes], packed: bytes | None
) -> Source:
    tag, words, length, offset = _element(stream, implicit, "<>"[syntax == BIG_ENDIAN])
    if tag != PIXEL_DATA:
        _refuse(path, tags, tag in FLOAT_PIXELS)
    if syntax not in (*NATIVE, RLE, *JPEG):
        what = _name(syntax)
        raise NotAnImageError(
            f"{path} is compressed as {what}, which is not read; export it without compression or as JPEG",
            f"images compressed as {what}",
        )
    width, height, samples, bits = (
        int(tags.positive(keyword) or 0)
        for keyword in ("Columns", "Rows", "SamplesPerPixel", "BitsAllocated")
    )
    samples, count = samples or 1, int(tags.positive("NumberOfFrames") or 1)
    if not width or not height or samples not in (1, 3, 4) or bits not in (1, 8, 16, 32, 64):
        raise InputError(f"{path} does not state a possible size of its image; export it again")
    frame_bytes = width * height * samples * bits / 8
    if syntax in NATIVE and tags.text("PhotometricInterpretation") == "YBR_FULL_422":
        frame_bytes = width * height * 2 * bits / 8
    swap = max(bits // 8, 2 if words else 1) if syntax == BIG_ENDIAN else 1
    size = (width, height)
    source = Source(path, tags, syntax, size, samples, bits, count, frame_bytes, swap, offset, packed)
    there = (path.stat().st_size if packed is None else len(packed)) - offset
    if source.compressed:
        _require_fragments(source, stream, there)
    elif min(there, length) < int(frame_bytes * count):
        raise InputError(
            f"{path} is cut short: it holds {max(min(there, length), 0)} of {int(frame_bytes * count)} bytes "
            "of pixels; copy it again or take it away"
        )
    return source


def _refuse(path: Path, tags: Tags, floats: bool) -> None:
    """Raises InputError for a file without pixels that this program reads."""
    uid, name = tags.text("SOPClassUID"), kind_of(tags)
    if floats:
        raise NotAnImageError(f"{path} holds floating-point maps ({name}), which are not read", name)
    if uid == DICOMDIR or (uid == "" and tags.items("DirectoryRecordSequence")):
        raise NotAnImageError(f"{path} is the index of a DICOM medium; give its folder", "DICOMDIR")
    if uid and "Image" not in name and not tags.number("Rows"):
        raise NotAnImageError(f"{path} is no image but {name}; give the images that belong to it", name)
    raise InputError(
        f"{path} holds no pixels, though it says that it is {name}; copy it again or take it away"
    )


def kind_of(tags: Tags) -> str:
    """What a file is, in the words of the standard: "CT Image", "Basic Text SR"."""
    uid = tags.text("SOPClassUID")
    known = _name(uid).removesuffix(" Storage")
    return known if known != uid else f"an object of an unknown kind ({uid})" if uid else "of no stated kind"


def _name(uid: str) -> str:
    """A UID in words; itself, as far as it can be printed, if it is unknown."""
    from pydicom.uid import UID

    return "".join(c if c.isprintable() else "?" for c in UID(uid).name[:80])


def _element(stream: IO[bytes], implicit: bool, order: str) -> tuple[tuple[int, int], bool, float, int]:
    """The element that starts here: tag, whether it is made of words, length, where its value starts.

    Its tag is (0, 0) at the end of the stream.
    """
    head = stream.read(8)
    if len(head) < 8:
        return (0, 0), False, 0, stream.tell()
    group, element = struct.unpack(order + "HH", head[:4])
    if implicit:
        length = struct.unpack(order + "I", head[4:])[0]
    elif head[4:6] in (b"OB", b"OW", b"UN", b"OF", b"OD"):
        length = struct.unpack(order + "I", stream.read(4).ljust(4, b"\0"))[0]
    else:
        length = struct.unpack(order + "H", head[6:])[0]
    words = not implicit and head[4:6] == b"OW"
    return (group, element), words, float("inf") if length == 0xFFFFFFFF else length, stream.tell()


def _require_fragments(source: Source, stream: IO[bytes], there: int) -> None:
    """Raises InputError unless the compressed frames are all there."""
    end, fragments, held = source.offset + there, 0, 0
    stream.seek(source.offset)
    while True:
        head = stream.read(8)
        tag, length = (
            (struct.unpack("<HH", head[:4]), struct.unpack("<I", head[4:])[0]) if len(head) == 8 else ((), 0)
        )
        if tag == END:
            break
        if tag != ITEM or stream.tell() + length > end:
            raise InputError(f"{source.path} is damaged or cut short; copy it again or take it away")
        stream.seek(length, io.SEEK_CUR)
        fragments, held = fragments + 1, held + length
    # The first item is the table of offsets.
    if fragments - 1 < source.count:
        raise InputError(
            f"{source.path} holds {fragments - 1} of {source.count} frames; copy it again or take it away"
        )
    if source.frame_bytes > LARGE_FRAME and source.frame_bytes * source.count > 1000 * held:
        raise InputError(
            f"{source.path} states {source.size[0]} x {source.size[1]} pixels but holds {held} bytes; "
            "export it again"
        )
