"""One file an exchange format, read and write; and from a path to the right one.

The geometry and the times of a file are kept to the last digit, and everything is LPS mm on this side.
"""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import dicom_folder, folder, image_file
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.fcsv import read_fcsv, write_fcsv
from LandmarkTrackerLib.formats.files import require_file
from LandmarkTrackerLib.formats.mrk_json import read_mrk_json, write_mrk_json
from LandmarkTrackerLib.formats.points_csv import read_points_csv, write_points_csv
from LandmarkTrackerLib.formats.seq_nrrd import write_cine
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet

__all__ = ["describe_file", "open_cine", "read_image", "read_landmarks", "write_cine", "write_landmarks"]

LANDMARK_READERS = {".mrk.json": read_mrk_json, ".fcsv": read_fcsv, ".csv": read_points_csv}
LANDMARK_WRITERS = {".mrk.json": write_mrk_json, ".fcsv": write_fcsv, ".csv": write_points_csv}


def open_cine(path: Path, slice_name: str | None = None) -> Cine:
    """A cine from a file with a frame axis or from a folder of frames; nothing but its header is read yet.

    Args:
        path: `.seq.nrrd` or another file with an axis of frames (NRRD, NIfTI, MetaImage, TIFF pages, DICOM
            frames), a folder of DICOM files, or a folder of single-frame images.
        slice_name: which slice, where a DICOM folder holds several.

    Raises:
        InputError: there is nothing, or nothing that is a cine, at `path`.
    """
    path = Path(path)
    if path.is_dir() and dicom_folder.dicom_files(path):
        return dicom_folder.read_cine(path, slice_name)
    if slice_name is not None and path.exists():
        raise InputError(f"{path} is not a DICOM folder; leave --slice out")
    return folder.read_cine(path) if path.is_dir() else image_file.read_cine(path)


def read_image(path: Path) -> sitk.Image:
    """One image or volume: three axes, one number a pixel.

    Raises:
        InputError: it is missing, empty, damaged, of an unknown format, or a cine.
    """
    path = Path(path)
    if path.is_dir() and dicom_folder.dicom_files(path):
        return dicom_folder.read_volume(path)
    return image_file.read_image(path)


def read_landmarks(path: Path) -> LandmarkSet:
    """Landmarks from `.mrk.json`, `.fcsv` or `.csv`, in LPS mm. One without a position is missing.

    Raises:
        InputError: the file is missing, damaged, of another format, without any landmark, or with two of
            one name.
    """
    path = require_file(Path(path))
    return LANDMARK_READERS[_landmark_suffix(path)](path)


def write_landmarks(path: Path, landmarks: LandmarkSet, *, overwrite: bool = False) -> None:
    """Write landmarks as `.mrk.json`, `.fcsv` or `.csv`, whole or not at all.

    Raises:
        InputError: the suffix is another, or the file exists and `overwrite` is False.
    """
    LANDMARK_WRITERS[_landmark_suffix(Path(path))](Path(path), landmarks, overwrite=overwrite)


def _landmark_suffix(path: Path) -> str:
    for suffix in LANDMARK_READERS:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InputError(f"{path} is not a landmark file; its name ends with {', '.join(LANDMARK_READERS)}")
