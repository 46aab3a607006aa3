"""MetaImage, `.mha` and `.mhd`: made readable in parts where it is compressed, and checked for length."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file

SUFFIXES = (".mha", ".mhd")
BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}
BLOCK = 1 << 20


def plain(path: Path, folder: Path) -> Path:
    """The same image as a file that SimpleITK reads in parts: `path`, or its unpacked copy in `folder`.

    Raises:
        InputError: the header or the pixels are damaged or cut short.
    """
    with require_file(path).open("rb") as file:
        header = _header(file, path)
        offset = file.tell()
    name = header["ElementDataFile"]
    if name.upper().startswith("LIST") or "%" in name:
        return path
    data = path if name == "LOCAL" else path.parent / name
    size = _size(header, path)
    if header.get("CompressedData", "False").lower() != "true":
        if require_file(data).stat().st_size - (offset if name == "LOCAL" else 0) < size:
            raise InputError(f"{data} is cut short: it should hold {size} bytes of pixels; copy it again")
        return path
    copy = folder / "unpacked.mha"
    kept = {key: value for key, value in header.items() if not key.startswith("Compressed")}
    lines = [f"{key} = {value}" for key, value in {**kept, "ElementDataFile": "LOCAL"}.items()]
    with require_file(data).open("rb") as packed, copy.open("wb") as file:
        packed.seek(offset if name == "LOCAL" else 0)
        file.write(("\n".join(lines) + "\n").encode())
        if _inflate(packed, file, data) < size:
            raise InputError(f"{data} is cut short: it should hold {size} bytes of pixels; copy it again")
    return copy


def _header(file: IO[bytes], path: Path) -> dict[str, str]:
    """`Key = Value` lines up to ElementDataFile, after which the pixels begin."""
    header: dict[str, str] = {}
    for line in iter(lambda: file.readline(BLOCK), b""):
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            break
        header[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return header
    raise InputError(f"{path} has a damaged or incomplete MetaImage header; export it again")


def _size(header: dict[str, str], path: Path) -> int:
    """Bytes of pixels, unpacked."""
    try:
        pixels = int(np.prod([int(size) for size in header["DimSize"].split()], dtype=np.int64))
        kind = header["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")
        each = BYTES[kind] if kind in BYTES else BYTES[kind.removeprefix("U")]
        return pixels * each * int(header.get("ElementNumberOfChannels", "1"))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path} has a MetaImage header that lacks or garbles {error}; export it again"
        ) from error


def _inflate(packed: IO[bytes], file: IO[bytes], path: Path) -> int:
    """Unpack block by block; returns how many bytes there were."""
    stream, count = zlib.decompressobj(), 0
    try:
        while block := packed.read(BLOCK):
            while block:
                count += file.write(stream.decompress(block, BLOCK))
                block = stream.unconsumed_tail
        return count + file.write(stream.flush())
    except zlib.error as error:
        raise InputError(f"{path} is damaged or cut short ({error}); copy it again") from error
