"""The pixels of one frame of a DICOM file.

GDCM decodes them from a file of this one frame that is written here, with a header of the tags that say how
pixels are stored and no others: no damaged or odd tag reaches the native reader, none of its guesses about
geometry comes back, and a cine of any length needs the memory of one frame.
"""

from __future__ import annotations

import tempfile
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.dicom.headers import (
    BIG_ENDIAN,
    JPEG,
    PIXEL_DATA,
    Groups,
    Source,
    Tags,
    read_source,
)
from LandmarkTrackerLib.formats.files import require_file

CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
END_OF_JPEG = b"\xff\xd9"
PALETTE = "PALETTE COLOR"
GREY = ("MONOCHROME1", "MONOCHROME2", PALETTE)
COLOURS = (*GREY, "RGB", *(f"YBR_{kind}" for kind in ("FULL", "FULL_422", "PARTIAL_420", "RCT", "ICT")))


def _source(path: Path) -> Source:
    """Headers of many frames take long to read, so those of the last few files are kept until they change."""
    state = require_file(path).stat()
    return _source_as_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _source_as_of(path: Path, _time: int, _size: int) -> Source:
    return read_source(path)


def read_frame(path: Path, frame: int = 0) -> sitk.Image:
    """One frame as a slice, without geometry; its stored values are rescaled as the file says.

    Raises:
        InputError: the pixels are damaged or cut short, or there is no room for a temporary file.
    """
    with warnings.catch_warnings():
        # pydicom warns of every value that the standard does not allow.
        warnings.simplefilter("ignore")
        return _read(_source(path), frame)


def _read(source: Source, frame: int) -> sitk.Image:
    path, stored = source.path, _stored(source, frame)
    try:
        with tempfile.NamedTemporaryFile(suffix=".dcm", delete=False) as file:
            copy = Path(file.name)
    except OSError as error:
        raise _no_room(error) from error
    try:
        _write(copy, source, frame, stored)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(copy))
        image = reader.Execute()
    except OSError as error:
        raise _no_room(error) from error
    except RuntimeError as error:
        raise InputError(
            f"{path}: frame {frame} cannot be decoded; it is damaged, or compressed in a way that is not "
            "read; export it without compression"
        ) from error
    finally:
        copy.unlink(missing_ok=True)
    if image.GetSize() != (*source.size, 1):
        raise InputError(f"{path}: frame {frame} is not of the size that its header states; export it again")
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    return image


def _no_room(error: OSError) -> InputError:
    return InputError(
        f"the temporary folder {tempfile.gettempdir()} cannot be written ({error.strerror}); free some space "
        "or set TMPDIR"
    )


def _rescale(tags: Tags, frame: int) -> tuple[float, float]:
    """Slope and intercept from stored values to those that count; 1 and 0 where the file states none."""
    stated = Groups.of(tags, frame)["PixelValueTransformationSequence"] or tags
    slope, intercept = stated.number("RescaleSlope"), stated.number("RescaleIntercept")
    return (slope, intercept or 0.0) if slope else (1.0, intercept or 0.0)


def _stored(source: Source, frame: int) -> bytes:
    """The bytes of one frame as they stand in the file."""
    try:
        with source.open() as file:
            if source.compressed:
                return _compressed(source, file, frame)
            begin = int(source.frame_bytes * frame)
            if source.bits == 1:
                file.seek(source.offset + begin)
                return _unpacked(file, source, frame)
            # Whole words, which in a frame of an odd number of bytes overlap the next one.
            skipped, length = begin % source.swap, int(source.frame_bytes)
            file.seek(source.offset + begin - skipped)
            data = file.read(length + skipped + -(begin + length) % source.swap)
            words = np.frombuffer(data, f">u{source.swap}")
            return words.astype(words.dtype.newbyteorder("<")).tobytes()[skipped : skipped + length]
    except OSError as error:
        raise InputError(f"{source.path} cannot be read ({error.strerror}); check it") from error


def _unpacked(file: Any, source: Source, frame: int) -> bytes:
    """A frame of single bits, which need not begin with a byte, as bytes."""
    count = source.size[0] * source.size[1] * source.samples
    first = count * frame % 8
    packed = np.frombuffer(file.read((first + count + 7) // 8), np.uint8)
    return np.unpackbits(packed, bitorder="little")[first : first + count].tobytes()


def _compressed(source: Source, file: Any, frame: int) -> bytes:
    from pydicom.encaps import get_frame

    file.seek(source.offset)
    tables = [source.tags.data.get(key) for key in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    try:
        data = get_frame(
            file,
            frame,
            number_of_frames=source.count,
            extended_offsets=tuple(tables) if all(tables) else None,
        )
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # pydicom has no common error for what can be wrong with a file.
        raise InputError(f"{source.path}: frame {frame} is damaged; copy it again") from error
    if source.syntax in JPEG and END_OF_JPEG not in data[-16:]:
        # The decoders would fill what is not there with grey.
        raise InputError(f"{source.path}: frame {frame} is cut short; copy it again")
    return data


def _write(copy: Path, source: Source, frame: int, stored: bytes) -> None:
    """A DICOM file of this one frame."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID, generate_uid

    data = _layout(source)
    slope, intercept = _rescale(source.tags, frame)
    # GDCM rescales by the kind of image. It is told that this is CT where the file says to.
    data.SOPClassUID = SECONDARY_CAPTURE
    if (slope, intercept) != (1, 0):
        data.SOPClassUID = CT
        data.RescaleSlope, data.RescaleIntercept = f"{slope:.10g}", f"{intercept:.10g}"
    data.SOPInstanceUID = generate_uid()
    value = encapsulate([stored]) if source.compressed else stored + b"\0" * (len(stored) % 2)
    data.add_new(PIXEL_DATA, "OB" if source.compressed or data.BitsAllocated == 8 else "OW", value)
    data["PixelData"].is_undefined_length = source.compressed
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = UID(source.syntax if source.compressed else EXPLICIT)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(copy, enforce_file_format=True)


def _layout(source: Source) -> Any:
    """How the pixels of a frame are stored, checked.

    Raises:
        InputError: there cannot be such pixels.
    """
    from pydicom.dataset import Dataset

    tags, data = source.tags, Dataset()
    bits = 8 if source.bits == 1 else source.bits
    stored = int(tags.positive("BitsStored") or bits) if source.bits > 1 else bits
    high = tags.number("HighBit")
    high = stored - 1 if high is None or source.bits == 1 else int(high)
    colour = tags.text("PhotometricInterpretation") or ("MONOCHROME2" if source.samples == 1 else "RGB")
    if (
        not 0 < stored <= high + 1 <= bits
        or colour not in COLOURS
        or (colour in GREY) != (source.samples == 1)
    ):
        raise InputError(f"{source.path} does not state how its pixels are stored; export it again")
    data.Columns, data.Rows = source.size
    data.SamplesPerPixel, data.PhotometricInterpretation = source.samples, colour
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, stored, high
    data.PixelRepresentation = int(tags.number("PixelRepresentation") == 1)
    if source.samples > 1:
        data.PlanarConfiguration = int(tags.number("PlanarConfiguration") == 1)
    if colour == PALETTE:
        for name in ("Red", "Green", "Blue"):
            _add_palette(source, data, f"{name}PaletteColorLookupTable")
    return data


def _add_palette(source: Source, data: Any, name: str) -> None:
    """The entries of one colour of a palette, as 16-bit words."""
    described = source.tags.numbers(f"{name}Descriptor", 3)
    entries, first, bits = map(int, described or (0, 0, 0))
    entries = entries or 1 << 16
    order = ">" if source.syntax == BIG_ENDIAN else "<"
    values: Any
    table, parts = (source.tags.data.get(key) for key in (f"{name}Data", f"Segmented{name}Data"))
    if isinstance(table, bytes) and bits == 8 and len(table) < 2 * entries:
        # One byte an entry; others have a word for each, of which the lower byte counts.
        values = np.frombuffer(table, np.uint8)[:entries].astype(np.uint16)
    elif isinstance(table, bytes):
        values = np.frombuffer(table[: len(table) // 2 * 2], order + "u2")[:entries]
    else:
        values = _joined(np.frombuffer(parts[: len(parts) // 2 * 2], order + "u2") if parts else [], entries)
    if bits not in (8, 16) or first < 0 or len(values) < entries:
        raise InputError(f"{source.path} has a damaged palette; export it in grey or RGB")
    setattr(data, f"{name}Descriptor", [entries % (1 << 16), first, 16])
    scale = 257 if bits == 8 else 1
    setattr(data, f"{name}Data", (np.asarray(values, np.uint16) * scale).astype("<u2").tobytes())


def _joined(words: Any, entries: int) -> list[int]:
    """A palette in segments: 0, count, values; or 1, count, the end of a line from the value before."""
    values: list[int] = []
    at = 0
    while at + 2 < len(words) and len(values) < entries:
        kind, count = int(words[at]), int(words[at + 1])
        if kind == 0:
            values += np.asarray(words[at + 2 : at + 2 + count]).tolist()
            at += 2 + count
        elif kind == 1 and values:
            values += np.linspace(values[-1], int(words[at + 2]), count + 1)[1:].round().astype(int).tolist()
            at += 3
        else:
            return []
    return values
