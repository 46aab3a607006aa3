"""A cine in a NRRD file: Slicer's `.seq.nrrd`, or any NRRD with an axis of frames.

ITK takes the frame axis of a sequence (kind `list`) for parts of a pixel and shows the first frame only, so
the file is read here.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import NotACineError, number, stem, written
from LandmarkTrackerLib.formats.nrrd import (
    SPATIAL_KINDS,
    TYPES,
    Header,
    Pixels,
    grid_of,
    pixels_of,
    read_header,
)
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT, frame_numbers, regular, rises, unit_of
from LandmarkTrackerLib.images import Cine

SUFFIX = ".seq.nrrd"
# Images hardly shrink further at higher levels, which take several times as long.
GZIP_LEVEL = 2
FRAME_KINDS = ("list", "time")


def frame_axis(header: Header) -> int | None:
    """Which axis counts frames; None in a single image."""
    kinds, directions = [kind.lower() for kind in header.words("kinds")], header.directions
    for axis, kind in enumerate(kinds):
        if kind in FRAME_KINDS:
            return axis
    spatial = [axis for axis, kind in enumerate(kinds) if kind in SPATIAL_KINDS]
    undirected = [axis for axis in spatial if directions[axis] is None]
    if len(undirected) == 1 and len(spatial) > 2:
        return undirected[0]
    return spatial[-1] if len(spatial) == 4 else None


def read_cine(path: Path) -> Cine:
    """A cine from a NRRD file with a frame axis, first or last.

    Raises:
        InputError: it has no frame axis, or axes that are no cine's, or it is damaged.
    """
    header = read_header(path)
    axis = frame_axis(header)
    if axis is None:
        raise NotACineError(
            f"{path} is one image, not a cine; give a .seq.nrrd, a 4D file or a folder of frames"
        )
    kinds = [kind.lower() for kind in header.words("kinds")]
    spatial = [a for a, kind in enumerate(kinds) if a != axis and kind in SPATIAL_KINDS]
    parts = [a for a in range(len(kinds)) if a != axis and a not in spatial]
    if len(spatial) not in (2, 3) or len(parts) > 1:
        raise InputError(f"{path} has {len(kinds)} axes; a cine has 2 or 3 in space and one of frames")
    times, unit = _times(header, axis)
    grid = grid_of(header, spatial)
    # NRRD names the fastest axis first, numpy last.
    order = [len(kinds) - 1 - a for a in (axis, *reversed(spatial), *parts)]

    @cache
    def pixels() -> Pixels:
        return pixels_of(header)

    def read(frame: int) -> sitk.Image:
        array = np.transpose(pixels().mapped(), order)[frame]
        array = array if len(spatial) == 3 else array[None]
        native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        image = sitk.GetImageFromArray(native, isVector=bool(parts))
        image.SetSpacing(grid.spacing)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
        return image

    return Cine(times, read, grid, stem(path), unit)


def _times(header: Header, axis: int) -> tuple[list[float], str]:
    """When each frame was taken, and the unit."""
    count = header.sizes[axis]
    stated = _stated_by_program(header, count)
    if stated is not None:
        return stated
    label, unit = header.words("labels")[axis], header.words("units")[axis]
    values = header.keys.get(f"axis {axis} index values", "").split()
    if values and header.keys.get(f"axis {axis} index type", "numeric") == "numeric":
        try:
            times = [float(value) for value in values]
        except ValueError as error:
            raise InputError(
                f"{header.path} has an index value that is no number; export it again"
            ) from error
        if len(times) != count:
            raise InputError(f"{header.path} states {len(times)} times for {count} frames; export it again")
        return (times, unit_of(unit, label)) if rises(times) else frame_numbers(count)
    direction = header.directions[axis]
    if direction is not None and len(direction) == 4:
        return regular(count, float(header.origin[3]), float(direction[3]), unit)
    return regular(count, header.value("axis mins", axis, 0.0), header.value("spacings", axis, 1.0), unit)


def _stated_by_program(header: Header, count: int) -> tuple[list[float], str] | None:
    """Times in the words of Slicer's MultiVolume module, or of PLUS; None if there are none that rise."""
    labels = header.keys.get("MultiVolume.FrameLabels", "").split(",")
    unit = unit_of(header.keys.get("MultiVolume.FrameIdentifyingUnits", ""))
    stamps = [header.keys.get(f"Seq_Frame{n:04d}_Timestamp", "") for n in range(count)]
    for texts, named in ((labels, unit), (stamps, "s")):
        try:
            times = [float(text) for text in texts]
        except ValueError:
            continue
        if len(times) == count and rises(times):
            return times, named
    return None


def write_cine(path: Path, cine: Cine, *, overwrite: bool = False, compress: bool = True) -> None:
    """Write a cine as Slicer writes its sequences of volumes (frames last, LPS), one frame in memory.

    Raises:
        InputError: the file exists, is not named .seq.nrrd, the frames differ in grid or pixel type, or
            their pixels are 64 bit integers.
    """
    if not path.name.lower().endswith(SUFFIX):
        raise InputError(f"{path} is not a name for a sequence of images; end it with {SUFFIX}")
    dtype = sitk.GetArrayViewFromImage(cine[0]).dtype
    if dtype in (np.int64, np.uint64):
        raise InputError(
            f"{cine.name} holds {dtype}, which Slicer does not read in a sequence; cast it to int32"
        )
    with written(path, overwrite) as partial, partial.open("wb") as file:
        file.write(_header_text(cine, dtype, "gzip" if compress else "raw").encode())
        packed: Any = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) if compress else file
        for frame, image in enumerate(cine):
            array = sitk.GetArrayViewFromImage(image)
            if array.dtype != dtype:
                raise InputError(
                    f"{cine.name}: frame {frame} holds {array.dtype}, frame 0 {dtype}; cast them to one"
                )
            packed.write(np.ascontiguousarray(array, dtype.newbyteorder("<")))
        if compress:
            packed.close()


def _header_text(cine: Cine, dtype: np.dtype[Any], encoding: str) -> str:
    steps = " ".join(f"({','.join(number(x) for x in column)})" for column in cine.grid.axes.T)
    unit = {UNSTATED_UNIT: "", "frame": ""}.get(cine.time_unit, cine.time_unit)
    return f"""NRRD0004
# Complete NRRD file format specification at:
# http://teem.sourceforge.net/nrrd/format.html
type: {TYPES[dtype.name][0]}
dimension: 4
space: left-posterior-superior
sizes: {" ".join(str(size) for size in cine.grid.size)} {len(cine)}
space directions: {steps} none
kinds: domain domain domain list
labels: "" "" "" "{"frame" if cine.time_unit == "frame" else "time"}"
units: "" "" "" "{unit}"
endian: little
encoding: {encoding}
space origin: ({",".join(number(x) for x in cine.grid.origin)})
DataNodeClassName:=vtkMRMLScalarVolumeNode
axis 3 index type:=numeric
axis 3 index values:={" ".join(number(time) for time in cine.times)}

"""
