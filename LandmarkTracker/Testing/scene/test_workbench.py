"""The user's work from the choice of an image to undo, on Slicer's real scene and without Qt."""

import numpy as np
import pytest
import slicer
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from LandmarkTrackerLib.scene.workbench import Workbench, workbench_of

MARKUPS = slicer.vtkMRMLMarkupsNode
LPS = np.array([-1, -1, 1])


@pytest.fixture
def cine(oblique_cine):
    return oblique_cine[0]


@pytest.fixture
def browser(scene, cine):
    return add_cine(scene, cine)


@pytest.fixture
def bench(scene, browser):
    bench = Workbench(scene)
    bench.models.choose("ncc")
    bench.inputs.choose_image(browser)
    yield bench
    bench.close()


@pytest.fixture
def truth(oblique_cine):
    """(frame, (i, j)) -> RAS mm of the tissue that is at this pixel in frame 0."""
    cine, shifts = oblique_cine

    def at(frame, pixel):
        i, j = np.array(pixel) + shifts[frame]
        return cine.grid.to_world((i, j, 0)) * LPS

    return at


def click(bench, position, label=""):
    """What Slicer does for a click in place mode: the next unplaced point, or a new one, gets a position."""
    bench.placement.start()
    node = bench.inputs.subject.point_list
    unplaced = node.GetNthControlPointIndexByPositionStatus(0, MARKUPS.PositionUndefined)
    if unplaced < 0:
        node.AddControlPointWorld(*position, label)
    else:
        node.SetNthControlPointPositionWorld(unplaced, *position)
    bench.placement.stop()


def run(bench):
    steps = 0
    while bench.busy:
        bench.advance()
        steps += 1
    return steps


def shown(bench, frame):
    """Label to RAS position (None where the point has none) as the user sees it in this frame."""
    bench.review.go_to(frame)
    node = bench.inputs.subject.point_list
    found = {}
    for n in range(node.GetNumberOfControlPoints()):
        defined = node.GetNthControlPointPositionStatus(n) == MARKUPS.PositionDefined
        found[node.GetNthControlPointLabel(n)] = (
            np.array(node.GetNthControlPointPositionWorld(n)) if defined else None
        )
    return found


def test_everything_says_what_is_missing_before_an_image_is_chosen(scene):
    bench = Workbench(scene)
    assert bench.status == "Choose a cine or a volume."
    for obstacle in (bench.placement.obstacle, bench.propagation.obstacle, bench.propagation.obstacle_across):
        assert obstacle == "Choose a cine or a volume first."
    assert bench.review.obstacle
    assert bench.exports.obstacle
    assert bench.obstacle_undo


def test_choosing_an_image_changes_nothing_in_the_scene(scene, browser):
    bench = Workbench(scene)
    before = scene.GetNumberOfNodes()
    bench.inputs.choose_image(browser)
    assert scene.GetNumberOfNodes() == before
    assert not bench.problem


def test_an_image_that_cannot_be_used_is_refused_in_words(scene, app):
    bench = Workbench(scene)
    bench.inputs.choose_image(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))
    assert "'empty' holds no image" in bench.problem
    assert bench.status == bench.problem
    assert bench.inputs.subject is None


def test_placing_makes_a_point_list_and_puts_slicer_into_place_mode(bench, scene):
    assert "Press Place" in bench.status
    bench.placement.start()
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    assert bench.placement.active
    assert bench.inputs.subject.point_list.GetDisplayNode() is not None
    assert bench.status == "Click a landmark in a slice view."
    bench.placement.stop()
    assert not bench.placement.active


def test_a_click_is_propagated_and_scrubbing_shows_it(bench, browser, cine, truth):
    browser.SetSelectedItemNumber(2)
    click(bench, truth(2, (45, 40)), "apex")
    assert bench.status == "Press Propagate."
    bench.propagation.start()
    run(bench)
    assert not bench.problem
    for frame in range(len(cine)):
        assert shown(bench, frame)["apex"] == pytest.approx(truth(frame, (45, 40)), abs=0.1)
    exact = bench.inputs.subject.record.at(2)["apex"].position
    assert exact == pytest.approx(truth(2, (45, 40)) * LPS, abs=1e-12)


def test_a_step_is_one_frame_and_progress_counts_them(bench, cine, truth):
    click(bench, truth(0, (45, 40)))
    bench.propagation.start()
    assert bench.status == "Preparing"
    counts = []
    while bench.busy:
        bench.advance()
        counts.append(bench.progress[0])
    assert counts[:-1] == list(range(len(cine) + 1))


def test_progress_gives_an_estimate(bench, truth):
    click(bench, truth(0, (45, 40)))
    bench.propagation.start()
    for _ in range(3):
        bench.advance()
    assert bench.status == "2 of 6, about 1 s left"


def test_cancel_keeps_what_is_done(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    for _ in range(4):
        bench.advance()
    bench.cancel()
    assert not bench.busy
    assert sorted(bench.inputs.subject.record.frames) == [0, 1, 2]
    assert shown(bench, 3) == {"apex": None}


def test_views_hear_of_every_step(bench, truth):
    heard = []
    bench.changed.AddObserver("ModifiedEvent", lambda *_: heard.append(bench.progress))
    click(bench, truth(0, (45, 40)))
    bench.propagation.start()
    before = len(heard)
    run(bench)
    assert len(heard) - before >= 7


def test_live_propagates_as_soon_as_the_click_lands(bench, truth):
    bench.propagation.live = True
    click(bench, truth(0, (45, 40)), "apex")
    assert bench.busy
    run(bench)
    assert shown(bench, 5)["apex"] == pytest.approx(truth(5, (45, 40)), abs=0.1)


def test_a_second_click_during_a_live_propagation_is_not_forgotten(bench, truth):
    bench.propagation.live = True
    click(bench, truth(0, (45, 40)), "apex")
    bench.advance()
    bench.advance()
    click(bench, truth(0, (60, 50)), "base")
    run(bench)
    assert shown(bench, 5)["apex"] == pytest.approx(truth(5, (45, 40)), abs=0.1)
    assert shown(bench, 5)["base"] == pytest.approx(truth(5, (60, 50)), abs=0.1)


def test_a_drag_corrects_its_frame_only_when_it_ends(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    run(bench)
    bench.review.go_to(3)
    node = bench.inputs.subject.point_list
    node.InvokeEvent(MARKUPS.PointStartInteractionEvent)
    for step in (1, 2, 3):
        node.SetNthControlPointPositionWorld(0, *(truth(3, (45, 40)) + step))
    assert 3 not in bench.inputs.subject.record.placed()
    node.InvokeEvent(MARKUPS.PointEndInteractionEvent)
    corrected = bench.inputs.subject.record.placed()[3]["apex"]
    assert corrected.position * LPS == pytest.approx(truth(3, (45, 40)) + 3)
    assert shown(bench, 3)["apex"] == pytest.approx(truth(3, (45, 40)) + 3)
    assert shown(bench, 2)["apex"] == pytest.approx(truth(2, (45, 40)), abs=0.1)


def test_a_correction_goes_on_from_its_frame_and_leaves_the_frames_before(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    click(bench, truth(0, (60, 50)), "base")
    bench.propagation.start()
    run(bench)
    before = bench.inputs.subject.record
    bench.review.go_to(3)
    # The user means other tissue from here on.
    bench.inputs.subject.point_list.SetNthControlPointPositionWorld(0, *truth(3, (52, 35)))
    bench.propagation.direction = "forward"
    bench.propagation.start()
    assert bench.progress[1] == 3
    run(bench)
    after = bench.inputs.subject.record
    assert shown(bench, 5)["apex"] == pytest.approx(truth(5, (52, 35)), abs=0.1)
    assert after.at(1) is not None
    assert (after.at(1).positions == before.at(1).positions).all()
    assert (after.at(5)["base"].position == before.at(5)["base"].position).all()


def test_a_propagation_does_not_replace_a_point_that_was_placed_meanwhile(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    bench.advance()
    bench.review.go_to(4)
    node = bench.inputs.subject.point_list
    node.SetNthControlPointPositionWorld(0, *truth(4, (47, 41)))
    run(bench)
    assert shown(bench, 4)["apex"] == pytest.approx(truth(4, (47, 41)))


def test_undo_takes_back_one_change_at_a_time(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    run(bench)
    bench.review.go_to(2)
    found = shown(bench, 2)["apex"]
    bench.inputs.subject.point_list.SetNthControlPointPositionWorld(0, *truth(2, (47, 41)))
    assert bench.history.label == "place apex"
    bench.undo()
    assert shown(bench, 2)["apex"] == pytest.approx(found)
    assert bench.history.label == "propagate apex"
    bench.undo()
    assert shown(bench, 2) == {"apex": None}
    assert shown(bench, 0)["apex"] is not None
    bench.undo()
    assert bench.inputs.subject.record.names == ()
    bench.undo()
    assert bench.inputs.subject.point_list is None
    assert bench.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0
    assert bench.scene.GetNumberOfNodesByClass("vtkMRMLSequenceNode") == 1
    assert bench.obstacle_undo == "Nothing to undo."


def test_undo_of_an_edit_keeps_what_was_found_since(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    for _ in range(3):
        bench.advance()
    bench.inputs.subject.point_list.SetNthControlPointPositionWorld(0, *truth(0, (46, 41)))
    run(bench)
    bench.undo()
    assert shown(bench, 0)["apex"] == pytest.approx(truth(0, (45, 40)))
    assert shown(bench, 5)["apex"] is not None


def test_undo_while_propagating_stops_it_and_takes_it_back(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    for _ in range(4):
        bench.advance()
    bench.undo()
    assert not bench.busy
    assert sorted(bench.inputs.subject.record.placed()) == [0]
    assert shown(bench, 1) == {"apex": None}


def test_an_existing_point_list_begins_to_follow_the_cine_and_undo_lets_it_go(bench, app, browser, truth):
    browser.SetSelectedItemNumber(1)
    node = app.point_list("F", apex=truth(1, (45, 40)))
    bench.inputs.choose_points(node)
    assert browser.GetProxyNode(bench.inputs.subject.nodes.sequence) is node
    bench.propagation.start()
    run(bench)
    assert shown(bench, 4)["apex"] == pytest.approx(truth(4, (45, 40)), abs=0.1)
    bench.undo()
    bench.undo()
    assert bench.inputs.subject.point_list is None
    assert bench.scene.GetNumberOfNodesByClass("vtkMRMLSequenceNode") == 1
    assert node.GetScene() is bench.scene


def test_a_scene_has_one_workbench_until_it_is_closed(scene):
    bench = workbench_of(scene)
    assert workbench_of(scene) is bench
    bench.close()
    again = workbench_of(scene)
    assert again is not bench
    again.close()


def test_a_point_list_of_another_cine_is_refused(bench, scene, cine):
    bench.placement.start()
    node = bench.inputs.subject.point_list
    bench.inputs.choose_image(add_cine(scene, cine))
    assert bench.inputs.subject.point_list is None
    bench.inputs.choose_points(node)
    assert "belongs to the cine 'oblique'" in bench.problem


def test_coming_back_to_an_image_finds_its_landmarks_and_its_undo(bench, scene, cine, browser, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.inputs.choose_image(add_cine(scene, cine))
    bench.inputs.choose_image(browser)
    assert bench.inputs.subject.record.names == ("apex",)
    bench.undo()
    assert bench.inputs.subject.record.names == ()


def test_a_name_given_twice_is_refused_and_the_old_one_comes_back(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    click(bench, truth(0, (60, 50)), "base")
    node = bench.inputs.subject.point_list
    node.SetNthControlPointLabel(1, "apex")
    assert "are named 'apex'" in bench.problem
    assert [node.GetNthControlPointLabel(n) for n in range(2)] == ["apex", "base"]


def test_a_landmark_renamed_in_slicer_is_renamed_in_every_frame(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    run(bench)
    bench.review.go_to(3)
    bench.inputs.subject.point_list.SetNthControlPointLabel(0, "tip")
    assert list(shown(bench, 5)) == ["tip"]
    bench.undo()
    assert list(shown(bench, 5)) == ["apex"]


def test_a_landmark_removed_in_slicer_is_removed_from_every_frame_and_comes_back_with_undo(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    click(bench, truth(0, (60, 50)), "base")
    bench.propagation.start()
    run(bench)
    bench.inputs.subject.point_list.RemoveNthControlPoint(0)
    assert list(shown(bench, 5)) == ["base"]
    bench.undo()
    assert shown(bench, 5)["apex"] == pytest.approx(truth(5, (45, 40)), abs=0.1)


def test_new_landmarks_get_names_of_their_own_in_every_frame(bench, truth):
    for frame in (0, 4, 2):
        bench.review.go_to(frame)
        bench.placement.start()
        bench.inputs.subject.point_list.AddControlPointWorld(*truth(frame, (40 + frame, 40)))
    assert not bench.problem
    assert len(set(bench.inputs.subject.record.names)) == 3


def test_a_protocol_is_clicked_in_its_order(bench, tmp_path, truth):
    path = tmp_path / "protocol.csv"
    path.write_text(
        "label,l,p,s,defined,selected,visible,locked,description\nwall,,,,0,1,1,0,\napex,,,,0,1,1,0,\n"
    )
    bench.placement.load_protocol(path)
    assert not bench.problem
    assert [line.key for line in bench.placement.lines()] == ["wall", "apex"]
    assert bench.placement.lines()[0].cells == ("wall", "not placed")
    bench.placement.start()
    assert bench.status == "Click 'wall' in a slice view."
    click(bench, truth(0, (60, 50)))
    bench.placement.start()
    assert bench.status == "Click 'apex' in a slice view."
    click(bench, truth(0, (45, 40)))
    assert bench.inputs.subject.record.placed()[0].names == ("wall", "apex")
    assert bench.inputs.subject.point_list.GetControlPointPlacementComplete()


def test_a_protocol_that_is_none_is_refused_in_words(bench, tmp_path):
    (tmp_path / "notes.txt").write_text("apex")
    bench.placement.load_protocol(tmp_path / "notes.txt")
    assert "not a landmark file" in bench.problem
    assert bench.inputs.subject.point_list is None
    assert bench.obstacle_undo


def test_a_lost_landmark_is_what_the_next_click_places(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.limit_mm = 0.01
    bench.propagation.start()
    run(bench)
    bench.review.go_to(3)
    node = bench.inputs.subject.point_list
    assert node.GetNthControlPointPositionStatus(0) == MARKUPS.PositionMissing
    bench.placement.start()
    assert bench.status == "Click 'apex' in a slice view."
    assert node.GetNthControlPointPositionStatus(0) == MARKUPS.PositionUndefined
    click(bench, truth(3, (45, 40)))
    assert list(shown(bench, 3)) == ["apex"]
    assert bench.inputs.subject.record.placed()[3].names == ("apex",)


def test_a_lost_landmark_that_is_not_placed_is_missing_again(bench, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.limit_mm = 0.01
    bench.propagation.start()
    run(bench)
    bench.placement.start()
    for frame in (3, 4):
        bench.review.go_to(frame)
        node = bench.inputs.subject.point_list
        assert node.GetNthControlPointPositionStatus(0) == MARKUPS.PositionUndefined
    bench.placement.stop()
    for frame in (3, 4):
        bench.review.go_to(frame)
        node = bench.inputs.subject.point_list
        assert node.GetNthControlPointPositionStatus(0) == MARKUPS.PositionMissing


def test_a_landmark_off_the_image_is_said_in_words(bench, truth):
    click(bench, truth(0, (500, 40)), "apex")
    bench.propagation.start()
    run(bench)
    assert "'apex'" in bench.problem
    assert "outside the image" in bench.problem


def test_a_deleted_point_list_leaves_the_image(bench, scene, truth):
    click(bench, truth(0, (45, 40)), "apex")
    scene.RemoveNode(bench.inputs.subject.point_list)
    assert bench.inputs.subject is not None
    assert bench.inputs.subject.point_list is None
    assert bench.obstacle_undo == "Nothing to undo."


def test_a_deleted_cine_is_not_chosen_any_more(bench, scene, browser, truth):
    click(bench, truth(0, (45, 40)), "apex")
    bench.propagation.start()
    scene.RemoveNode(browser)
    assert bench.inputs.subject is None
    assert not bench.busy


def test_closing_the_scene_forgets_everything(bench, scene, truth):
    click(bench, truth(0, (45, 40)), "apex")
    scene.Clear(0)
    assert bench.inputs.subject is None
    assert bench.obstacle_undo
    assert bench.inputs.all() == []


@pytest.fixture
def patients(scene, cine):
    """Three volumes: the tissue of frames 0, 3 and 4 of the cine; and one that is constant."""
    nodes = []
    for frame in (0, 3, 4):
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"patient {frame}")
        fill_volume(node, cine[frame])
        nodes.append(node)
    constant = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "constant")
    fill_volume(constant, cine[0] * 0)
    return [*nodes, constant]


def test_one_example_is_found_in_every_chosen_volume(bench, patients, truth):
    bench.inputs.choose_image(patients[0])
    click(bench, truth(0, (45, 40)), "apex")
    assert "no other frame" in bench.propagation.obstacle
    bench.inputs.choose_others(patients)
    assert [other.name for other in bench.inputs.others] == ["patient 3", "patient 4", "constant"]
    bench.propagation.start_across()
    run(bench)
    assert not bench.problem
    for other, frame in zip(bench.inputs.others[:2], (3, 4), strict=True):
        position = np.array(other.point_list.GetNthControlPointPositionWorld(0))
        assert position == pytest.approx(truth(frame, (45, 40)), abs=0.1)
        assert other.point_list.GetNthControlPointLabel(0) == "apex"
    assert bench.inputs.others[2].point_list.GetNthControlPointPositionStatus(0) == MARKUPS.PositionMissing
    bench.undo()
    assert [other.point_list for other in bench.inputs.others] == [None, None, None]


def test_a_volume_that_cannot_be_read_does_not_stop_the_others(bench, patients, truth, monkeypatch):
    bench.inputs.choose_image(patients[0])
    click(bench, truth(0, (45, 40)), "apex")
    bench.inputs.choose_others(patients[1:3])
    patients[1].SetAndObserveImageData(None)
    bench.propagation.start_across()
    run(bench)
    assert bench.problem == "patient 3: volume 'patient 3' holds no image; load it again"
    assert bench.inputs.others[1].point_list.GetNumberOfControlPoints() == 1


def test_a_cine_is_an_example_for_volumes_too(bench, patients, truth):
    bench.review.go_to(2)
    click(bench, truth(2, (45, 40)), "apex")
    bench.inputs.choose_others(patients[1:2])
    bench.propagation.start_across()
    run(bench)
    position = np.array(bench.inputs.others[0].point_list.GetNthControlPointPositionWorld(0))
    assert position == pytest.approx(truth(3, (45, 40)), abs=0.1)


def test_volumes_that_a_browser_plays_into_are_not_other_subjects(bench, patients):
    assert bench.inputs.volumes() == patients
