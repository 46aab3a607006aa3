"""Pixels that are no millimetres, in the scene."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import Cine, annotated, is_calibrated
from LandmarkTrackerLib.scene.nodes import calibration
from LandmarkTrackerLib.scene.nodes.sequences import add_cine, cine_of, volume_sequence
from LandmarkTrackerLib.scene.nodes.subject import cine_at
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume, image_of


def picture(calibrated: bool = False) -> sitk.Image:
    return annotated(sitk.GetImageFromArray(np.zeros((1, 5, 7), np.uint8)), calibrated=calibrated)


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_volume_keeps_whether_its_millimetres_are_stated(scene, calibrated):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    fill_volume(volume, picture(calibrated))
    assert calibration.is_calibrated(volume) == is_calibrated(image_of(volume)) == calibrated
    assert cine_at(volume).length_unit == ("mm" if calibrated else "px")


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_cine_keeps_it_too(scene, calibrated):
    browser = add_cine(scene, Cine.of([picture(calibrated)] * 3))
    cine = cine_of(browser)
    assert cine.calibrated == is_calibrated(cine[1]) == calibrated


@pytest.mark.parametrize(("file", "calibrated"), [("a.png", False), ("a.nrrd", True)])
def test_what_slicer_loaded_from_a_picture_is_not_calibrated(scene, file, calibrated):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    slicer.util.updateVolumeFromArray(volume, np.zeros((1, 5, 7), np.uint8))
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(file)
    volume.SetAndObserveStorageNodeID(storage.GetID())
    assert calibration.is_calibrated(volume) == calibrated
    volume.SetSpacing(0.2, 0.2, 1)
    assert calibration.is_calibrated(volume)


def test_a_user_states_the_size_of_a_pixel(scene):
    browser = add_cine(scene, Cine.of([picture()] * 2))
    sequence = volume_sequence(browser)
    calibration.set_spacing([sequence.GetNthDataNode(n) for n in range(2)], (0.5, 0.25, 1))
    calibration.mark(sequence, True)
    cine = cine_of(browser)
    assert (cine.grid.spacing, cine.length_unit) == ((0.5, 0.25, 1), "mm")
    with pytest.raises(InputError, match="above 0"):
        calibration.set_spacing([sequence.GetNthDataNode(0)], (0.5, 0, 1))
