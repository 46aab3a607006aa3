"""Whether a node's millimetres are stated by its file or its user, or only count pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.i18n import _

# Of a volume or a sequence of volumes: "yes" or "no". It is saved with the scene.
CALIBRATED = "LandmarkTracker.Calibrated"
# Slicer gives these a spacing of 1 mm where they state none.
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def is_calibrated(node) -> bool:
    """Whether the spacing of a volume, or of the volumes of a sequence, is in mm."""
    said = node.GetAttribute(CALIBRATED)
    if said:
        return said != "no"
    if not node.IsA("vtkMRMLVolumeNode"):
        first = node.GetNthDataNode(0)
        return first is None or is_calibrated(first)
    storage = node.GetStorageNode()
    file = (storage.GetFileName() or "") if storage is not None else ""
    return not (file.lower().endswith(PICTURES) and np.allclose(node.GetSpacing(), 1, atol=1e-3))


def mark(node, calibrated: bool) -> None:
    """Note it for a volume or a sequence."""
    node.SetAttribute(CALIBRATED, "yes" if calibrated else "no")


def set_spacing(volumes: Iterable, spacing: Sequence[float]) -> None:
    """Give volumes another spacing, mm along i, j, k. The centre of their first pixel stays where it is.

    Raises:
        InputError: a number is not above 0.
    """
    if not all(np.isfinite(mm) and mm > 0 for mm in spacing):
        raise InputError(_("the size of a pixel is a number of mm above 0"))
    for volume in volumes:
        volume.SetSpacing(*spacing)
