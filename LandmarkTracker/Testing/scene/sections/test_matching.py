"""Two scans matched and warped, on Slicer's real scene and without Qt."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
from conftest import textured
from host.two_scans import LINEAR, LPS, OFFSET, labels, node, positions, run, volume
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.jobs.match import SLICES, VOLUMES
from LandmarkTrackerLib.scene.nodes.volumes import image_of
from LandmarkTrackerLib.scene.sections import matching

MARKUPS = slicer.vtkMRMLMarkupsNode
SHIFT = (23, -14)  # columns, rows


def test_what_cannot_be_matched_is_said_in_words(bench, scene, scans):
    assert bench.matching.obstacle == "Choose a fixed and a moving volume first."
    assert bench.comparison.obstacle_warp == "Match the two scans first."
    assert bench.comparison.obstacle_look == "Press Warp first."
    single = volume(scene, "level", np.zeros((1, 20, 24)))
    bench.matching.choose(scans[0], single)
    assert (
        bench.matching.obstacle
        == "'before' and 'level' are a slice and a volume; choose two of the same kind."
    )
    bench.matching.choose(scans[0], scans[0])
    assert bench.problem == "'before' cannot be matched with itself; choose two"


def test_slices_without_a_model_for_slices_are_refused_in_words(bench, scene, monkeypatch):
    monkeypatch.setattr(matching, "model_names", list)
    bench.matching.choose(*(volume(scene, f"level {n}", np.zeros((1, 20, 24))) for n in range(2)))
    assert "No model that matches slices" in bench.matching.obstacle
    bench.matching.start()
    assert bench.problem == bench.matching.obstacle
    assert not bench.busy


def test_slices_have_a_model_and_volumes_need_none(bench, scene, scans, monkeypatch):
    monkeypatch.setattr(matching, "model_names", lambda: [SLICES])
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
    bench.comparison.warp()
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
    least, *_, best = bench.matching.lines()
    assert (least.cells, best.cells) == (("24", "50 %"), ("1", "100 %"))
    bench.matching.remove(["23", "21"])
    assert [line.key for line in bench.matching.lines()][:3] == ["24", "22", "20"]
    assert labels(matched[0]) == labels(matched[1])
    bench.undo()
    assert len(bench.matching.lines()) == 24


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
    assert bench.comparison.obstacle_warp


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
