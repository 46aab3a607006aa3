"""The panel, used as a person uses it: in a window, on Slicer's real scene."""

import subprocess
import sys
import types

import numpy as np
import pytest
import slicer
from host.person import choose
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.scene.actions import Action, Setting
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from LandmarkTrackerLib.scene.sections.review import Review
from PySide6 import QtCore, QtTest, QtWidgets

MARKUPS = slicer.vtkMRMLMarkupsNode
LPS = np.array([-1, -1, 1])


@pytest.fixture
def browser(host, oblique_cine):
    return add_cine(slicer.mrmlScene, oblique_cine[0])


@pytest.fixture
def ui(host, browser):
    """The panel, with the cine chosen by itself and the method that needs no PyTorch."""
    ui = host.open()
    choose(ui.modelSelector, "ncc")
    return ui


@pytest.fixture
def at(oblique_cine):
    """(frame, (i, j)) -> RAS mm of the tissue that is at this pixel in frame 0."""
    cine, shifts = oblique_cine
    return lambda frame, pixel: cine.grid.to_world((*(np.array(pixel) + shifts[frame]), 0)) * LPS


def place(host, ui, ras, name=""):
    """A click in place mode, without a view."""
    ui.placeButton.click()
    host.widget._parameterNode.landmarks.AddControlPointWorld(*ras, name)
    ui.placeButton.click()


def propagate(host, ui, bench):
    ui.propagateButton.click()
    host.process(until=lambda: not bench.busy)


def cells(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def position(host):
    return np.array(host.widget._parameterNode.landmarks.GetNthControlPointPositionWorld(0))


def test_an_empty_scene_says_what_to_do_and_every_button_why_it_cannot(host):
    ui = host.open()
    assert ui.statusLabel.text() == "Choose a cine or a volume."
    buttons = (ui.placeButton, ui.protocolButton, ui.removeButton, ui.propagateButton, ui.cancelButton)
    buttons += (ui.findButton, ui.nextButton, ui.previousButton, ui.chartButton, ui.exportButton)
    buttons += (ui.exportPairsButton, ui.addPairsButton, ui.undoButton)
    for button in buttons:
        assert not button.isEnabled(), button.text()
        assert button.toolTip().endswith("."), button.text()


def test_the_first_cine_is_chosen_and_shown(host, ui, browser):
    assert ui.imageSelector.currentNode() is browser
    assert host.shown is browser.GetProxyNode(browser.GetMasterSequenceNode())
    assert ui.frameSlider.maximum() == 5
    assert "Press Place" in ui.statusLabel.text()


def test_opening_the_module_makes_nothing_but_its_parameters(host, browser):
    before = slicer.mrmlScene.GetNumberOfNodes()
    host.open()
    assert slicer.mrmlScene.GetNumberOfNodes() == before + 1


def test_a_mouse_click_in_a_slice_view_places_a_landmark(host, view, ui, browser, at):
    view.show(host.shown)
    ui.placeButton.click()
    assert ui.placeButton.isChecked()
    there = view.nearest(at(0, (45, 40)))
    view.move(at(0, (20, 20)))
    view.click(there)
    assert position(host) == pytest.approx(there)
    assert cells(ui.placedTable) == [["L1", "placed here"]]
    ui.placeButton.click()
    assert not ui.placeButton.isChecked()
    assert ui.statusLabel.text() == "Press Propagate."


def test_mouse_clicks_fill_a_protocol_in_its_order(host, view, ui, tmp_path, monkeypatch, at):
    path = tmp_path / "protocol.csv"
    path.write_text("label,l,p,s,defined\nwall,,,,0\napex,,,,0\n")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    view.show(host.shown)
    ui.protocolButton.click()
    assert cells(ui.placedTable) == [["wall", "not placed"], ["apex", "not placed"]]
    ui.placeButton.click()
    for pixel, hint in (((60, 50), "Click 'wall'"), ((45, 40), "Click 'apex'")):
        assert ui.statusLabel.text().startswith(hint)
        view.click(at(0, pixel))
    assert cells(ui.placedTable) == [["wall", "placed here"], ["apex", "placed here"]]
    # Slicer ends the placement of a list with a fixed number of points by itself.
    host.process()
    assert not ui.placeButton.isChecked()


def test_a_mouse_drag_corrects_a_frame(host, view, ui, bench, browser, at):
    view.show(host.shown)
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    browser.SetSelectedItemNumber(3)
    start, end = view.nearest(position(host)), view.nearest(at(3, (50, 44)))
    view.drag(start, end)
    assert position(host) == pytest.approx(end, abs=1.0)
    assert 3 in bench.inputs.subject.record.placed()
    assert ui.undoButton.text() == "Undo: place apex"
    ui.undoButton.click()
    assert position(host) == pytest.approx(at(3, (45, 40)), abs=0.1)


def test_a_lost_landmark_is_placed_with_the_mouse(host, view, ui, bench, browser, at):
    view.show(host.shown)
    place(host, ui, at(0, (45, 40)), "apex")
    ui.maxSigmaSpinBox.setValue(0.1)
    propagate(host, ui, bench)
    browser.SetSelectedItemNumber(3)
    assert cells(ui.placedTable) == [["apex", "missing here"]]
    ui.placeButton.click()
    view.click(at(3, (45, 40)))
    assert cells(ui.placedTable) == [["apex", "placed here"]]


def test_propagate_fills_the_progress_bar_and_the_findings(host, ui, bench, at):
    place(host, ui, at(0, (45, 40)), "apex")
    assert ui.propagateButton.isEnabled()
    propagate(host, ui, bench)
    rows = cells(ui.findingsTable)
    assert sorted(row[0] for row in rows) == ["1", "2", "3", "4", "5"]
    assert all(row[3].endswith(" %") for row in rows)
    assert not host.errors


def test_the_window_lives_while_landmarks_are_propagated(host, ui, bench, at):
    place(host, ui, at(0, (45, 40)), "apex")
    seen = []
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: seen.append((ui.progressBar.value(), ui.cancelButton.isEnabled())))
    timer.start(0)
    propagate(host, ui, bench)
    assert {value for value, _ in seen} >= {1, 2, 3, 4, 5}
    assert (3, True) in seen


def test_cancel_stops_and_keeps_what_is_done(host, ui, bench, at):
    place(host, ui, at(0, (45, 40)), "apex")
    ui.propagateButton.click()
    host.process(until=lambda: bench.progress[0] == 3)
    ui.cancelButton.click()
    host.process()
    assert sorted(bench.inputs.subject.record.frames) == [0, 1, 2]
    assert not ui.cancelButton.isEnabled()


def test_scrubbing_with_the_slider_shows_each_frame(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    for frame in range(6):
        ui.frameSlider.setValue(frame)
        assert browser.GetSelectedItemNumber() == frame
        assert ui.frameTextLabel.text() == f"{frame} of 5"
        assert position(host) == pytest.approx(at(frame, (45, 40)), abs=0.1)


def test_scrubbing_elsewhere_moves_the_slider(ui, browser):
    browser.SetSelectedItemNumber(4)
    assert ui.frameSlider.value() == 4


def test_live_propagates_when_a_click_lands(host, ui, bench, at):
    ui.liveCheckBox.click()
    place(host, ui, at(0, (45, 40)), "apex")
    host.process(until=lambda: not bench.busy)
    assert len(bench.inputs.subject.record.frames) == 6


def test_the_direction_is_the_users(host, ui, bench, browser, at):
    browser.SetSelectedItemNumber(3)
    place(host, ui, at(3, (45, 40)), "apex")
    choose(ui.directionSelector, "Backward")
    propagate(host, ui, bench)
    assert sorted(bench.inputs.subject.record.frames) == [0, 1, 2, 3]


def test_a_landmark_is_renamed_in_the_table(host, ui, bench, at):
    place(host, ui, at(0, (45, 40)), "apex")
    ui.placedTable.item(0, 0).setText("tip")
    assert bench.inputs.subject.record.names == ("tip",)
    assert host.widget._parameterNode.landmarks.GetNthControlPointLabel(0) == "tip"


def test_a_name_that_is_taken_is_refused_and_the_old_one_is_shown(host, ui, at):
    place(host, ui, at(0, (45, 40)), "apex")
    place(host, ui, at(0, (60, 50)), "base")
    ui.placedTable.item(1, 0).setText("apex")
    assert "'base' keeps its name" in ui.statusLabel.text()
    assert [row[0] for row in cells(ui.placedTable)] == ["apex", "base"]


def test_the_selected_landmark_is_removed(host, ui, at):
    place(host, ui, at(0, (45, 40)), "apex")
    place(host, ui, at(0, (60, 50)), "base")
    assert not ui.removeButton.isEnabled()
    assert ui.removeButton.toolTip() == "Click a landmark in the table first."
    ui.placedTable.selectRow(0)
    ui.removeButton.click()
    assert [row[0] for row in cells(ui.placedTable)] == ["base"]
    assert not ui.removeButton.isEnabled()


def test_a_selected_landmark_stays_selected_while_frames_go_by(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    place(host, ui, at(0, (60, 50)), "base")
    ui.placedTable.selectRow(1)
    propagate(host, ui, bench)
    browser.SetSelectedItemNumber(3)
    assert {item.row() for item in ui.placedTable.selectedItems()} == {1}
    assert bench.placement.selected == ("base",)


def test_uncertain_frames_are_walked_through(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    ui.uncertainBelowSpinBox.setValue(100)
    visited = []
    for _ in range(3):
        ui.nextButton.click()
        visited.append(browser.GetSelectedItemNumber())
    assert visited == [1, 2, 3]
    ui.previousButton.click()
    assert browser.GetSelectedItemNumber() == 2
    ui.uncertainBelowSpinBox.setValue(0)
    assert ui.nextButton.toolTip() == "No frame is uncertain."


def test_a_click_on_a_finding_goes_to_its_frame(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    ui.findingsTable.cellClicked.emit(2, 0)
    assert browser.GetSelectedItemNumber() == int(ui.findingsTable.item(2, 0).text())


def test_the_chart_is_shown_and_follows_corrections(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    ui.chartButton.click()
    chart = slicer.mrmlScene.GetNodeByID(host.mrml.logic.GetSelectionNode().GetActivePlotChartID())
    names = [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]
    assert names == ["apex", "apex - SD", "apex + SD"]
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    moved = [table.GetValueByName(t, "apex").ToDouble() for t in range(6)]
    shifts = [np.linalg.norm(at(t, (45, 40)) - at(0, (45, 40))) for t in range(6)]
    assert moved == pytest.approx(shifts, abs=0.1)
    browser.SetSelectedItemNumber(2)
    host.widget._parameterNode.landmarks.SetNthControlPointPositionWorld(0, *(at(0, (45, 40))))
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    assert table.GetValueByName(2, "apex").ToDouble() == pytest.approx(0, abs=1e-9)


def test_results_are_written_where_the_user_says(host, ui, bench, at, tmp_path):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    ui.exportFolderButton.setDirectory(str(tmp_path / "results"))
    ui.exportFramesCheckBox.click()
    ui.exportButton.click()
    assert ui.statusLabel.text() == f"8 files were written to {tmp_path / 'results'}"
    track = read_track_csv(tmp_path / "results" / "track.csv")
    assert track.positions == pytest.approx(
        bench.inputs.subject.record.track(bench.inputs.subject.cine).positions
    )
    ui.exportButton.click()
    assert "is there already" in ui.statusLabel.text()


def test_pairs_of_two_frames_are_written_and_added_to_the_scene(host, ui, bench, at, tmp_path):
    place(host, ui, at(0, (45, 40)), "apex")
    propagate(host, ui, bench)
    ui.exportFolderButton.setDirectory(str(tmp_path))
    choose(ui.movingSelector, "Frame 3")
    ui.exportPairsButton.click()
    moving = read_landmarks(tmp_path / "moving.mrk.json")
    assert moving["apex"].position * LPS == pytest.approx(at(3, (45, 40)), abs=0.1)
    ui.addPairsButton.click()
    assert slicer.util.getNode("moving Frame 3", scene=slicer.mrmlScene).GetNumberOfControlPoints() == 1


def test_other_subjects_are_ticked_and_found(host, ui, bench, oblique_cine, at):
    cine = oblique_cine[0]
    for frame in (2, 3):
        volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"patient {frame}")
        fill_volume(volume, cine[frame])
    place(host, ui, at(0, (45, 40)), "apex")
    assert [ui.othersList.item(n).text() for n in range(2)] == ["patient 2", "patient 3"]
    boxes = [ui.othersList.item(n).data(QtCore.Qt.ItemDataRole.CheckStateRole) for n in range(2)]
    assert None not in boxes
    assert ui.findButton.toolTip() == "Tick the volumes of other subjects first."
    ui.othersList.item(1).setCheckState(QtCore.Qt.CheckState.Checked)
    ui.findButton.click()
    host.process(until=lambda: not bench.busy)
    found = bench.inputs.others[0].point_list
    assert np.array(found.GetNthControlPointPositionWorld(0)) == pytest.approx(at(3, (45, 40)), abs=0.1)


def test_keys_work_while_the_module_is_open_and_not_after(host, ui, bench, at):
    def press(key):
        QtTest.QTest.keyClick(
            host.window,
            key,
            QtCore.Qt.KeyboardModifier.ControlModifier | QtCore.Qt.KeyboardModifier.ShiftModifier,
        )
        host.process()

    host.window.activateWindow()
    host.process()
    press(QtCore.Qt.Key.Key_L)
    assert bench.placement.active
    host.widget._parameterNode.landmarks.AddControlPointWorld(*at(0, (45, 40)), "apex")
    press(QtCore.Qt.Key.Key_L)
    press(QtCore.Qt.Key.Key_P)
    host.process(until=lambda: not bench.busy)
    assert len(bench.inputs.subject.record.frames) == 6
    press(QtCore.Qt.Key.Key_Z)
    assert len(bench.inputs.subject.record.placed()) == 1
    assert not bench.inputs.subject.record.looked_for
    host.leave()
    assert not bench.placement.active
    press(QtCore.Qt.Key.Key_L)
    assert not bench.placement.active


def test_leaving_and_coming_back_keeps_the_work(host, ui, bench, browser, at):
    place(host, ui, at(0, (45, 40)), "apex")
    host.leave()
    ui = host.open()
    assert ui.imageSelector.currentNode() is browser
    assert cells(ui.placedTable) == [["apex", "placed here"]]


def test_closing_the_scene_empties_the_panel(host, ui, bench, at):
    place(host, ui, at(0, (45, 40)), "apex")
    ui.propagateButton.click()
    slicer.mrmlScene.Clear(0)
    host.process()
    assert not bench.busy
    assert ui.statusLabel.text() == "Choose a cine or a volume."
    assert cells(ui.placedTable) == []
    assert ui.imageSelector.currentNode() is None


def test_choices_are_in_the_scenes_parameter_node(host, ui):
    choose(ui.directionSelector, "Forward")
    ui.liveCheckBox.click()
    node = slicer.mrmlScene.GetSingletonNode("LandmarkTracker", "vtkMRMLScriptedModuleNode")
    assert node.GetParameter("direction") == "FORWARD"
    assert node.GetParameter("live") == "True"
    assert node.GetParameter("model") == "ncc"
    node.SetParameter("direction", "BACKWARD")
    assert ui.directionSelector.currentText() == "Backward"


def test_a_new_point_list_made_in_the_selector_follows_the_cine(host, ui, bench, browser):
    node = ui.landmarksSelector.addNode()
    assert bench.inputs.subject.point_list is node
    assert browser.GetProxyNode(bench.inputs.subject.nodes.sequence) is node


def test_an_image_that_cannot_be_used_is_said_in_words(host, ui):
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    ui.imageSelector.setCurrentNode(empty)
    assert "'empty' holds no image" in ui.statusLabel.text()


def test_missing_pytorch_is_offered_through_its_extension(host, ui, bench, monkeypatch):
    monkeypatch.setattr(type(bench.models), "torch_missing", True)
    bench.notify()
    assert ui.installButton.isVisible()
    ui.installButton.click()
    assert "extension 'PyTorch'" in host.errors[0]
    asked = []
    logic = types.SimpleNamespace(installTorch=lambda **options: asked.append(options))
    monkeypatch.setitem(sys.modules, "PyTorchUtils", types.SimpleNamespace(PyTorchUtilsLogic=lambda: logic))
    ui.installButton.click()
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.4"}]


def test_the_module_loads_without_pytorch_and_without_a_window():
    script = (
        "import sys; sys.modules['torch'] = None;"
        "from host.host import Host; host = Host(); ui = host.open(); host.close(); print(ui is not None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=_paths()
    )
    assert done.stdout.endswith("True\n"), done.stderr


def test_sample_data_is_registered_after_startup_and_draws_a_cine(host, ui, bench, monkeypatch):
    registered = {}
    logic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **source: registered.update(source))
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    for slot in slicer.app.connected["startupCompleted()"]:
        slot()
    assert registered["category"] == "LandmarkTracker"
    browser = registered["customDownloader"](None)
    ui.imageSelector.setCurrentNode(browser)
    assert len(bench.inputs.subject.cine) == 60


def test_every_parameter_has_a_widget_and_every_named_widget_a_parameter(host, ui):
    named = {widget.property("SlicerParameterName") for widget in vars(ui).values()} - {None, ""}
    parameters = set(type(host.widget._parameterNode).__annotations__)
    assert named <= parameters
    # What there is to choose from changes, or is of several classes: the panel joins these by itself.
    assert parameters - named == {"image", "model", "detector", "mapMethod", "chartLandmark"}
    assert {"imageSelector", "modelSelector", "detectorSelector", "mapMethodSelector"} <= set(vars(ui))


def test_every_label_of_the_file_stands_before_its_own_widget(host, ui, bench):
    for setting in (part for part in bench.parts if isinstance(part, Setting)):
        field = next(w for w in vars(ui).values() if w.objectName().startswith(setting.name) and _is_field(w))
        beside = getattr(field.parentWidget().layout(), "labelForField", lambda _field: None)(field)
        if beside is not None:
            assert beside.text() == f"{setting.label}:"
        elif setting.kind == "flag":
            assert field.text() == setting.label


def test_what_a_section_offers_is_drawn_without_a_widget_in_the_file(host, monkeypatch):
    rows, done = Review.rows, []
    action = Action(
        "extra", "Extra", "Do more.", lambda: done.append(True), lambda: "" if ready else "Not yet."
    )
    monkeypatch.setattr(Review, "rows", lambda review: [*rows(review), [action]])
    ready = False
    ui = host.open()
    assert (ui.extraButton.isEnabled(), ui.extraButton.toolTip()) == (False, "Not yet.")
    ready = True
    host.widget.logic.workbench.notify()
    ui.extraButton.click()
    assert done == [True]
    assert ui.extraButton.toolTip() == "Do more."


def test_the_field_for_the_size_of_a_pixel_calibrates(host, ui, bench):
    ui.pixelSizeSpinBox.setValue(0.125)
    host.process()
    assert ui.calibrateButton.isEnabled()
    ui.calibrateButton.click()
    assert bench.inputs.subject.cine.grid.spacing[0] == pytest.approx(0.125)
    assert not host.errors


def test_the_in_app_test_passes_on_the_host(host):
    case = host.module.LandmarkTrackerTest()
    case.runTest()
    assert not host.errors


def _is_field(widget):
    return widget.objectName().endswith(
        ("Selector", "CheckBox", "SpinBox", "Edit", "List", "Slider", "FolderButton")
    )


def _paths():
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
