"""One file an exchange format, read and write; and from a path to the right one.

The geometry and the times of a file are kept to the last digit, and everything is LPS mm on this side.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import dicom, folder, image_file, scene_mrb
from LandmarkTrackerLib.formats.fcsv import write_fcsv
from LandmarkTrackerLib.formats.files import stem
from LandmarkTrackerLib.formats.mrk_json import write_mrk_json
from LandmarkTrackerLib.formats.point_files import READERS, is_landmark_file, read_points
from LandmarkTrackerLib.formats.points_csv import write_points_csv
from LandmarkTrackerLib.formats.seq_nrrd import write_cine
from LandmarkTrackerLib.formats.stack import FrameAxis
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, as_volume, is_calibrated, with_spacing
from LandmarkTrackerLib.landmarks import LandmarkSet

__all__ = [
    "is_landmark_file",
    "landmarks_beside",
    "open_cine",
    "read_image",
    "read_landmarks",
    "read_points",
    "write_cine",
    "write_landmarks",
]

LANDMARK_WRITERS = {".mrk.json": write_mrk_json, ".fcsv": write_fcsv, ".csv": write_points_csv}


def open_cine(
    path: Path,
    slice_name: str | None = None,
    spacing: Sequence[float] = (),
    frames_axis: FrameAxis | None = None,
    frame_rate: float | None = None,
) -> Cine:
    """A cine from a file with a frame axis or from a folder of frames; nothing but its header is read yet.

    Args:
        path: `.seq.nrrd` or another file with an axis of frames (NRRD, NIfTI, MetaImage, TIFF pages, DICOM
            frames), a video, a scene `.mrb` with one cine, a folder of DICOM files, or a folder of
            single-frame images.
        slice_name: which slice, where a DICOM folder holds several.
        spacing: of a cine that is not calibrated, as in `Cine.with_spacing`; any other keeps its own.
        frames_axis: of a 3D file that keeps frames as a volume, the axis that counts them: "i", "j" or "k".
        frame_rate: frames a second, of such a file.

    Raises:
        InputError: there is nothing, or nothing that is a cine, at `path`.
    """
    path = Path(path)
    if holds_dicom(path):
        cine = dicom.read_cine(path, slice_name)
    elif slice_name is not None and path.exists():
        raise InputError(f"{path} is not DICOM; leave --slice out")
    elif path.name.lower().endswith(scene_mrb.SUFFIX):
        cine = scene_mrb.read_cine(path)
    elif path.is_dir():
        cine = folder.read_cine(path)
    else:
        cine = image_file.read_cine(path, frames_axis, frame_rate)
    return cine.with_spacing(spacing) if spacing and not cine.calibrated else cine


def holds_dicom(path: Path) -> bool:
    """Whether this is a DICOM file, or a folder of them; they may lie below it if it has no other images."""
    files = dicom.dicom_files(path)
    if path.is_file():
        return bool(files) or dicom.is_index(path)
    return bool(files) and (files[0].parent == path or not folder.has_images(path))


def read_image(path: Path, spacing: Sequence[float] = ()) -> sitk.Image:
    """One image or volume: three axes, one number a pixel.

    Args:
        spacing: of an image that is not calibrated, as in `images.with_spacing`; any other keeps its own.

    Raises:
        InputError: it is missing, empty, damaged, of an unknown format, or a cine.
    """
    path = Path(path)
    image = as_volume(dicom.read_image(path)) if holds_dicom(path) else image_file.read_image(path)
    return with_spacing(image, spacing) if spacing and not is_calibrated(image) else image


def read_landmarks(
    path: Path, grid: Grid | None = None, frame: int | None = None, coordinates: str | None = None
) -> LandmarkSet:
    """Landmarks from a file of any format of `point_files.READERS`, in LPS mm.

    Args:
        grid: of the image that they lie on; needed where the file counts pixels.
        frame: which image, where the file has the landmarks of several.
        coordinates: what its numbers mean, of `points.CHOICES`, where the file does not state it.

    Raises:
        InputError: the file is missing, damaged, of another format, without any landmark, with two of one
            name, or something above is needed and not given.
    """
    return read_points(path, coordinates).landmarks(grid, frame)


def landmarks_beside(image: Path) -> Path:
    """The landmark file with the name of an image.

    Raises:
        InputError: there is none.
    """
    candidates = [image.with_name(stem(image) + suffix) for suffix in READERS]
    found = next((path for path in candidates if path.is_file() and is_landmark_file(path)), None)
    if found is None:
        raise InputError(f"{image} has no landmarks beside it; save them as {candidates[0].name}")
    return found


def write_landmarks(path: Path, landmarks: LandmarkSet, *, overwrite: bool = False, unit: str = "mm") -> None:
    """Write landmarks as `.mrk.json`, `.fcsv` or `.csv`, whole or not at all.

    Args:
        unit: of positions and sigma: "mm", or "px" of an image that is not calibrated.

    Raises:
        InputError: the suffix is another, or the file exists and `overwrite` is False.
    """
    path = Path(path)
    for suffix, write in LANDMARK_WRITERS.items():
        if path.name.lower().endswith(suffix):
            return write(path, landmarks, overwrite=overwrite, unit=unit)
    raise InputError(f"{path} is not a name for landmarks; end it with {', '.join(LANDMARK_WRITERS)}")
