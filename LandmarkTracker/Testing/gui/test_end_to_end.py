"""From a real cine to a saved scene, all through the panel, on Slicer's own classes."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import slicer
from host.mrml import Mrml
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.scene.workbench import Workbench

LPS = np.array([-1, -1, 1])
CINE, DIASTOLE, SYSTOLE = "SCD0000301_slice04", 19, 6


@pytest.fixture
def cardiac(real_data) -> Path:
    return real_data / "cardiac_cine"


@pytest.fixture
def ui(host, view, cardiac):
    """The panel with the cine in it, read by Slicer's own reader, and shown in the slice view."""
    browser = load(slicer.mrmlScene, cardiac / f"{CINE}.seq.nrrd")
    ui = host.open()
    assert ui.imageSelector.currentNode() is browser
    ui.modelSelector.setCurrentIndex(ui.modelSelector.findText("ncc"))
    view.show(host.shown)
    return ui


@pytest.fixture
def expert(bench, cardiac):
    """frame -> (N, 3) the expert's contour of the blood pool, RAS mm."""
    contours = json.loads((cardiac / "SCD0000301_contours.json").read_text())["contours"]

    def contour(frame):
        mine = next(c for c in contours if c["sequence"] == CINE and c["frame"] == frame)
        pixels = np.array(mine["points_px"])
        return bench.inputs.subject.cine.grid.to_world(np.column_stack([pixels, np.zeros(len(pixels))])) * LPS

    return contour


def load(scene, path):
    """What Slicer's sequence reader does."""
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", path.name.partition(".")[0])
    assert storage.ReadData(sequence)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", sequence.GetName())
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser


def shown(host, name):
    """Where the point list has a landmark, RAS mm; None if it has no position."""
    node = host.widget._parameterNode.landmarks
    n = node.GetControlPointIndexByLabel(name)
    if node.GetNthControlPointPositionStatus(n) != node.PositionDefined:
        return None
    return np.array(node.GetNthControlPointPositionWorld(n))


def press(host, bench, button):
    button.click()
    host.process(until=lambda: not bench.busy)
    assert not bench.problem, bench.problem
    assert not host.errors


def test_click_propagate_scrub_correct_export_save_and_read_back(host, view, ui, bench, expert, tmp_path):
    # Click four points of the expert's contour at end-diastole.
    ui.frameSlider.setValue(DIASTOLE)
    ui.placeButton.click()
    clicked = [view.nearest(point) for point in expert(DIASTOLE)[[0, 70, 140, 210]]]
    for point in clicked:
        view.click(point)
    ui.placeButton.click()
    names = [line.key for line in bench.placement.lines()]
    assert names == ["L1", "L2", "L3", "L4"]

    # Propagate, and scrub to end-systole: the points lie on the wall there, and nearer than if nothing moved.
    press(host, bench, ui.propagateButton)
    tracks = {name: [] for name in names}
    for frame in range(20):
        ui.frameSlider.setValue(frame)
        for name in names:
            tracks[name].append(shown(host, name))
    for name, point in zip(names, clicked, strict=True):
        assert tracks[name][DIASTOLE] == pytest.approx(point)
    apart = [np.linalg.norm(expert(SYSTOLE) - tracks[name][SYSTOLE], axis=1).min() for name in names]
    unmoved = [np.linalg.norm(expert(SYSTOLE) - point, axis=1).min() for point in clicked]
    assert np.mean(apart) < 0.75 * np.mean(unmoved)

    # Drag the worst one onto the expert's contour, and go on from there.
    worst = names[int(np.argmax(apart))]
    ui.frameSlider.setValue(SYSTOLE)
    wrong = tracks[worst][SYSTOLE]
    right = view.nearest(expert(SYSTOLE)[np.linalg.norm(expert(SYSTOLE) - wrong, axis=1).argmin()])
    view.drag(view.nearest(wrong), right)
    corrected = shown(host, worst)
    assert corrected == pytest.approx(right, abs=0.7)
    ui.directionSelector.setCurrentIndex(ui.directionSelector.findText("Forward"))
    press(host, bench, ui.propagateButton)
    ui.frameSlider.setValue(SYSTOLE - 1)
    for name in names:
        assert shown(host, name) == pytest.approx(tracks[name][SYSTOLE - 1])
    ui.frameSlider.setValue(SYSTOLE)
    assert shown(host, worst) == pytest.approx(corrected)

    # Undo the second propagation and the correction, and do the correction again.
    ui.undoButton.click()
    ui.undoButton.click()
    assert shown(host, worst) == pytest.approx(wrong)
    view.drag(view.nearest(wrong), right)

    # Export, and read back.
    ui.exportFolderButton.setDirectory(str(tmp_path / "export"))
    ui.exportFramesCheckBox.click()
    ui.exportButton.click()
    assert not bench.problem
    track = read_track_csv(tmp_path / "export" / "track.csv")
    record = bench.inputs.subject.record
    assert track.positions == pytest.approx(
        np.stack([record.at(t).positions for t in range(20)]), nan_ok=True
    )
    assert read_landmarks(tmp_path / "export" / "frame_0006.mrk.json").names == tuple(names)

    # Save the scene as Slicer bundles it, and read it into another.
    assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "scene.mrb"), None)
    files = zipfile.ZipFile(tmp_path / "scene.mrb").namelist()
    assert any(file.endswith(".seq.nrrd") for file in files)
    assert any(file.endswith(".seq.mrb") for file in files)
    other = Mrml()
    try:
        assert other.scene.ReadFromMRB(str(tmp_path / "scene.mrb"), False)
        same_work(bench, other)
    finally:
        other.close()


def same_work(bench, other) -> None:
    """Another workbench takes up the work where it was left."""
    again = Workbench(other.scene)
    again.inputs.choose_image(again.inputs.first_cine())
    before, after = bench.inputs.subject, again.inputs.subject
    assert after.record.names == before.record.names
    assert list(after.cine.times) == pytest.approx(list(before.cine.times))
    for frame in range(20):
        assert after.record.at(frame).positions == pytest.approx(before.record.at(frame).positions, abs=1e-3)
        assert after.record.at(frame).sigmas == pytest.approx(before.record.at(frame).sigmas, abs=1e-3)
    assert {t: here.names for t, here in after.record.placed().items()} == {
        t: here.names for t, here in before.record.placed().items()
    }
    parameters = other.scene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode")
    assert parameters.GetParameter("model") == "ncc"
    assert parameters.GetNodeReference("landmarks").GetName() == before.point_list.GetName()
    again.close()


def test_the_model_that_is_chosen_by_itself_runs(host, ui, bench, expert):
    ui.modelSelector.setCurrentIndex(0)
    assert bench.models.chosen.trained
    assert ui.runsOnLabel.text() in ("CPU", "CUDA")
    ui.frameSlider.setValue(DIASTOLE)
    ui.placeButton.click()
    for point in expert(DIASTOLE)[[0, 140]]:
        host.widget._parameterNode.landmarks.AddControlPointWorld(*point)
    press(host, bench, ui.propagateButton)
    assert len(bench.inputs.subject.record.frames) == 20


def test_the_batch_script_does_the_same_for_a_folder(
    host, ui, bench, expert, cardiac, root, tmp_path, monkeypatch
):
    folder = tmp_path / "cines"
    folder.mkdir()
    ui.frameSlider.setValue(DIASTOLE)
    node = ui.landmarksSelector.addNode()
    for point in expert(DIASTOLE)[[0, 140]]:
        node.AddControlPointWorld(*point)
    storage = slicer.vtkMRMLMarkupsJsonStorageNode()
    slicer.mrmlScene.AddNode(storage)
    for name in (CINE, "SCD0000301_slice05"):
        shutil.copy(cardiac / f"{name}.seq.nrrd", folder)
    # As Slicer saves a point list. The second cine has none.
    storage.SetFileName(str(folder / f"{CINE}.mrk.json"))
    assert storage.WriteData(node)
    script = root / "LandmarkTracker" / "Resources" / "landmark-tracker.py"
    words = ["batch", folder, "--frame", DIASTOLE, "--model", "ncc", "--output", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 1
    press(host, bench, ui.propagateButton)
    track = read_track_csv(tmp_path / "out" / CINE / "track.csv")
    record = bench.inputs.subject.record
    assert track.positions == pytest.approx(np.stack([record.at(t).positions for t in range(20)]), abs=1e-6)
    assert "SCD0000301_slice05,failed" in (tmp_path / "out" / "cases.csv").read_text()
