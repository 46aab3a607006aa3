"""A folder of DICOM files: the slices in it, one of them as a cine, or all of them as a volume.

Files are grouped by series, kind of image, echo, size and slice position, and groups are never mixed. The
frames of a group are ordered by the first of trigger time, acquisition time and instance number that tells
all of them apart.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import image_file
from LandmarkTrackerLib.formats.dicom import DESCRIPTION, SERIES_NUMBER, Header, is_dicom
from LandmarkTrackerLib.formats.files import NotACineError, natural
from LandmarkTrackerLib.images import Cine

# Slices nearer than this are at one position; normals that differ less in every component are parallel.
SAME_PLACE_MM, SAME_DIRECTION = 0.05, 1e-3

Slices = dict[str, list[Header]]


def dicom_files(folder: Path) -> list[Path]:
    """The DICOM files of a folder, whatever their names, but not its index (DICOMDIR) and no hidden file."""
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = (path for path in files if path.suffix.lower() == ".dcm" or is_dicom(path))
    found = (path for path in found if path.name.upper() != "DICOMDIR")
    return sorted(found, key=lambda path: natural(path.name))


def slices_in(folder: Path) -> Slices:
    """Name to the files of every slice position, in the order of series, then of place.

    Names are `SERIES/slice 01` and on, where SERIES is the description or the number of the series.

    Raises:
        InputError: a file is damaged.
    """
    kinds: dict[tuple[object, ...], list[Header]] = {}
    for header in (Header.read(path) for path in dicom_files(folder)):
        kinds.setdefault(header.kind, []).append(header)
    slices: Slices = {}
    for series, headers in zip(_series_names(list(kinds.values())), kinds.values(), strict=True):
        for n, group in enumerate(_by_place(headers), start=1):
            slices[f"{series}/slice {n:02d}"] = group
    return slices


def _series_names(kinds: list[list[Header]]) -> list[str]:
    """One printable name a kind, no two alike."""
    names: list[str] = []
    for headers in kinds:
        tags = headers[0].tags
        number = tags.get(SERIES_NUMBER) or str(len(names) + 1)
        text = "".join(c if c.isprintable() and c != "/" else " " for c in tags.get(DESCRIPTION, ""))
        name = plain = " ".join(text.split()) or f"series {number}"
        if name in names:
            name = plain = f"{plain} {number}"
        again = 2
        while name in names:
            name, again = f"{plain} ({again})", again + 1
        names.append(name)
    return names


def _by_place(headers: list[Header]) -> list[list[Header]]:
    """Files at one slice position together: by orientation, then along the normal."""
    orientations: list[list[Header]] = []
    for header in headers:
        for group in orientations:
            if np.abs(group[0].normal - header.normal).max() < SAME_DIRECTION:
                group.append(header)
                break
        else:
            orientations.append([header])
    places: list[list[Header]] = []
    for group in orientations:
        last = -np.inf
        for header in sorted(group, key=lambda header: header.depth):
            if header.depth - last > SAME_PLACE_MM:
                places.append([])
            places[-1].append(header)
            last = header.depth
    return places


def cines_in(slices: Slices) -> Slices:
    """The slices that have frames: several files, or one file of several frames."""
    return {name: group for name, group in slices.items() if len(group) > 1 or group[0].grid.size[2] > 1}


def read_cine(folder: Path, slice_name: str | None = None) -> Cine:
    """One slice of a DICOM folder as a cine; times in ms where the files state them.

    Args:
        slice_name: which; may be left out where only one slice has several frames.

    Raises:
        InputError: several slices and none chosen (the message lists them), no such slice, no slice with
            several frames, frames in no order, or a damaged file.
    """
    slices = slices_in(folder)
    cines = cines_in(slices)
    listed = ", ".join(f"'{name}' ({len(group)} files)" for name, group in cines.items())
    if not cines:
        raise NotACineError(
            f"{folder} holds {len(slices)} slices of one image each, not a cine; give frames in time"
        )
    if slice_name is not None and slice_name not in cines:
        raise InputError(f"{folder} has no cine '{slice_name}'; choose with --slice from {listed}")
    if slice_name is None and len(cines) > 1:
        raise InputError(f"{folder} holds {len(cines)} slices; choose one with --slice from {listed}")
    chosen = slice_name or next(iter(cines))
    if len(cines[chosen]) == 1:
        return image_file.read_cine(cines[chosen][0].path)
    headers, times, unit = _in_order(cines[chosen], f"{folder}, {chosen}")
    name = folder.name if len(cines) == 1 else f"{folder.name} {chosen.replace('/', ' ')}"
    return Cine(times, lambda frame: image_file.read_image(headers[frame].path), headers[0].grid, name, unit)


def _in_order(headers: list[Header], where: str) -> tuple[list[Header], list[float], str]:
    """Frames by time, their times and the unit."""
    for key, unit in ((Header.trigger_ms, "ms"), (Header.acquired_ms, "ms"), (Header.instance, "frame")):
        times = [key(header) for header in headers]
        known = [time for time in times if time is not None]
        if len(set(known)) < len(headers):
            continue
        order = np.argsort(known)
        found = [headers[n] for n in order]
        if unit == "frame":
            return found, [float(n) for n in range(len(found))], unit
        # A time of day counts from the first frame; a trigger time is what the scanner states.
        start = 0.0 if key is Header.trigger_ms else min(known)
        return found, [known[n] - start for n in order], unit
    raise InputError(
        f"{where}: neither trigger time, acquisition time nor instance number tells its {len(headers)} files "
        "apart; take copies away"
    )


def read_volume(folder: Path) -> sitk.Image:
    """The slices of a DICOM folder as one volume.

    Raises:
        InputError: the folder holds several series, frames in time, or slices that are not evenly spaced.
    """
    slices = slices_in(folder)
    headers = [header for group in slices.values() for header in group]
    if len(headers) == 1:
        return image_file.read_image(headers[0].path)
    if len({name.rpartition("/")[0] for name in slices}) > 1 or cines_in(slices):
        raise InputError(f"{folder} holds {', '.join(slices)}; give a folder with one volume")
    gaps = np.diff([header.depth for header in headers])
    if np.ptp(gaps) > SAME_PLACE_MM or np.abs(headers[0].normal - headers[-1].normal).max() > SAME_DIRECTION:
        raise InputError(
            f"{folder} holds slices that are not parallel and evenly spaced; resample them first"
        )
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(header.path) for header in headers])
    return reader.Execute()
