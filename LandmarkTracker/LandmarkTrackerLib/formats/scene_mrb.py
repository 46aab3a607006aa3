"""A cine out of a scene that Slicer has saved as one file, `.mrb`: a zip with one sequence of images."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import seq_nrrd
from LandmarkTrackerLib.formats.files import require_file, stem
from LandmarkTrackerLib.images import Cine

SUFFIX = ".mrb"
LARGEST = 1 << 38


def read_cine(path: Path) -> Cine:
    """The only sequence of images in a scene.

    Raises:
        InputError: the file is no zip, is encrypted or damaged, or holds no sequence of images, or several.
    """
    folder = tempfile.TemporaryDirectory()
    try:
        with zipfile.ZipFile(require_file(path)) as bundle:
            inside = [
                entry for entry in bundle.infolist() if entry.filename.lower().endswith(seq_nrrd.SUFFIX)
            ]
            if len(inside) != 1:
                names = ", ".join(PurePosixPath(entry.filename).name for entry in inside) or "none"
                raise InputError(
                    f"{path} holds {len(inside)} cines ({names}), not one; save the one you want as .seq.nrrd"
                )
            if inside[0].flag_bits & 1:
                raise InputError(f"{path} is encrypted; save the scene without a password")
            if inside[0].file_size > LARGEST:
                raise InputError(f"{path} states a cine of {inside[0].file_size} bytes; save it again")
            there = Path(folder.name) / PurePosixPath(inside[0].filename).name
            with bundle.open(inside[0]) as packed, there.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{path} is damaged or no saved scene ({error}); save it again") from error
    cine = seq_nrrd.read_cine(there)
    read = cine.read

    def kept(frame: int, _folder: tempfile.TemporaryDirectory[str] = folder) -> object:
        # The unpacked copy lives as long as the cine.
        return read(frame)

    return replace(cine, name=f"{stem(path)}, {cine.name}", read=kept)  # type: ignore[arg-type]
