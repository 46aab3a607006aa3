"""What a file or folder holds, in a few lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib import formats
from LandmarkTrackerLib.formats import dicom, seq_mrb, track_csv
from LandmarkTrackerLib.formats.describe_points import describe_points
from LandmarkTrackerLib.formats.files import NotACineError, number
from LandmarkTrackerLib.formats.point_files import READERS
from LandmarkTrackerLib.formats.stack import FrameAxis
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import NOT_CALIBRATED, Cine, is_calibrated, length_unit, notes_of, with_spacing
from LandmarkTrackerLib.landmarks import Track


def describe_file(
    path: Path,
    image: Path | None = None,
    coordinates: str | None = None,
    slice_name: str | None = None,
    spacing: Sequence[float] = (),
    frames_axis: FrameAxis | None = None,
    frame_rate: float | None = None,
) -> list[str]:
    """Lines that say what is at `path`: an image, a cine, landmarks or a track, and where it lies.

    Args:
        image: that the landmarks of a point file lie on.
        coordinates: see `describe_points`.
        slice_name: which slice or volume, where DICOM holds several.
        spacing: in place of what the image states, see `images.with_spacing`.
        frames_axis, frame_rate: see `formats.open_cine`.

    Raises:
        InputError: nothing is there, or nothing that can be read.
    """
    path = Path(path)
    if path.name.lower().endswith(seq_mrb.SUFFIX):
        return _track(seq_mrb.read_seq_mrb(path))
    if slice_name is None and formats.holds_dicom(path):
        listed = dicom.listing(path)
        if listed:
            return listed
    if path.is_file() and path.name.lower().endswith(tuple(READERS)):
        if track_csv.is_track(path):
            return _track(track_csv.read_track_csv(path))
        grid, unit = grid_and_unit(image, spacing) if image else (None, "mm")
        return describe_points(path, grid, unit, coordinates)
    try:
        cine = formats.open_cine(path, slice_name, (), frames_axis, frame_rate)
        return _cine(cine.with_spacing(spacing) if spacing else cine)
    except NotACineError:
        read = formats.read_image(path)
        return _image(with_spacing(read, spacing) if spacing else read)


def grid_and_unit(path: Path, spacing: Sequence[float] = ()) -> tuple[Grid, str]:
    """Where the pixels of an image or of a cine's frames lie, and the unit of length there: "mm" or "px".

    Args:
        spacing: of an image that is not calibrated, see `formats.read_image`.

    Raises:
        InputError: it cannot be read.
    """
    try:
        cine = formats.open_cine(path, spacing=spacing)
        return cine.grid, cine.length_unit
    except NotACineError:
        image = formats.read_image(path, spacing)
        return Grid.of(image), length_unit(is_calibrated(image))


def _cine(cine: Cine) -> list[str]:
    first, last, unit = cine.times[0], cine.times[-1], cine.time_unit
    return [
        f"cine of {len(cine)} frames, {first:g} to {last:g} {unit}",
        *_place(cine.grid, cine.calibrated),
        _values(cine[0], "frame 0"),
        *cine.notes,
    ]


def _image(image: sitk.Image) -> list[str]:
    kind = "image of one slice" if image.GetSize()[2] == 1 else "volume"
    place = _place(Grid.of(image), is_calibrated(image))
    return [kind, *place, _values(image, "pixels"), *notes_of(image)]


def _place(grid: Grid, calibrated: bool) -> list[str]:
    size = f"size: {' x '.join(str(n) for n in grid.size)} pixels"
    if not calibrated:
        return [size, f"spacing: {NOT_CALIBRATED}"]
    axes = np.array(grid.direction).reshape(3, 3).T
    return [
        size,
        f"spacing: {' x '.join(number(x) for x in grid.spacing)} mm",
        f"first pixel: LPS ({', '.join(number(x) for x in grid.origin)}) mm",
        *(
            f"axis {name}: LPS ({', '.join(number(x) for x in axis)})"
            for name, axis in zip("ijk", axes, strict=True)
        ),
    ]


def _values(image: sitk.Image, what: str) -> str:
    array = sitk.GetArrayViewFromImage(image)
    finite = array[np.isfinite(array)]
    span = f"{finite.min():g} to {finite.max():g}" if finite.size else "no finite number"
    return f"{what}: {image.GetPixelIDTypeAsString()}, {span}"


def _track(track: Track) -> list[str]:
    uncertain = np.array([frame.uncertain for frame in track])
    defined = np.array([frame.defined for frame in track]) & ~uncertain
    rows = [
        f"{name}: defined in {there.sum()} of {len(track)} frames"
        + (f", uncertain in {doubted.sum()}" if doubted.any() else "")
        for name, there, doubted in zip(track.names, defined.T, uncertain.T, strict=True)
    ]
    return [f"track of {len(track.names)} landmarks over {len(track)} frames", *rows]
