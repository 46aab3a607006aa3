"""Files: asked for before they are read, written whole or not at all, never overwritten unasked."""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PureWindowsPath
from typing import IO, Any

from LandmarkTrackerLib.errors import InputError

# Far above a track of a million points.
TEXT_LIMIT = 256 << 20
BLOCK = 1 << 20
# Suffixes of two parts.
STEMS = (
    ".seq.nrrd", ".seq.nhdr", ".seq.mrb", ".mrk.json", ".nii.gz", ".hdr.gz", ".img.gz", ".igs.mha",
    ".seq.mha", ".igs.nrrd",
)  # fmt: skip


class NotACineError(InputError):
    """What was given as a cine is one image."""


def require_file(path: Path) -> Path:
    """The path, if a file with something in it is there that can be read.

    Raises:
        InputError: it is missing, a folder, a pipe or a device, empty, closed to this user, or has a name
            that is not UTF-8, which native readers cannot open.
    """
    shown = str(path).encode("utf-8", "replace").decode()
    if shown != str(path):
        raise InputError(f"the name of {shown} is not valid UTF-8; rename the file or its folder")
    try:
        state = path.stat()
    except OSError as error:
        reason = "does not exist; check the path"
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            reason = f"cannot be read ({error.strerror}); check its name and permissions"
        raise InputError(f"{path} {reason}") from error
    except ValueError as error:
        raise InputError(f"{shown!r} is not a path; check it") from error
    if stat.S_ISDIR(state.st_mode):
        raise InputError(f"{path} is a folder; give a file")
    if not stat.S_ISREG(state.st_mode):
        raise InputError(f"{path} is a pipe or a device, not a file; give a file")
    if state.st_size == 0:
        raise InputError(f"{path} is empty; export it again")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; check its permissions")
    return path


def data_beside(header: Path, name: str) -> Path:
    """The data file that a header names.

    Raises:
        InputError: it does not lie beside or below the header: nobody has named that file.
    """
    parts = PurePath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or PureWindowsPath(name).drive or "\0" in name:
        raise InputError(
            f"{header} takes its pixels from '{name}', which does not lie beside or below it; "
            "move both files into one folder and correct the name in the header"
        )
    return header.parent / parts


def read_text(path: Path) -> str:
    """A text file's content, in UTF-8, or in UTF-16 with a byte order mark; every line ends with a newline.

    Raises:
        InputError: the file is missing, empty, too large, not to be read, or not text.
    """
    if require_file(path).stat().st_size > TEXT_LIMIT:
        raise InputError(f"{path} is larger than {TEXT_LIMIT >> 20} MB, which no text file here is; check it")
    try:
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8; export it again") from error
    if not text.strip():
        raise InputError(f"{path} is empty; export it again")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def require_new(path: Path, overwrite: bool) -> None:
    """Raises InputError if something is there already and may not be replaced."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; add --overwrite to replace it")


@contextmanager
def written(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield the file to write to; it takes the name `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: `path` exists and `overwrite` is False.
    """
    require_new(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def unpack(packed: Any, file: IO[bytes], path: Path, most: int) -> int:
    """Copy what a compressed stream holds, block by block; returns how many bytes there were.

    Args:
        most: bytes to stop at: what the header declares. A small file may unpack to any size.

    Raises:
        InputError: the stream, part of the file `path`, is damaged or cut short, or the disk is full.
    """
    count = 0
    try:
        while count < most and (block := packed.read(min(BLOCK, most - count))):
            count += file.write(block)
        packed.read(1)  # the checksum stands at the end
    except OSError as error:
        raise _unpacking_failed(path, error) from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut short ({error}); copy it again") from error
    return count


def _unpacking_failed(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"the temporary folder {tempfile.gettempdir()} is full, so {path} cannot be unpacked; "
            "free some space, or set TMPDIR to another folder"
        )
    return InputError(f"{path} is damaged or cut short ({error}); copy it again")


def unpacked(packed: Any, path: Path, most: int) -> IO[bytes]:
    """What a compressed stream holds, in a nameless file that goes when it is closed. As `unpack`."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        unpack(packed, file, path, most)
    except InputError:
        file.close()
        raise
    file.flush()
    return file


def natural(name: str) -> list[tuple[int, int | str]]:
    """Sort key by which frame 2 comes before frame 10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", name) if part]


def stem(path: Path) -> str:
    """The name without the suffixes of an exchange format: `heart.seq.nrrd` is `heart`."""
    name = path.name
    for suffix in STEMS:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def number(value: float) -> str:
    """The shortest text that reads back as exactly this number; whole numbers without a point."""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text
