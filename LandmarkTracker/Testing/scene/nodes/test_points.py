"""Point lists <-> landmarks."""

import numpy as np
import pytest
import slicer
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.points import read_points, write_points

MARKUPS = slicer.vtkMRMLMarkupsNode


@pytest.fixture
def found() -> LandmarkSet:
    return LandmarkSet(
        ("apex", "base", "lost"),
        np.array([[1.0, 2.0, 3.0], [-4.0, 5.5, 6.0], [9.0, 9.0, 9.0]]),
        np.array([[0.5, 0.7, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]),
        np.array([0.8, 1.0, 0.9]),
        np.array([True, True, False]),
    )


def statuses(node):
    return [node.GetNthControlPointPositionStatus(n) for n in range(node.GetNumberOfControlPoints())]


def test_what_is_written_is_read_back(app, found):
    node = app.point_list()
    write_points(node, found.names, found)
    names, back = read_points(node)
    assert names == back.names == found.names
    assert back.positions == pytest.approx(found.positions, nan_ok=True)
    assert back.sigmas == pytest.approx(found.sigmas, nan_ok=True)
    assert back.scores == pytest.approx(found.scores)
    assert (back.defined == found.defined).all()


def test_lps_becomes_ras(app, found):
    node = app.point_list()
    write_points(node, found.names, found)
    assert tuple(node.GetNthControlPointPositionWorld(0)) == (-1.0, -2.0, 3.0)


def test_a_missing_landmark_is_missing_in_slicer_not_selected_and_nowhere(app, found):
    node = app.point_list(apex=(1, 2, 3), base=(1, 2, 3), lost=(70, 80, 90))
    write_points(node, found.names, found)
    assert statuses(node) == [MARKUPS.PositionDefined, MARKUPS.PositionDefined, MARKUPS.PositionMissing]
    assert [node.GetNthControlPointSelected(n) for n in range(3)] == [True, True, False]
    # What slicer.util returns for it is no place on the image any more.
    assert slicer.util.arrayFromMarkupsControlPoints(node)[2].tolist() == [0, 0, 0]


def test_a_landmark_that_needs_a_look_has_its_place_and_is_not_selected(app, found):
    node = app.point_list()
    write_points(node, found.names, found.uncertain_below(0.85))
    assert statuses(node) == [MARKUPS.PositionDefined, MARKUPS.PositionDefined, MARKUPS.PositionMissing]
    assert [node.GetNthControlPointSelected(n) for n in range(3)] == [False, True, False]
    assert [mark.status for mark in read_points(node)[1]] == ["uncertain", "defined", "missing"]
    node.SetNthControlPointSelected(0, True)
    assert read_points(node)[1]["apex"].status == "defined"


def test_a_placed_landmark_that_a_person_deselects_is_still_placed(app, found):
    node = app.point_list()
    write_points(node, found.names, found)
    node.SetNthControlPointSelected(1, False)
    assert read_points(node)[1]["base"].status == "defined"


def test_a_landmark_not_looked_for_is_the_one_that_slicer_places_next(app, found):
    node = app.point_list()
    write_points(node, (*found.names, "next"), found)
    assert statuses(node)[3] == MARKUPS.PositionUndefined
    names, known = read_points(node)
    assert names == (*found.names, "next")
    assert "next" not in known


def test_points_that_are_gone_are_removed_even_from_a_fixed_list(app, found):
    node = app.point_list(a=(0, 0, 0), b=(0, 0, 0), c=(0, 0, 0), d=(0, 0, 0))
    node.SetFixedNumberOfControlPoints(True)
    write_points(node, found.names, found)
    assert node.GetNumberOfControlPoints() == 3
    assert node.GetFixedNumberOfControlPoints()


def test_a_named_point_that_follows_the_mouse_keeps_its_name_and_has_no_position(app):
    node = app.point_list(apex=(1, 2, 3))
    node.SetNthControlPointPosition(0, 5, 5, 5, MARKUPS.PositionPreview)
    names, known = read_points(node)
    assert names == ("apex",)
    assert not len(known)


def test_a_clicked_point_has_no_uncertainty(app):
    _, known = read_points(app.point_list(apex=(1, 2, 3)))
    assert known.sigmas.tolist() == [[0, 0, 0]]
    assert known.scores.tolist() == [1]


def test_a_parent_transform_is_applied(app):
    node = app.point_list(apex=(1, 2, 3))
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[:3, 3] = (10, 20, 30)
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(shift))
    node.SetAndObserveTransformNodeID(transform.GetID())
    assert read_points(node)[1].positions.tolist() == [[-11, -22, 33]]


@pytest.mark.parametrize(("labels", "message"), [(("a", "a"), "are named 'a'"), (("a", " "), "has no name")])
def test_names_that_name_nothing_are_refused(app, labels, message):
    node = app.point_list("Heart")
    for label in labels:
        node.AddControlPoint(0, 0, 0, label)
    with pytest.raises(InputError, match=f"'Heart'.*{message}|{message}"):
        read_points(node)
