"""Two scans matched and warped, on Slicer's real scene and without Qt."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from conftest import textured
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.jobs.match import SLICES, VOLUMES
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.scene import matching
from LandmarkTrackerLib.scene.volumes import fill_volume, image_of

MARKUPS = slicer.vtkMRMLMarkupsNode
LPS = np.array([-1, -1, 1])
AXIAL = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)
SHIFT = (23, -14)  # columns, rows
# LPS mm of the fixed scan to the moving one: neither axis like another.
LINEAR = np.array([[1.02, 0.03, 0.0], [-0.05, 0.97, 0.02], [0.01, 0.0, 1.04]])
OFFSET = np.array([12.0, -7.0, 3.0])


class Known:
    """Twenty-four pairs all over the fixed image, by `LINEAR` and `OFFSET`."""

    def match(self, fixed, moving):
        index = np.random.default_rng(0).uniform(0.05, 0.95, (24, 3)) * (np.array(fixed.GetSize()) - 1)
        points = Grid.of(fixed).to_world(index)
        return LandmarkPairs(points, points @ LINEAR.T + OFFSET, np.linspace(1, 0.5, 24))


def volume(scene, name, pixels, origin=(-30.0, 12.0, 7.0), direction=(0.8, 0.0, 0.6, 0, 1, 0, -0.6, 0, 0.8)):
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((1.25, 1.5, 2.0))
    image.SetOrigin(origin)
    image.SetDirection(direction)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    fill_volume(node, image)
    node.CreateDefaultDisplayNodes()
    return node


@pytest.fixture
def views(app):
    """The slice views of Slicer's layout "side by side"."""
    logics = []
    for name in ("Red", "Yellow"):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(app.logic)
        logic.SetMRMLScene(app.scene)
        logic.AddSliceNode(name)
        logics.append(logic)
    yield {logic.GetSliceNode().GetLayoutName(): logic for logic in logics}
    for logic in logics:
        logic.SetMRMLScene(None)


@pytest.fixture
def scans(scene):
    """Two volumes of noise."""
    pixels = np.random.default_rng(0).normal(size=(2, 8, 20, 24))
    return volume(scene, "before", pixels[0]), volume(scene, "after", pixels[1], (5.0, 5.0, 5.0))


@pytest.fixture
def matched(bench, scans, monkeypatch):
    """The workbench with pairs between them, and their two point lists."""
    monkeypatch.setattr(matching, "make_matcher", lambda *_: Known())
    monkeypatch.setattr(matching, "model_names", lambda: [SLICES, VOLUMES])
    bench.matching.choose(*scans)
    assert bench.status == "Press Match."
    bench.matching.start()
    run(bench)
    assert not bench.problem
    return [subject.point_list for subject in bench.matching.matched]


def run(bench):
    while bench.busy:
        bench.advance()


def labels(point_list):
    return [point_list.GetNthControlPointLabel(n) for n in range(point_list.GetNumberOfControlPoints())]


def positions(point_list):
    """(N, 3) LPS mm."""
    count = point_list.GetNumberOfControlPoints()
    return np.array([point_list.GetNthControlPointPositionWorld(n) for n in range(count)]) * LPS


def test_what_cannot_be_matched_is_said_in_words(bench, scene, scans):
    assert bench.matching.obstacle == "Choose a fixed and a moving volume first."
    assert bench.matching.obstacle_warp == "Match the two scans first."
    assert bench.matching.obstacle_look == "Press Warp first."
    single = volume(scene, "level", np.zeros((1, 20, 24)))
    bench.matching.choose(scans[0], single)
    assert (
        bench.matching.obstacle
        == "'before' and 'level' are a slice and a volume; choose two of the same kind."
    )
    bench.matching.choose(scans[0], scans[0])
    assert bench.problem == "'before' cannot be matched with itself; choose two"


def test_volumes_without_a_model_for_volumes_are_refused_in_words(bench, scans, monkeypatch):
    monkeypatch.setattr(matching, "model_names", lambda: [SLICES])
    bench.matching.choose(*scans)
    assert "No model that matches volumes" in bench.matching.obstacle
    bench.matching.start()
    assert bench.problem == bench.matching.obstacle
    assert not bench.busy


def test_the_model_is_the_one_for_the_images_dimension(bench, scene, scans, monkeypatch):
    monkeypatch.setattr(matching, "model_names", lambda: [SLICES, VOLUMES])
    bench.matching.choose(*scans)
    assert bench.matching.model == VOLUMES
    levels = [volume(scene, f"level {n}", np.zeros((1, 20, 24))) for n in range(2)]
    bench.matching.choose(*levels)
    assert bench.matching.model == SLICES


def test_two_slices_get_two_lists_of_the_same_points_where_the_content_went(bench, scene):
    large = textured((200, 180)).astype(np.float32) * 1.5 - 150
    cuts = [large[None, j : j + 128, i : i + 144] for i, j in ((30, 30), (30 - SHIFT[0], 30 - SHIFT[1]))]
    nodes = [volume(scene, name, cut) for name, cut in zip(("one", "two"), cuts, strict=True)]
    bench.matching.choose(*nodes)
    bench.matching.start()
    assert bench.status == "Preparing"
    run(bench)
    fixed, moving = (subject.point_list for subject in bench.matching.matched)
    assert labels(fixed) == labels(moving)
    assert len(labels(fixed)) > 20
    assert bench.status.startswith(f"{len(labels(fixed))} pairs.")
    moved = Grid.of(image_of(nodes[0])).axes[:, :2] @ SHIFT
    off = np.linalg.norm(positions(moving) - positions(fixed) - moved, axis=1)
    assert np.median(off) < 0.5
    bench.matching.warp()
    run(bench)
    warped = sitk.GetArrayFromImage(image_of(node(scene, "two warped")))[0, 30:90, 40:100]
    assert np.abs(warped - cuts[0][0, 30:90, 40:100]).mean() < 0.1 * cuts[0].std()


def test_deleting_a_point_in_one_list_deletes_it_in_the_other_and_undo_brings_both_back(bench, matched):
    fixed, moving = matched
    before = positions(moving)
    moving.RemoveNthControlPoint(5)
    assert labels(fixed) == labels(moving)
    assert "6" not in labels(fixed)
    np.testing.assert_allclose(positions(moving), np.delete(before, 5, axis=0), atol=1e-9)
    np.testing.assert_allclose(positions(fixed) @ LINEAR.T + OFFSET, positions(moving), atol=1e-6)
    assert bench.history.label == "remove 6"
    bench.undo()
    assert len(labels(fixed)) == 24
    np.testing.assert_allclose(positions(moving), before, atol=1e-9)
    np.testing.assert_allclose(positions(fixed) @ LINEAR.T + OFFSET, before, atol=1e-6)


def test_pairs_are_removed_from_the_table_too(bench, matched):
    least, *_, best = bench.matching.rows()
    assert (least.name, least.score, best.name, best.score) == ("24", "50 %", "1", "100 %")
    bench.matching.remove(["23", "21"])
    assert [row.name for row in bench.matching.rows()][:3] == ["24", "22", "20"]
    assert labels(matched[0]) == labels(matched[1])
    bench.undo()
    assert len(bench.matching.rows()) == 24


def test_a_new_point_counts_as_a_pair_once_it_is_placed_in_both_lists(bench, matched):
    fixed, moving = matched
    fixed.AddControlPointWorld(1.0, 2.0, 3.0, "mine")
    assert labels(moving)[-1] == "mine"
    assert moving.GetNthControlPointPositionStatus(24) == MARKUPS.PositionUndefined
    assert "mine" not in bench.matching.pairs.names
    moving.SetNthControlPointPositionWorld(24, 4.0, 5.0, 6.0)
    assert bench.matching.pairs.names[-1] == "mine"
    np.testing.assert_allclose(bench.matching.pairs.moving[-1] * LPS, [4, 5, 6])


def test_a_dragged_point_corrects_its_pair(bench, matched):
    there = np.array(matched[1].GetNthControlPointPositionWorld(3)) + (1, 2, 0)
    matched[1].SetNthControlPointPositionWorld(3, *there)
    np.testing.assert_allclose(bench.matching.pairs.moving[3] * LPS, there)
    assert bench.matching.pairs.names[3] == "4"


def test_undo_of_the_match_removes_the_lists_and_keeps_the_volumes(bench, matched, scene):
    bench.undo()
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0
    assert not bench.matching.matched
    assert not bench.matching.obstacle


def test_the_transform_takes_fixed_points_to_moving_ones_in_slicers_world(bench, matched, scene):
    bench.matching.warp()
    run(bench)
    transform = node(scene, "after onto before").GetTransformFromParent()
    grid = Grid.of(image_of(bench.matching.fixed.node))
    inside = grid.to_world([(4.0, 5.0, 2.0), (18.5, 3.0, 5.0), (7.0, 16.0, 6.0)])
    found = np.array([transform.TransformPoint(p) for p in inside * LPS]) * LPS
    np.testing.assert_allclose(found, inside @ LINEAR.T + OFFSET, atol=0.05)


def test_the_transform_of_slices_keeps_what_lies_before_and_behind_them_there(bench, scene, monkeypatch):
    class InPlane:
        def match(self, fixed, moving):
            index = np.random.default_rng(0).uniform(1, 18, (20, 3)) * (1, 1, 0)
            return LandmarkPairs(
                Grid.of(fixed).to_world(index), Grid.of(moving).to_world(index + (3, -2, 0)), np.ones(20)
            )

    monkeypatch.setattr(matching, "make_matcher", lambda *_: InPlane())
    pixels = np.random.default_rng(0).normal(size=(2, 1, 20, 24))
    upright = (1.0, 0, 0, 0, 0, 1, 0, -1, 0)
    scans = volume(scene, "one", pixels[0]), volume(scene, "two", pixels[1], (9.0, 8.0, 7.0), upright)
    bench.matching.choose(*scans)
    for action in (bench.matching.start, bench.matching.warp):
        action()
        run(bench)
    transform = node(scene, "two onto one").GetTransformFromParent()
    here, there = (Grid.of(image_of(scan)) for scan in scans)
    for depth in (-0.4, 0.0, 0.4):
        index = np.array([8.0, 9.0, depth])
        found = np.array(transform.TransformPoint(here.to_world(index) * LPS)) * LPS
        np.testing.assert_allclose(found, there.to_world(index + (3, -2, 0)), atol=0.05)


def test_undo_of_the_warp_removes_what_it_made(bench, matched, scene):
    before = scene.GetNumberOfNodes()
    bench.matching.warp()
    run(bench)
    assert bench.matching.look == "checkerboard"
    bench.undo()
    assert scene.GetNumberOfNodes() == before
    assert bench.matching.look == "pairs"
    assert bench.history.label == "match before"


def test_a_second_warp_fills_the_same_nodes_and_undo_shows_the_first(bench, matched, scene):
    bench.matching.warp()
    run(bench)
    count, first = scene.GetNumberOfNodes(), sitk.GetArrayFromImage(image_of(node(scene, "after warped")))
    matched[1].SetNthControlPointPositionWorld(
        0, *(np.array(matched[1].GetNthControlPointPositionWorld(0)) + 9)
    )
    bench.matching.warp()
    run(bench)
    assert scene.GetNumberOfNodes() == count
    assert (sitk.GetArrayFromImage(image_of(node(scene, "after warped"))) != first).any()
    bench.undo()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image_of(node(scene, "after warped"))), first)


def test_each_scan_is_beside_the_other_with_its_own_points(bench, views, matched, scans):
    shown = [views[name].GetSliceCompositeNode().GetBackgroundVolumeID() for name in ("Red", "Yellow")]
    assert shown == [scan.GetID() for scan in scans]
    for point_list, name in zip(matched, ("Red", "Yellow"), strict=True):
        display = point_list.GetDisplayNode()
        assert [display.GetNthViewNodeID(n) for n in range(display.GetNumberOfViewNodeIDs())] == [
            views[name].GetSliceNode().GetID()
        ]


def test_slices_are_shown_in_their_own_plane_whichever_way_the_views_were_turned(bench, views, scene):
    views["Red"].GetSliceNode().SetOrientation("Sagittal")
    levels = [volume(scene, f"level {n}", np.zeros((1, 20, 24)), direction=AXIAL) for n in range(2)]
    bench.matching.choose(*levels)
    for logic in views.values():
        to_ras = slicer.util.arrayFromVTKMatrix(logic.GetSliceNode().GetSliceToRAS())
        # As Slicer shows axial slices: the patient's right on the left, anterior above.
        np.testing.assert_allclose(to_ras[:3, :3], np.diag([-1, 1, 1]), atol=1e-9)


def test_a_chosen_pair_comes_into_view_in_both_scans(bench, views, matched):
    bench.matching.look_at("7")
    assert bench.status == "24 pairs. Remove what is wrong, then press Warp."
    for point_list, name in zip(matched, ("Red", "Yellow"), strict=True):
        to_ras = slicer.util.arrayFromVTKMatrix(views[name].GetSliceNode().GetSliceToRAS())
        np.testing.assert_allclose(to_ras[:3, 3], point_list.GetNthControlPointPositionWorld(6), atol=1e-6)
        assert point_list.GetDisplayNode().GetActiveControlPoint("") == 6


def test_the_blend_is_rocked_between_the_fixed_scan_and_the_warped_one(bench, views, matched, scene):
    bench.matching.choose_look("blend")
    assert bench.problem == "Press Warp first."
    bench.matching.warp()
    run(bench)
    bench.matching.choose_look("blend")
    bench.matching.rock(0.25)
    composite = views["Yellow"].GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == node(scene, "after warped").GetID()
    assert composite.GetForegroundOpacity() == 0.25
    assert views["Red"].GetSliceCompositeNode().GetForegroundVolumeID() is None
    assert not matched[1].GetDisplayNode().GetVisibility()


def test_coming_back_to_two_volumes_finds_their_pairs(bench, matched, scans):
    bench.matching.choose(scans[1], scans[0])
    assert not bench.matching.matched
    bench.matching.choose(*scans)
    assert [subject.point_list for subject in bench.matching.matched] == matched
    matched[0].RemoveNthControlPoint(0)
    assert labels(matched[1]) == labels(matched[0])


def test_a_deleted_point_list_leaves_the_volumes_without_pairs(bench, matched, scene):
    scene.RemoveNode(matched[0])
    assert not bench.matching.matched
    assert not bench.matching.obstacle
    assert bench.matching.obstacle_warp


def test_a_deleted_warped_scan_takes_its_checkerboard_with_it(bench, matched, scene):
    before = scene.GetNumberOfNodes()
    bench.matching.warp()
    run(bench)
    scene.RemoveNode(node(scene, "after warped"))
    assert scene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 0
    assert scene.GetNumberOfNodes() - before <= 1  # how the deleted volume was displayed
    assert bench.matching.look == "pairs"
    bench.matching.warp()
    run(bench)
    assert bench.matching.look == "checkerboard"


def test_closing_the_scene_forgets_the_scans(bench, matched, scene):
    bench.matching.warp()
    run(bench)
    scene.Clear(0)
    assert bench.matching.obstacle == "Choose a fixed and a moving volume first."
    assert not bench.matching.rows()


def test_pairs_are_exported_for_every_program(bench, matched, tmp_path):
    fixed, moving = bench.exports.places()[:2]
    assert (fixed.title, moving.title) == ("fixed scan: before", "moving scan: after")
    programs = ["elastix", "plastimatch", "simpleitk"]
    bench.exports.write_pairs(fixed, moving, tmp_path, programs=programs)
    assert not bench.problem
    assert {path.name for path in tmp_path.iterdir()} == {
        "pairs.csv",
        "fixed.mrk.json",
        "moving.mrk.json",
        *programs,
    }
    back = read_pairs_csv(tmp_path / "pairs.csv")
    np.testing.assert_allclose(back.fixed @ LINEAR.T + OFFSET, back.moving, atol=1e-6)
    bench.exports.write_pairs(fixed, moving, tmp_path, programs=programs)
    assert "is there already" in bench.problem


def node(scene, name):
    return slicer.util.getNode(name, scene=scene)
