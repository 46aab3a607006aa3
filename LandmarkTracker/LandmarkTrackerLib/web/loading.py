"""Files into the scene: what Slicer's readers do when a user drags them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from vtk.util.numpy_support import vtk_to_numpy

from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.files import NotACineError, stem
from LandmarkTrackerLib.formats.points import PointFile
from LandmarkTrackerLib.images import NOT_CALIBRATED, is_calibrated, notes_of
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.scene.nodes.point_lists import new_point_list
from LandmarkTrackerLib.scene.nodes.points import write_points
from LandmarkTrackerLib.scene.nodes.sequences import add_cine, volume_sequence
from LandmarkTrackerLib.scene.nodes.subject import Subject, is_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume

# The darkest and the brightest pixels that are still told apart, in percent of all.
DARK, BRIGHT = 0.5, 99.5
FRAMES_LOOKED_AT = 8


def open_image(scene: Any, path: Path, slice_name: str | None = None) -> tuple[Any, str]:
    """Put the cine or the volume at a path into the scene.

    Returns its browser or its volume node, and what should be known of how it was understood.

    Raises:
        InputError: it cannot be read.
    """
    try:
        cine = open_cine(path, slice_name)
        node, notes, calibrated = add_cine(scene, cine), cine.notes, cine.calibrated
    except NotACineError:
        image = read_image(path)
        notes, calibrated = notes_of(image), is_calibrated(image)
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", stem(path))
        fill_volume(node, image)
    show_whole_range(node)
    return node, "; ".join((*notes, *(() if calibrated else (NOT_CALIBRATED,))))


def open_points(scene: Any, points: PointFile, subject: Subject) -> Any:
    """Put the landmarks of a file into the scene as a point list.

    Args:
        subject: the image that they lie on, in the frame in view.

    Raises:
        InputError: they cannot be put there.
    """
    landmarks = points.landmarks(subject.cine.grid, subject.frame)
    node = new_point_list(scene, stem(points.path))
    write_points(node, landmarks.names, landmarks)
    return node


def show_whole_range(node: Any) -> None:
    """Grey values between black and white once for all frames, so that a cine does not flicker."""
    if is_cine(node):
        sequence = volume_sequence(node)
        count = sequence.GetNumberOfDataNodes()
        looked_at = np.unique(np.linspace(0, count - 1, min(count, FRAMES_LOOKED_AT)).astype(int))
        volumes = [sequence.GetNthDataNode(int(t)) for t in looked_at]
        shown = node.GetProxyNode(sequence)
    else:
        volumes, shown = [node], node
    values = np.concatenate([_some(volume) for volume in volumes])
    low, high = np.percentile(values, (DARK, BRIGHT)) if len(values) else (0, 1)
    shown.CreateDefaultDisplayNodes()
    display = shown.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(max(high - low, 1e-6), (high + low) / 2)


def _some(volume: Any) -> Array:
    """At most a hundred thousand pixels, evenly taken."""
    values = vtk_to_numpy(volume.GetImageData().GetPointData().GetScalars()).ravel()
    values = values[:: max(1, len(values) // 100_000)]
    values = values[np.isfinite(values)]
    # What a scanner writes around its field of view says nothing about the patient.
    inside = values[values > values.min()] if len(values) else values
    return inside if len(inside) else values
