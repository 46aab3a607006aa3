"""Two matched scans warped and looked at, on Slicer's real scene and without Qt."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
from host.two_scans import LINEAR, LPS, OFFSET, node, run, volume
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.scene.nodes.volumes import image_of
from LandmarkTrackerLib.scene.sections import matching

AXIAL = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)


def test_the_transform_takes_fixed_points_to_moving_ones_in_slicers_world(bench, matched, scene):
    bench.comparison.warp()
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
    for action in (bench.matching.start, bench.comparison.warp):
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
    bench.comparison.warp()
    run(bench)
    assert bench.comparison.look == "checkerboard"
    bench.undo()
    assert scene.GetNumberOfNodes() == before
    assert bench.comparison.look == "pairs"
    assert bench.history.label == "match before"


def test_a_second_warp_fills_the_same_nodes_and_undo_shows_the_first(bench, matched, scene):
    bench.comparison.warp()
    run(bench)
    count, first = scene.GetNumberOfNodes(), sitk.GetArrayFromImage(image_of(node(scene, "after warped")))
    matched[1].SetNthControlPointPositionWorld(
        0, *(np.array(matched[1].GetNthControlPointPositionWorld(0)) + 9)
    )
    bench.comparison.warp()
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
    bench.comparison.look_at("7")
    assert bench.status == "24 pairs. Remove what is wrong, then press Warp."
    for point_list, name in zip(matched, ("Red", "Yellow"), strict=True):
        to_ras = slicer.util.arrayFromVTKMatrix(views[name].GetSliceNode().GetSliceToRAS())
        np.testing.assert_allclose(to_ras[:3, 3], point_list.GetNthControlPointPositionWorld(6), atol=1e-6)
        assert point_list.GetDisplayNode().GetActiveControlPoint("") == 6


def test_the_blend_is_rocked_between_the_fixed_scan_and_the_warped_one(bench, views, matched, scene):
    bench.comparison.choose_look("blend")
    assert bench.problem == "Press Warp first."
    bench.comparison.warp()
    run(bench)
    bench.comparison.choose_look("blend")
    bench.comparison.rock(0.25)
    composite = views["Yellow"].GetSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == node(scene, "after warped").GetID()
    assert composite.GetForegroundOpacity() == 0.25
    assert views["Red"].GetSliceCompositeNode().GetForegroundVolumeID() is None
    assert not matched[1].GetDisplayNode().GetVisibility()


def test_a_deleted_warped_scan_takes_its_checkerboard_with_it(bench, matched, scene):
    before = scene.GetNumberOfNodes()
    bench.comparison.warp()
    run(bench)
    scene.RemoveNode(node(scene, "after warped"))
    assert scene.GetNumberOfNodesByClass("vtkMRMLGridTransformNode") == 0
    assert scene.GetNumberOfNodes() - before <= 1  # how the deleted volume was displayed
    assert bench.comparison.look == "pairs"
    bench.comparison.warp()
    run(bench)
    assert bench.comparison.look == "checkerboard"


def test_closing_the_scene_forgets_the_scans(bench, matched, scene):
    bench.comparison.warp()
    run(bench)
    scene.Clear(0)
    assert bench.matching.obstacle == "Choose a fixed and a moving volume first."
    assert not bench.matching.lines()
