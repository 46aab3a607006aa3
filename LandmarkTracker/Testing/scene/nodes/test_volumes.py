"""Volume nodes <-> images."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume, image_of


@pytest.fixture
def oblique() -> sitk.Image:
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.SetSpacing((1.25, 1.5, 8.0))
    image.SetOrigin((-30.5, 12.25, 7.0))
    image.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
    return image


@pytest.fixture
def volume(scene, oblique):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    fill_volume(node, oblique)
    return node


def test_an_image_comes_back_from_a_volume_as_it_was(volume, oblique):
    back = image_of(volume)
    assert (sitk.GetArrayFromImage(back) == sitk.GetArrayFromImage(oblique)).all()
    assert back.GetPixelID() == oblique.GetPixelID()
    assert Grid.of(back).same_place(Grid.of(oblique))


def test_a_voxel_is_where_slicer_shows_it(volume, oblique):
    ras = slicer.vtkMRMLScalarVolumeNode.GetIJKToRASMatrix
    matrix = slicer.util.vtkMatrixFromArray(np.eye(4))
    ras(volume, matrix)
    shown = matrix.MultiplyPoint((3, 1, 0, 1))[:3]
    expected = np.array(oblique.TransformIndexToPhysicalPoint((3, 1, 0))) * (-1, -1, 1)
    assert shown == pytest.approx(expected)


def test_a_linear_parent_transform_moves_the_image(scene, volume, oblique):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = (10, 20, 30)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    moved = np.array(image_of(volume).GetOrigin()) - oblique.GetOrigin()
    assert moved == pytest.approx((-10, -20, 30))


def test_a_nonlinear_parent_transform_is_refused_by_name(scene, volume):
    transform = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "breathing")
    import vtk

    transform.SetAndObserveTransformToParent(vtk.vtkThinPlateSplineTransform())
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match=r"'heart'.*'breathing'.*harden"):
        image_of(volume)


def test_a_colour_volume_becomes_luminance(scene):
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    colours = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    colours[0, 0, 0] = (255, 255, 255)
    colours[0, 0, 1] = (0, 100, 0)
    slicer.util.updateVolumeFromArray(node, colours)
    assert sitk.GetArrayFromImage(image_of(node))[0] == pytest.approx(
        np.array([[255, 58.7], [0, 0]]), abs=1e-3
    )


def test_an_empty_volume_is_refused_by_name(scene):
    with pytest.raises(InputError, match="'nothing' holds no image"):
        image_of(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing"))


def test_sheared_axes_are_refused(volume):
    shear = np.eye(4)
    shear[0, 1] = 0.3
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(shear))
    with pytest.raises(InputError, match="not perpendicular"):
        image_of(volume)
