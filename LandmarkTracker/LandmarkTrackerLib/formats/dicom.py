"""What DICOM files say about time and place. SimpleITK reads the tags and the pixels.

https://dicom.nema.org/medical/dicom/current: part 3 says what the tags mean, part 6 gives their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file
from LandmarkTrackerLib.formats.times import regular
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array

SERIES, SERIES_NUMBER, DESCRIPTION = "0020|000e", "0020|0011", "0008|103e"
IMAGE_TYPE, ECHO_TIME, INSTANCE = "0008|0008", "0018|0081", "0020|0013"
TRIGGER_TIME, ACQUISITION_DATE, ACQUISITION_TIME = "0018|1060", "0008|0022", "0008|0032"
FRAME_TIME, FRAME_TIME_VECTOR, CINE_RATE, DISPLAY_RATE = "0018|1063", "0018|1065", "0018|0040", "0008|2144"


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does, whatever its name."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def tags_of(reader: sitk.ImageFileReader) -> dict[str, str]:
    """The tags of a file whose information was read, without padding."""
    return {key: reader.GetMetaData(key).strip(" \0") for key in reader.GetMetaDataKeys()}


def frame_times(reader: sitk.ImageFileReader) -> tuple[list[float], str]:
    """When each frame of a multi-frame file was taken, ms; no times if its frames are not frames in time."""
    tags, count = tags_of(reader), reader.GetSize()[2]
    if FRAME_TIME_VECTOR in tags:
        steps = [float(step) for step in tags[FRAME_TIME_VECTOR].split("\\")]
        if len(steps) == count:
            return np.cumsum(steps).tolist(), "ms"
    if tags.get(FRAME_TIME):
        return regular(count, 0.0, float(tags[FRAME_TIME]), "ms")
    rate = tags.get(CINE_RATE) or tags.get(DISPLAY_RATE)
    return regular(count, 0.0, 1000 / float(rate), "ms") if rate else ([], "")


@dataclass(frozen=True)
class Header:
    """What one DICOM file says about itself."""

    path: Path
    tags: dict[str, str]
    grid: Grid

    @classmethod
    def read(cls, path: Path) -> Header:
        """Read the tags without the pixels.

        Raises:
            InputError: this is not a complete DICOM image.
        """
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(require_file(path)))
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise InputError(f"{path} is damaged or not an image; copy it again or take it away") from error
        grid = Grid(reader.GetSize(), reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection())
        return cls(path, tags_of(reader), grid)

    @property
    def kind(self) -> tuple[object, ...]:
        """What all frames of a cine share: series, kind of image (magnitude, phase), echo and size."""
        tags = (self.tags.get(tag, "") for tag in (SERIES, IMAGE_TYPE, ECHO_TIME))
        return (*tags, self.grid.size)

    @property
    def normal(self) -> Array:
        return np.array(self.grid.direction).reshape(3, 3)[:, 2]

    @property
    def depth(self) -> float:
        """Position along the slice normal, mm."""
        return float(self.normal @ np.array(self.grid.origin))

    def trigger_ms(self) -> float | None:
        return self._number(TRIGGER_TIME)

    def instance(self) -> float | None:
        return self._number(INSTANCE)

    def acquired_ms(self) -> float | None:
        """When it was acquired, ms since an arbitrary day."""
        whole, _, part = self.tags.get(ACQUISITION_TIME, "").partition(".")
        try:
            time = datetime.strptime(whole, "%H%M%S") - datetime(1900, 1, 1)
        except ValueError:
            return None
        try:
            day = datetime.strptime(self.tags.get(ACQUISITION_DATE, ""), "%Y%m%d").toordinal()
        except ValueError:
            day = 0
        return (day * 86400 + time.seconds + float(f"0.{part or 0}")) * 1000

    def _number(self, tag: str) -> float | None:
        try:
            return float(self.tags[tag])
        except (KeyError, ValueError):
            return None
