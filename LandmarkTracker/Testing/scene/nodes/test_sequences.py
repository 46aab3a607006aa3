"""Sequences of volumes and their landmarks, in a browser."""

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.sequences import add_cine, browser_of, cine_of, volume_sequence
from LandmarkTrackerLib.scene.nodes.subject import Subject

MARKUPS = slicer.vtkMRMLMarkupsNode


@pytest.fixture
def browser(scene, oblique_cine):
    return add_cine(scene, oblique_cine[0])


@pytest.fixture
def subject(app, browser):
    return Subject(browser, app.point_list())


def clicked(**points) -> LandmarkSet:
    return LandmarkSet.of(points)


def statuses(node):
    return [node.GetNthControlPointPositionStatus(n) for n in range(node.GetNumberOfControlPoints())]


def test_a_cine_comes_back_from_the_browser_as_it_was(browser, oblique_cine):
    cine = cine_of(browser)
    assert len(cine) == len(oblique_cine[0])
    assert list(cine.times) == list(oblique_cine[0].times)
    assert cine.time_unit == "frame"
    assert cine.grid.same_place(oblique_cine[0].grid)
    for back, was in zip(cine, oblique_cine[0], strict=True):
        assert (sitk.GetArrayFromImage(back) == sitk.GetArrayFromImage(was)).all()


def test_reading_frames_does_not_move_the_browser(browser):
    browser.SetSelectedItemNumber(2)
    list(cine_of(browser))
    assert browser.GetSelectedItemNumber() == 2


def test_a_real_cine_keeps_its_times(scene, real_data):
    from LandmarkTrackerLib.formats import open_cine

    cine = open_cine(real_data / "cardiac_cine" / "SCD0000101_slice05.seq.nrrd")
    storage = slicer.vtkMRMLVolumeSequenceStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(real_data / "cardiac_cine" / "SCD0000101_slice05.seq.nrrd"))
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "slice 5")
    assert storage.ReadData(sequence)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "slice 5")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    shown = cine_of(browser)
    assert shown.time_unit == cine.time_unit == "ms"
    assert list(shown.times) == pytest.approx(list(cine.times))
    assert shown.grid.same_place(cine.grid)
    assert (sitk.GetArrayFromImage(shown[7]) == sitk.GetArrayFromImage(cine[7])).all()


def test_a_volume_knows_the_browser_that_plays_into_it(browser):
    proxy = browser.GetProxyNode(volume_sequence(browser))
    assert browser_of(proxy) is browser
    assert Subject(proxy).node is browser


def test_a_browser_without_volumes_is_refused_by_name(app):
    browser = app.scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "transforms")
    with pytest.raises(InputError, match="'transforms' plays no sequence of volumes"):
        cine_of(browser)


def test_a_click_belongs_to_the_frame_in_view(app, browser):
    browser.SetSelectedItemNumber(3)
    subject = Subject(browser, app.point_list(apex=(1, 2, 3)))
    assert {t: here.names for t, here in subject.record.placed().items()} == {3: ("apex",)}


def test_scrubbing_shows_each_frames_points_and_none_of_another_frame(subject, browser):
    names = ("apex", "base")
    record = subject.record.with_known(0, clicked(apex=(0, 0, 0), base=(9, 9, 9)))
    record = record.with_answer(
        1, LandmarkSet(names, [[1, 1, 1], [np.nan] * 3], [[1, 1, 0]] * 2, defined=[True, False])
    )
    subject.show(record)
    shown = []
    for frame in range(3):
        browser.SetSelectedItemNumber(frame)
        shown.append(statuses(subject.point_list))
    defined, missing, unplaced = MARKUPS.PositionDefined, MARKUPS.PositionMissing, MARKUPS.PositionUndefined
    assert shown == [[defined, defined], [defined, missing], [unplaced, unplaced]]


def test_the_point_list_keeps_its_name(subject, browser):
    for frame in (1, 4, 0):
        browser.SetSelectedItemNumber(frame)
        assert subject.point_list.GetName() == "Landmarks"


def test_a_drag_is_saved_in_its_frame_by_slicer_itself(subject, browser):
    subject.show(subject.record.with_known(0, clicked(apex=(0, 0, 0))).with_known(1, clicked(apex=(1, 1, 1))))
    browser.SetSelectedItemNumber(1)
    subject.point_list.SetNthControlPointPosition(0, 7, 8, 9)
    browser.SetSelectedItemNumber(0)
    browser.SetSelectedItemNumber(1)
    assert tuple(subject.point_list.GetNthControlPointPosition(0)) == (7, 8, 9)
    assert subject.nodes.read().at(0)["apex"].position.tolist() == [0, 0, 0]


def test_an_edit_is_seen_and_scrubbing_is_no_edit(subject, browser):
    subject.show(subject.record.with_known(0, clicked(apex=(0, 0, 0))).with_known(1, clicked(apex=(1, 1, 1))))
    for frame in (1, 5, 0, 1):
        browser.SetSelectedItemNumber(frame)
        assert subject.with_edits() is subject.record
    subject.point_list.SetNthControlPointPosition(0, -7, -8, 9)
    assert subject.with_edits().at(1)["apex"].position.tolist() == [7, 8, 9]


def test_a_sequence_that_is_there_already_is_read_again(subject, browser):
    subject.show(subject.record.with_known(2, clicked(apex=(1, 2, 3))))
    again = Subject(browser, subject.point_list)
    assert again.nodes.sequence is subject.nodes.sequence
    assert again.record.at(2)["apex"].position.tolist() == [1, 2, 3]


def test_what_is_written_into_a_frame_is_seen_as_a_change_to_save(subject, tmp_path):
    sequence = subject.nodes.sequence
    sequence.AddDefaultStorageNode()
    sequence.GetStorageNode().SetFileName(str(tmp_path / "landmarks.seq.mrb"))
    assert sequence.GetStorageNode().WriteData(sequence)
    assert not sequence.GetModifiedSinceRead()
    subject.show(subject.record.with_known(4, clicked(apex=(1, 2, 3))))
    assert sequence.GetModifiedSinceRead()


def test_a_transformed_point_list_is_refused(app, browser):
    node = app.point_list("Moved")
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(InputError, match="'Moved' is under a transform"):
        Subject(browser, node)
