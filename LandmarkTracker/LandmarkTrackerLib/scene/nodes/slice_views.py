"""What the slice views show, set through their nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from LandmarkTrackerLib.scene.nodes.sequences import nodes_of

# The views of Slicer's layout "side by side".
LEFT, RIGHT = "Red", "Yellow"


@dataclass(frozen=True)
class Layers:
    """Volumes in one view, blended by the opacity of the upper one."""

    background: Any
    foreground: Any = None
    opacity: float = 0.0


def slice_views(scene) -> list[tuple]:
    """Every slice view: its slice node and its composite node."""
    nodes = {node.GetLayoutName(): node for node in nodes_of(scene, "vtkMRMLSliceNode")}
    composites = nodes_of(scene, "vtkMRMLSliceCompositeNode")
    return [(nodes[c.GetLayoutName()], c) for c in composites if c.GetLayoutName() in nodes]


def side_by_side(scene) -> None:
    """Two slice views beside each other, where the front end knows this layout."""
    number = slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView
    for layout in nodes_of(scene, "vtkMRMLLayoutNode"):
        if layout.IsLayoutDescription(number):
            layout.SetViewArrangement(number)


def show(composite, layers: Layers) -> None:
    """Show these volumes in a view."""
    for put, volume in (
        (composite.SetBackgroundVolumeID, layers.background),
        (composite.SetForegroundVolumeID, layers.foreground),
    ):
        put(volume.GetID() if volume is not None else None)
    composite.SetForegroundOpacity(layers.opacity)


def fit(view, volume, in_plane: bool) -> None:
    """Let a view show the whole of a volume.

    Args:
        view: vtkMRMLSliceNode.
        in_plane: turn the view into the volume's own plane.
    """
    if in_plane:
        # From where it was turned to, it would turn into the plane mirrored or upside down.
        view.SetOrientation(_anatomical_plane(volume))
        view.RotateToVolumePlane(volume)
    bounds = np.zeros(6)
    volume.GetRASBounds(bounds)
    low, high = bounds[::2], bounds[1::2]
    view.JumpSliceByCentering(*((low + high) / 2))
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True)), axis=-1).reshape(-1, 3)
    axes = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, :2]
    reach = np.ptp(corners @ axes, axis=0)
    pixels = np.array(view.GetDimensions()[:2], dtype=float)
    if (pixels > 1).all():
        across, up = pixels * (reach / pixels).max()
        view.SetFieldOfView(across, up, view.GetFieldOfView()[2])


def _anatomical_plane(volume) -> str:
    """The name of Slicer's orientation that a slice's own plane is nearest to."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASDirectionMatrix(matrix)
    normal = np.abs(slicer.util.arrayFromVTKMatrix(matrix)[:3, 2])
    return ("Sagittal", "Coronal", "Axial")[int(normal.argmax())]
