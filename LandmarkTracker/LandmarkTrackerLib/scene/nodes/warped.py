"""A moving scan warped onto the fixed one, as nodes: the transform, the warped volume, a checkerboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.points import LPS
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume

# Of the transform along each axis; the spline behind it has half as many.
NODES = 48
VOLUME = "vtkMRMLScalarVolumeNode"


@dataclass(frozen=True, eq=False)
class Warped:
    """What the nodes show.

    Attributes:
        image: the moving scan on the pixels of the fixed one.
        board: both in turn.
        move: LPS mm (N, 3) of the fixed scan to where the same tissue is in the moving one.
        grid: of the fixed scan.
    """

    image: sitk.Image
    board: sitk.Image
    move: Callable[[Array], Array]
    grid: Grid


class WarpedNodes:
    """Made once and filled anew.

    Attributes:
        volume, board, transform: the nodes. The transform brings the moving scan, and what lies on it, onto
            the fixed one.
    """

    def __init__(self, scene, fixed, moving) -> None:
        names = {"fixed": fixed.GetName(), "moving": moving.GetName()}
        self.volume = scene.AddNewNodeByClass(VOLUME, _("{moving} warped").format(**names))
        self.board = scene.AddNewNodeByClass(VOLUME, _("{fixed} and {moving} in turn").format(**names))
        for node in (self.volume, self.board):
            node.CreateDefaultDisplayNodes()
            _look_alike(node, moving if node is self.volume else fixed)
        title = _("{moving} onto {fixed}").format(**names)
        self.transform = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", title)

    @property
    def nodes(self) -> tuple:
        return self.volume, self.board, self.transform

    def fill(self, warped: Warped) -> None:
        """Show this."""
        fill_volume(self.volume, warped.image)
        fill_volume(self.board, warped.board)
        self.transform.SetAndObserveTransformFromParent(grid_transform(warped.move, warped.grid))

    def remove(self) -> None:
        """Out of the scene, with what displays them."""
        for node in self.nodes:
            scene = node.GetScene()
            display = node.GetDisplayNode()
            if scene is not None:
                scene.RemoveNode(node)
                if display is not None:
                    scene.RemoveNode(display)


def grid_transform(move: Callable[[Array], Array], grid: Grid):
    """A displacement field over an image, in Slicer's RAS, smooth between its nodes.

    Args:
        move: LPS mm (N, 3) to LPS mm (N, 3).
    """
    # A slice is one pixel thick: two nodes, at its faces.
    counts = np.array([2 if n == 1 else min(n, NODES) for n in grid.size])
    step = np.array([1.0 if n == 1 else (n - 1) / (c - 1) for n, c in zip(grid.size, counts, strict=True)])
    begin = np.array([-0.5 if n == 1 else 0.0 for n in grid.size])
    k, j, i = np.meshgrid(*(np.arange(n) for n in counts[::-1]), indexing="ij")
    at = grid.to_world(begin + step * np.stack([i, j, k], axis=-1).reshape(-1, 3))
    moves = (move(at) - at) * LPS
    field = vtk.vtkImageData()
    field.SetDimensions(counts.tolist())
    field.SetSpacing((step * grid.spacing).tolist())
    field.SetOrigin((grid.to_world(begin) * LPS).tolist())
    vectors = numpy_to_vtk(np.ascontiguousarray(moves), deep=True)
    vectors.SetName("displacement")
    field.GetPointData().SetScalars(vectors)
    direction = np.eye(4)
    direction[:3, :3] = np.reshape(grid.direction, (3, 3)) * LPS[:, None]
    transform = slicer.vtkOrientedGridTransform()
    transform.SetDisplacementGridData(field)
    transform.SetGridDirectionMatrix(slicer.util.vtkMatrixFromArray(direction))
    transform.SetInterpolationModeToCubic()
    return transform


def _look_alike(node, model) -> None:
    """Grey values as another volume shows them."""
    display, shown = node.GetDisplayNode(), model.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    if shown is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(shown.GetWindow(), shown.GetLevel())
