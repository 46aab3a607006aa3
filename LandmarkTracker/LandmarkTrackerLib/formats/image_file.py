"""Images and cines in one file: MetaImage, NIfTI, NRRD, PNG, JPEG, TIFF; and from there to videos.

A frame of a cine is read alone. What is compressed as a whole is unpacked to disk once, so that a cine of any
length needs the memory of one frame. Only a TIFF of many frames is held whole, while unpacked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import dicom, imagej, meta_image, nifti, seq_nrrd, video
from LandmarkTrackerLib.formats.files import NotACineError, require_file, stem
from LandmarkTrackerLib.formats.nrrd import read_header
from LandmarkTrackerLib.formats.stack import FrameAxis, frames_of
from LandmarkTrackerLib.formats.times import frame_numbers, regular
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, annotated, as_volume

NRRD = (".nrrd", ".nhdr")
TIFF = (".tif", ".tiff")
JPEG = (".jpg", ".jpeg")
SUFFIXES = (*meta_image.SUFFIXES, *nifti.SUFFIXES, *NRRD, ".png", *JPEG, *TIFF, ".dcm", *video.SUFFIXES)
# What a camera or a drawing program writes; its spacing, if any, is the resolution of a print.
PICTURES = (".png", *JPEG, *TIFF)
JPEG_END = b"\xff\xd9"


def suffix_of(path: Path) -> str:
    """The image suffix that a file name ends with; "" if it is no image's, ".dcm" if its content is DICOM."""
    named = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    return named or (".dcm" if dicom.is_dicom(path) else "")


def read_image(path: Path) -> sitk.Image:
    """One image: three axes, one number a pixel.

    Raises:
        InputError: the file is missing, empty, damaged, of an unknown format, or a cine.
    """
    if _known(path) in NRRD and seq_nrrd.frame_axis(read_header(path)) is not None:
        # ITK would show the first frame and say nothing of the others.
        cine = seq_nrrd.read_cine(path)
        _require_one(len(cine), path)
        return cine[0]
    if _known(path) in video.SUFFIXES:
        _require_one(len(video.read_cine(path)), path)
    with tempfile.TemporaryDirectory() as folder:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(_plain(path, Path(folder))))
        image = _attempt(reader.Execute, path)
    if image.GetDimension() == 4:
        _require_one(image.GetSize()[3], path)
        image = image[:, :, :, 0]
    image = as_volume(image)
    if suffix_of(path) in TIFF and all(imagej.stated(path).spacing):
        image.SetSpacing((*imagej.stated(path).spacing, image.GetSpacing()[2]))
    return annotated(image, *_calibration(path, image.GetSpacing()))


def _calibration(path: Path, spacing: Sequence[float]) -> tuple[tuple[str, ...], bool]:
    """A note, if the spacing needs one, and whether the file states it at all."""
    if suffix_of(path) in nifti.SUFFIXES:
        return nifti.understood(path), True
    if suffix_of(path) in TIFF and all(imagej.stated(path).spacing):
        return ("spacing as ImageJ states it",), True
    if suffix_of(path) not in PICTURES:
        return (), True
    # ITK writes a spacing of 1, which nobody measured, as 25.4 dots an inch.
    if np.allclose(spacing[:2], 1, atol=1e-3):
        return (), False
    return (f"spacing from the print resolution ({25.4 / spacing[0]:.4g} dpi), not from the scanner",), True


def _require_one(frames: int, path: Path) -> None:
    if frames > 1:
        raise InputError(f"{path} is a cine of {frames} frames; give one image")


def read_cine(path: Path, frames_axis: FrameAxis | None = None, frame_rate: float | None = None) -> Cine:
    """A cine from a 4D file, a sequence, a TIFF of several pages or a video.

    Args:
        frames_axis: of a 3D file that keeps frames as a volume, the axis that counts them.
        frame_rate: frames a second of such a file.

    Raises:
        InputError: it is one image, holds one frame only, or cannot be read.
    """
    if _known(path) in video.SUFFIXES:
        return video.read_cine(path)
    if frames_axis is not None:
        return frames_of(lambda: read_image(path), path, frames_axis, frame_rate)
    if _known(path) in meta_image.SUFFIXES and meta_image.read_header(path).is_sequence:
        return _plus_sequence(path)
    if _known(path) in NRRD:
        cine = seq_nrrd.read_cine(path)
        _require_several(len(cine), path)
        return cine
    folder = tempfile.TemporaryDirectory()
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(_plain(path, Path(folder.name))))
    _attempt(reader.ReadImageInformation, path)
    size, axes = reader.GetSize(), reader.GetDimension()
    times, unit, remarks = _times(path, reader)
    if not times:
        what = "one image"
        advice = "a .seq.nrrd, a 4D file or a folder of frames"
        if axes == 3 and size[2] > 1:
            what, advice = (
                "one 3D volume",
                f"{advice}; if its slices are frames, add --frames-axis k (or i, j)",
            )
        raise NotACineError(f"{path} is {what}, not a cine; give {advice}")
    _require_several(len(times), path)
    grid = _frame_grid(reader)
    if suffix_of(path) in TIFF and all(imagej.stated(path).spacing):
        grid = replace(grid, spacing=(*imagej.stated(path).spacing, grid.spacing[2]))

    @cache
    def plain() -> str:
        # `folder` lives as long as this function, and so as long as the cine.
        there = _plain(path, Path(folder.name))
        return str(there if axes == 4 else _unstacked(there, Path(folder.name)))

    def read(frame: int) -> sitk.Image:
        one = sitk.ImageFileReader()
        one.SetFileName(plain())
        one.SetExtractIndex((0, 0, 0, frame)[-axes:])
        one.SetExtractSize((*grid.size, 0)[:axes])
        image = _attempt(one.Execute, path)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
        if len(image.GetSpacing()) == 3:
            image.SetSpacing(grid.spacing)
        return image

    notes, calibrated = _calibration(path, grid.spacing)
    return Cine(times, read, grid, stem(path), unit, calibrated, (*notes, *remarks))


def _plus_sequence(path: Path) -> Cine:
    """PLUS keeps ultrasound frames as a volume whose spacing it leaves at 1, with a time stamp each."""
    header = meta_image.read_header(path)
    times, unit, notes = meta_image.times(header)
    cine = frames_of(lambda: read_image(path), path, "k")
    stated = not np.allclose(cine.grid.spacing[:2], 1)
    return replace(cine, times=times, time_unit=unit, notes=notes, calibrated=stated)


def _frame_grid(reader: sitk.ImageFileReader) -> Grid:
    """Where one frame lies: the first three axes of a 4D file, the first two of a stack."""
    size, axes = reader.GetSize(), reader.GetDimension()
    direction = np.reshape(reader.GetDirection(), (axes, axes))[:3, :3]
    depth = size[2] if axes == 4 else 1
    return Grid(
        (size[0], size[1], depth),
        reader.GetSpacing()[:3],
        reader.GetOrigin()[:3],
        tuple(direction.ravel().tolist()),
    )


def _require_several(frames: int, path: Path) -> None:
    if frames < 2:
        raise InputError(f"{path} holds one frame; a cine has two frames or more")


def _known(path: Path) -> str:
    suffix = suffix_of(require_file(path))
    if not suffix:
        raise InputError(f"{path} is not an image of a known format; give one of {', '.join(SUFFIXES)}")
    return suffix


def _attempt(read: Callable[[], Any], path: Path) -> Any:
    try:
        return read()
    except RuntimeError as error:
        raise InputError(f"{path} is damaged, cut short or of another format; export it again") from error


def _times(path: Path, reader: sitk.ImageFileReader) -> tuple[list[float], str, tuple[str, ...]]:
    """The times of the frames, their unit and a note; no times if the file is one image."""
    size, suffix = reader.GetSize(), suffix_of(path)
    if suffix in nifti.SUFFIXES:
        return nifti.times(path)
    if len(size) == 4:
        return *regular(size[3], reader.GetOrigin()[3], reader.GetSpacing()[3], ""), ()
    if suffix in TIFF and len(size) == 3 and size[2] > 1:
        interval = imagej.stated(path).interval
        if interval:
            return *regular(size[2], 0.0, interval, "s"), ("times from ImageJ's frame interval",)
        return *frame_numbers(size[2]), ()
    return [], "", ()


def _plain(path: Path, folder: Path) -> Path:
    """The same image as a complete file that SimpleITK reads in parts: `path`, or a copy in `folder`."""
    suffix = _known(path)
    if suffix in nifti.SUFFIXES:
        return nifti.plain(path, folder)
    if suffix in meta_image.SUFFIXES:
        return meta_image.plain(path, folder)
    if suffix in JPEG and JPEG_END not in path.read_bytes()[-4096:]:
        # libjpeg would fill what is not there with grey.
        raise InputError(f"{path} is cut short; copy it again")
    return path


def _unstacked(path: Path, folder: Path) -> Path:
    """A stack of frames as a file that SimpleITK reads in parts."""
    copy = folder / "stack.mha"
    _attempt(lambda: sitk.WriteImage(sitk.ReadImage(str(path)), str(copy), False), path)
    return copy
