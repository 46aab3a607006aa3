"""Looking through a result, and taking it out of Slicer."""

import numpy as np
import pytest
import slicer
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from LandmarkTrackerLib.scene.workbench import Workbench

NAMES = ("apex", "base")


@pytest.fixture
def bench(app, oblique_cine):
    """Two landmarks placed in frame 1, found in 2 to 4; `base` is lost in frame 3 and uncertain in 4."""
    cine = oblique_cine[0]
    bench = Workbench(app.scene)
    bench.models.choose("ncc")
    bench.inputs.choose_image(add_cine(app.scene, cine))
    bench.inputs.choose_points(app.point_list())
    subject = bench.inputs.subject
    start = cine.grid.to_world([(40, 40, 0), (60, 50, 0)])
    record = subject.record.with_known(1, LandmarkSet(NAMES, start))
    for frame, (score, base_there) in {2: (0.9, True), 3: (0.85, False), 4: (0.4, True)}.items():
        moved = start + (0, 2.0 * (frame - 1), 0)
        found = LandmarkSet(NAMES, moved, np.full((2, 3), 1.5), np.array([0.95, score]))
        record = record.with_answer(frame, found.without(np.array([False, not base_there])))
    subject.show(record)
    yield bench
    bench.close()


def test_findings_start_with_the_least_certain(bench):
    findings = bench.review.findings()
    assert [(f.frame, f.name) for f in findings[:3]] == [(3, "base"), (4, "base"), (2, "base")]
    assert [f.score for f in findings] == sorted(f.score for f in findings)
    assert findings[0].missing
    assert [f.uncertain for f in findings] == [True, True, False, False, False, False]


def test_what_was_placed_by_hand_is_not_a_finding(bench):
    assert all(f.frame != 1 for f in bench.review.findings())


def test_next_and_previous_walk_over_the_uncertain_frames_and_around(bench):
    visited = []
    for step in (bench.review.next_uncertain,) * 3 + (bench.review.previous_uncertain,) * 2:
        step()
        visited.append(bench.inputs.subject.frame)
    assert visited == [3, 4, 3, 4, 3]


def test_the_limit_decides_what_is_uncertain(bench):
    bench.review.percent = 30
    assert bench.review.uncertain_frames() == [3]


def test_the_status_says_how_many_frames_are_uncertain(bench):
    assert bench.status.startswith("Uncertain frames: 2.")


def test_displacement_is_measured_from_where_the_landmark_was_placed(bench):
    apex, base = bench.review.displacements()
    assert apex.mm == pytest.approx([np.nan, 0, 2, 4, 6, np.nan], nan_ok=True)
    assert base.mm == pytest.approx([np.nan, 0, 2, np.nan, 6, np.nan], nan_ok=True)
    assert apex.sigma_mm == pytest.approx([np.nan, 0, 1.5, 1.5, 1.5, np.nan], nan_ok=True)


def test_all_kinds_of_files_are_written_and_read_back(bench, tmp_path):
    bench.exports.write(tmp_path / "out", {"table", "sequence", "frames"})
    assert bench.status == f"6 files were written to {tmp_path / 'out'}"
    track = read_track_csv(tmp_path / "out" / "track.csv")
    record = bench.inputs.subject.record
    assert track.numbers == (1, 2, 3, 4)
    assert track.positions == pytest.approx(
        np.stack([record.at(t).positions for t in track.numbers]), nan_ok=True
    )
    frame = read_landmarks(tmp_path / "out" / "frame_0003.mrk.json")
    assert frame["base"].status == "missing"
    assert frame["apex"].sigma == pytest.approx([1.5, 1.5, 1.5])


def test_slicer_reads_the_sequence_that_was_written(bench, app, tmp_path):
    bench.exports.write(tmp_path, {"sequence"})
    sequence = app.scene.AddNewNodeByClass("vtkMRMLSequenceNode")
    storage = slicer.vtkMRMLSequenceStorageNode()
    app.scene.AddNode(storage)
    storage.SetFileName(str(tmp_path / "track.seq.mrb"))
    assert storage.ReadData(sequence)
    assert sequence.GetNumberOfDataNodes() == 4
    lost = sequence.GetNthDataNode(2)
    assert lost.GetNthControlPointPositionStatus(1) == slicer.vtkMRMLMarkupsNode.PositionMissing
    assert not lost.GetNthControlPointSelected(1)


def test_nothing_is_overwritten_unasked(bench, tmp_path):
    bench.exports.write(tmp_path, {"table"})
    (tmp_path / "track.csv").write_text("mine")
    bench.exports.write(tmp_path, {"table", "sequence"})
    assert "track.csv is there already" in bench.problem
    assert (tmp_path / "track.csv").read_text() == "mine"
    assert not (tmp_path / "track.seq.mrb").exists()
    bench.exports.write(tmp_path, {"table"}, overwrite=True)
    assert not bench.problem
    assert len(read_track_csv(tmp_path / "track.csv")) == 4


def test_a_folder_that_cannot_be_made_is_said_in_words(bench, tmp_path):
    (tmp_path / "file").write_text("mine")
    bench.exports.write(tmp_path / "file" / "out", {"table"})
    assert str(tmp_path / "file") in bench.problem
    assert "Not a directory" in bench.problem


def test_ticking_nothing_is_said_in_words(bench, tmp_path):
    bench.exports.write(tmp_path / "out", set())
    assert "Nothing of what is ticked" in bench.problem
    assert not (tmp_path / "out").exists()


def test_pairs_hold_only_what_is_known_in_both_frames(bench, tmp_path):
    places = {place.title: place for place in bench.exports.places()}
    assert list(places) == ["Frame 1", "Frame 2", "Frame 3", "Frame 4"]
    bench.exports.write_pairs(places["Frame 1"], places["Frame 3"], tmp_path / "pairs")
    fixed = read_landmarks(tmp_path / "pairs" / "fixed.mrk.json")
    moving = read_landmarks(tmp_path / "pairs" / "moving.mrk.json")
    assert fixed.names == moving.names == ("apex",)
    header, row = (tmp_path / "pairs" / "pairs.csv").read_text().splitlines()
    assert header == "name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s,score"
    values = [float(cell) for cell in row.split(",")[1:]]
    assert np.array(values[3:6]) - values[:3] == pytest.approx([0, 4, 0])


def test_pairs_become_point_lists_of_the_same_order_and_undo_removes_them(bench, app):
    places = bench.exports.places()
    before = app.scene.GetNumberOfNodes()
    bench.exports.add_pairs(places[0], places[1])
    lists = [slicer.util.getNode(name, scene=app.scene) for name in ("fixed Frame 1", "moving Frame 2")]
    assert [[node.GetNthControlPointLabel(n) for n in range(2)] for node in lists] == [list(NAMES)] * 2
    bench.undo()
    assert app.scene.GetNumberOfNodes() == before


def test_pairs_between_subjects(bench, app, oblique_cine, tmp_path):
    volume = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "patient / 2")
    fill_volume(volume, oblique_cine[0][0])
    bench.inputs.choose_others([volume])
    bench.propagation.start_across()
    while bench.advance():
        pass
    other = bench.exports.places()[-1]
    assert other.title == "patient / 2"
    bench.exports.write_pairs(bench.exports.places()[0], other, tmp_path)
    assert len(read_landmarks(tmp_path / "moving.mrk.json")) == 2
    bench.exports.write(tmp_path, {"subjects"})
    assert len(read_landmarks(tmp_path / "patient _ 2.mrk.json")) == 2


def test_a_pair_without_a_common_landmark_is_said_in_words(bench, tmp_path):
    bench.placement.remove("apex")
    places = {place.title: place for place in bench.exports.places()}
    assert "Frame 3" not in places
    bench.inputs.subject.show(bench.inputs.subject.record.with_known(0, LandmarkSet.of({"new": (0, 0, 0)})))
    bench.exports.write_pairs(bench.exports.places()[0], places["Frame 1"], tmp_path)
    assert bench.problem == "No landmark is known both in Frame 0 and in Frame 1; choose another pair."
