"""Sections Landmark sets and Match two scans, used as a person uses them."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from conftest import DOTS, textured
from host.person import add_volume, choose
from LandmarkTrackerLib.formats import read_image, read_landmarks
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.scene.nodes.volumes import image_of
from LandmarkTrackerLib.training import recipe
from PySide6 import QtCore, QtWidgets

LPS = np.array([-1, -1, 1])
SHIFT = (18, -11)  # columns, rows


def press(host, bench, button):
    button.click()
    host.process(until=lambda: not bench.busy)
    assert not host.errors


def live(host, until, seconds=600):
    """Let the window live until something holds that another process does."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        host.qt_app.processEvents()
        time.sleep(0.02)


def points(point_list):
    """(N, 3) LPS mm."""
    count = point_list.GetNumberOfControlPoints()
    return np.array([point_list.GetNthControlPointPositionWorld(n) for n in range(count)]) * LPS


def test_every_button_says_why_it_cannot_be_pressed(ui, bench, tmp_path):
    ui.annotatedFolderButton.setDirectory(str(tmp_path / "nowhere"))
    buttons = (ui.detectButton, ui.saveAnnotatedButton, ui.trainButton, ui.continueButton, ui.stopButton)
    buttons += (
        ui.computeMapButton,
        ui.mapShownCheckBox,
        ui.lossButton,
        ui.matchButton,
        ui.warpButton,
        ui.removePairsButton,
        ui.lookSelector,
    )
    for button in buttons:
        assert not button.isEnabled(), button.objectName()
        assert button.toolTip().endswith("."), button.objectName()


def test_a_detector_of_the_users_is_opened_and_answers_in_every_ticked_volume(
    host, ui, bench, dots, root, tmp_path, monkeypatch
):
    # Not one that is trained here: torch's compiler and the OpenGL of the views do not load into one process.
    shutil.copy(root / "models" / "scn-cardiac-lv.pt", tmp_path / "mine.pt")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "mine.pt"), ""))
    nodes = [add_volume(f"patient {seed}", dots(seed)[0]) for seed in (21, 22)]
    ui.imageSelector.setCurrentNode(nodes[0])
    ui.detectorFileButton.click()
    assert ui.detectorSelector.currentText() == "mine"
    assert host.widget._parameterNode.detector == str(tmp_path / "mine.pt")
    ui.othersList.item(0).setCheckState(QtCore.Qt.CheckState.Checked)
    press(host, bench, ui.detectButton)
    assert ui.statusLabel.text().startswith("Detected ")
    for subject in bench.detection.targets:
        node = subject.point_list
        statuses = [node.GetNthControlPointPositionStatus(n) for n in range(5)]
        # These are no hearts.
        assert statuses.count(slicer.vtkMRMLMarkupsNode.PositionMissing) >= 3
        assert len(statuses) == node.GetNumberOfControlPoints()
    assert host.widget._parameterNode.landmarks is bench.inputs.subject.point_list
    ui.undoButton.click()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


def test_annotated_volumes_are_saved_and_a_detector_is_trained_on_them_and_stopped(
    host, ui, bench, dots, tmp_path, monkeypatch
):
    tiny = recipe.Defaults(48, 8, "width = 8\nlevels = 2\nfactor = 4\nkernel = 5", 2)
    monkeypatch.setitem(recipe.DEFAULTS, 2, tiny)
    nodes = [add_volume(f"patient {seed}", dots(seed)[0]) for seed in range(4)]
    ui.annotatedFolderButton.setDirectory(str(tmp_path / "annotated"))
    ui.modelFolderButton.setDirectory(str(tmp_path / "my dots"))
    ui.trainingStepsSpinBox.setValue(900)
    for seed, node in enumerate(nodes):
        ui.imageSelector.setCurrentNode(node)
        ui.placeButton.click()
        for name, position in zip(DOTS, dots(seed)[1], strict=True):
            host.widget._parameterNode.landmarks.AddControlPointWorld(*(position * LPS), name)
        ui.placeButton.click()
        ui.saveAnnotatedButton.click()
    assert len(list((tmp_path / "annotated").iterdir())) == 8
    assert read_landmarks(tmp_path / "annotated" / "patient 3.mrk.json").names == DOTS
    ui.trainButton.click()
    assert ui.stopButton.isEnabled(), ui.statusLabel.text()
    live(host, lambda: "of 900" in ui.trainingTextLabel.text() and bench.learning.obstacle_chart == "")
    assert ui.trainingProgressBar.maximum() == 900
    assert ui.trainingProgressBar.value() >= 10
    ui.lossButton.click()
    chart = slicer.mrmlScene.GetNodeByID(host.mrml.logic.GetSelectionNode().GetActivePlotChartID())
    assert chart.GetNthPlotSeriesNode(0).GetName() == "loss"
    ui.stopButton.click()
    live(host, lambda: not bench.learning.running)
    assert ui.statusLabel.text() == "The training was stopped; press Continue to go on."
    assert ui.trainingLog.toPlainText().splitlines()[-1].startswith("stopped at step")
    assert ui.continueButton.isEnabled()
    assert (tmp_path / "my dots" / "last.ckpt").exists()
    assert not host.errors


def test_two_scans_are_matched_looked_at_warped_and_exported(host, ui, bench, tmp_path):
    large = textured((200, 180)).astype(np.float32) * 1.5 - 150
    cuts = [large[None, j : j + 128, i : i + 144] for i, j in ((30, 30), (30 - SHIFT[0], 30 - SHIFT[1]))]
    nodes = [
        add_volume(name, sitk.GetImageFromArray(cut)) for name, cut in zip(("one", "two"), cuts, strict=True)
    ]
    for selector, node in zip((ui.fixedVolumeSelector, ui.movingVolumeSelector), nodes, strict=True):
        selector.setCurrentNode(node)
    press(host, bench, ui.matchButton)
    fixed, moving = (subject.point_list for subject in bench.matching.matched)
    count = ui.pairsTable.rowCount()
    assert fixed.GetNumberOfControlPoints() == moving.GetNumberOfControlPoints() == count > 20
    off = np.linalg.norm(points(moving) - points(fixed) - (*SHIFT, 0), axis=1)
    assert np.median(off) < 0.5
    least = [ui.pairsTable.item(n, 0).text() for n in range(4)]
    ui.pairsTable.item(2, 0).setSelected(True)
    ui.removePairsButton.click()
    assert ui.pairsTable.rowCount() == fixed.GetNumberOfControlPoints() == count - 1
    assert [ui.pairsTable.item(n, 0).text() for n in range(3)] == [*least[:2], least[3]]
    ui.undoButton.click()
    assert ui.pairsTable.rowCount() == moving.GetNumberOfControlPoints() == count
    press(host, bench, ui.warpButton)
    assert ui.lookSelector.currentText() == "Checkerboard"
    assert not ui.rockSlider.isEnabled()
    choose(ui.lookSelector, "Blend")
    ui.rockSlider.setValue(80)
    assert bench.comparison.share == 0.8
    ui.exportFolderButton.setDirectory(str(tmp_path))
    choose(ui.fixedSelector, "fixed scan: one")
    choose(ui.movingSelector, "moving scan: two")
    ui.exportProgramsList.item(0).setCheckState(QtCore.Qt.CheckState.Checked)
    ui.exportPairsButton.click()
    assert (tmp_path / ui.exportProgramsList.item(0).text()).is_dir()
    assert len(read_landmarks(tmp_path / "moving.mrk.json")) == count


def test_a_slice_and_a_volume_are_refused_before_they_are_matched(ui):
    for name, depth in (("flat", 1), ("deep", 5)):
        add_volume(name, sitk.Image([20, 20, depth], sitk.sitkInt16))
    ui.fixedVolumeSelector.setCurrentNode(slicer.util.getNode("flat", scene=slicer.mrmlScene))
    ui.movingVolumeSelector.setCurrentNode(slicer.util.getNode("deep", scene=slicer.mrmlScene))
    assert (
        ui.matchButton.toolTip() == "'flat' and 'deep' are a slice and a volume; choose two of the same kind."
    )


@pytest.mark.real_data
def test_hearts_of_an_unseen_patient_get_their_landmarks(host, ui, bench, real_data):
    files = sorted((real_data / "cardiac_edes" / "images").glob("SC-HF-I-40-IM-*.png"))[2:5]
    nodes = [add_volume(path.stem, read_image(path)) for path in files]
    ui.imageSelector.setCurrentNode(nodes[0])
    for n in range(2):
        ui.othersList.item(n).setCheckState(QtCore.Qt.CheckState.Checked)
    press(host, bench, ui.detectButton)
    for subject, path in zip(bench.detection.targets, files, strict=True):
        mask = read_image(real_data / "cardiac_edes" / "lv_masks" / path.name)
        inside = np.argwhere(pixels(mask)[0] > 0)[:, ::-1].mean(axis=0)
        found = Grid.of(mask).to_index(subject.record.at(0)["lv_centroid"].position)
        assert np.linalg.norm(found[:2] - inside) < 8


@pytest.mark.real_data
def test_two_dates_of_a_patient_look_alike_once_one_is_warped(host, ui, bench, real_data):
    files = sorted((real_data / "ct_followup" / "A002304").glob("axial_*.nrrd"))
    nodes = [add_volume(path.stem, read_image(path)) for path in files]
    for selector, node in zip((ui.fixedVolumeSelector, ui.movingVolumeSelector), nodes, strict=True):
        selector.setCurrentNode(node)
    press(host, bench, ui.matchButton)
    assert ui.pairsTable.rowCount() > 30
    press(host, bench, ui.warpButton)
    fixed, moving, warped = (image_of(node) for node in (*nodes, bench.comparison._nodes.volume))
    here, there = (Grid.of(image).to_world((np.array(image.GetSize()) - 1) / 2) for image in (fixed, moving))
    centred = sitk.TranslationTransform(3, (there - here).tolist())
    laid_over = sitk.Resample(moving, fixed, centred, sitk.sitkLinear, -1024.0)
    window = [np.clip(pixels(image), -200, 300) for image in (fixed, laid_over, warped)]
    before, after = (np.corrcoef(window[0].ravel(), other.ravel())[0, 1] for other in window[1:])
    assert after > 0.7
    assert after > before + 0.1, (before, after)
