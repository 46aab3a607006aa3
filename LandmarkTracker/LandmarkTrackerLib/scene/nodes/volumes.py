"""Volume nodes <-> images."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import annotated, as_volume
from LandmarkTrackerLib.images import is_calibrated as is_calibrated_image
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.calibration import is_calibrated, mark

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def image_of(volume, transform=None) -> sitk.Image:
    """The image of a volume node, where it lies in the world.

    Args:
        volume: vtkMRMLVolumeNode, scalar or colour.
        transform: (4, 4) RAS to world; that of the node's own parent transform if not given.

    Raises:
        InputError: there are no pixels, the parent transform is not linear, or the axes are not
            perpendicular.
    """
    grid = grid_of(volume, transform)
    scalars = vtk_to_numpy(volume.GetImageData().GetPointData().GetScalars())
    components = scalars.shape[1:] if scalars.ndim > 1 else ()
    image = sitk.GetImageFromArray(scalars.reshape(*grid.size[::-1], *components), bool(components))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return annotated(as_volume(image), calibrated=is_calibrated(volume))


def grid_of(volume, transform=None) -> Grid:
    """Where the pixels of a volume node lie, without reading them. Arguments and errors as for `image_of`."""
    name, data = volume.GetName(), volume.GetImageData()
    if data is None or data.GetNumberOfPoints() == 0 or data.GetPointData().GetScalars() is None:
        raise InputError(_("volume '{name}' holds no image; load it again").format(name=name))
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    transform = world_transform(volume) if transform is None else transform
    world = RAS_TO_LPS @ transform @ slicer.util.arrayFromVTKMatrix(matrix)
    spacing = np.linalg.norm(world[:3, :3], axis=0)
    direction = world[:3, :3] / spacing
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise InputError(
            _("volume '{name}' has axes that are not perpendicular; resample it first").format(name=name)
        )
    return Grid(
        data.GetDimensions(),
        tuple(spacing.tolist()),
        tuple(world[:3, 3].tolist()),
        tuple(direction.ravel().tolist()),
    )


def modality_of(node) -> str:
    """ "MR", "CT" and so on, as the DICOM import noted it for this node; empty if nobody did."""
    hierarchy = node.GetScene().GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    key = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMSeriesModalityAttributeName()
    return str(hierarchy.GetItemAttribute(item, key)) if item else ""


def world_transform(node) -> np.ndarray:
    """(4, 4) from the node's own RAS to the world's.

    Raises:
        InputError: its parent transform is not linear.
    """
    matrix, parent = vtk.vtkMatrix4x4(), node.GetParentTransformNode()
    if parent is not None and not parent.GetMatrixTransformToWorld(matrix):
        raise InputError(
            _("'{name}' is under the transform '{transform}', which is not linear; harden it first").format(
                name=node.GetName(), transform=parent.GetName()
            )
        )
    return slicer.util.arrayFromVTKMatrix(matrix)


def fill_volume(volume, image: sitk.Image) -> None:
    """Put an image into a volume node. Its pixels are copied."""
    image = as_volume(image)
    axes = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, image.GetOrigin()
    slicer.util.updateVolumeFromArray(volume, sitk.GetArrayFromImage(image))
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(RAS_TO_LPS @ matrix))
    mark(volume, is_calibrated_image(image))
