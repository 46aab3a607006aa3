"""One image or volume in any format that SimpleITK reads."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file
from LandmarkTrackerLib.images import as_volume


def read_image(path: Path) -> sitk.Image:
    """One image: three axes, one number a pixel.

    Raises:
        InputError: the file is missing, empty, damaged, of an unknown format, or a cine.
    """
    require_file(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path} cannot be read as an image; it is damaged or of another format") from error
    return as_volume(image)
