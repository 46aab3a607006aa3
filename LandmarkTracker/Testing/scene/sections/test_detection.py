"""A trained landmark set found in cines and volumes, on Slicer's real scene and without Qt."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume

MARKUPS = slicer.vtkMRMLMarkupsNode
LPS = np.array([-1, -1, 1])
NAMES = ("left", "right", "bottom")


@pytest.fixture
def truth(dots):
    """Seed to (3, 3) LPS mm."""
    return lambda seed: dots(seed)[1]


@pytest.fixture
def volumes(scene, dots):
    """Two slices with dots and one without anything."""
    nodes = []
    for seed in (21, 22, None):
        nodes.append(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"patient {seed}"))
        fill_volume(nodes[-1], dots(seed)[0] if seed else sitk.Image([48, 40, 1], sitk.sitkFloat32))
    return nodes


def run(bench):
    while bench.busy:
        bench.advance()


def test_the_models_that_come_with_the_program_can_be_chosen(bench, volumes):
    assert bench.detection.obstacle == "Choose an image first, or tick volumes."
    bench.inputs.choose_image(volumes[0])
    assert "scn-cardiac-lv" in [choice.name for choice in bench.detection.choices()]
    assert not bench.detection.obstacle


def test_a_model_file_is_chosen_by_its_path_and_the_default_is_one_that_fits(bench, volumes, dots_model):
    bench.inputs.choose_image(volumes[0])
    assert bench.detection.chosen.name == "scn-cardiac-lv"
    bench.detection.choose(str(dots_model))
    assert bench.detection.chosen.label == "dots"
    bench.detection.choose("/nowhere/mine.pt")
    assert "there is no model file" in bench.problem
    assert bench.detection.chosen.label == "dots"


def test_every_chosen_volume_gets_a_list_that_is_seen_on_it_alone_and_undo_removes_them(
    bench, scene, volumes, dots_model, truth
):
    bench.detection.choose(str(dots_model))
    bench.inputs.choose_image(volumes[0])
    bench.inputs.choose_others(volumes[1:])
    bench.detection.start()
    counts = []
    while bench.busy:
        bench.advance()
        counts.append(bench.progress)
    assert counts[:-1] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert bench.status.startswith("Detected 6 landmarks; 3 are missing.")
    for subject, seed in zip(bench.detection.targets[:2], (21, 22), strict=True):
        node = subject.point_list
        assert [node.GetNthControlPointLabel(n) for n in range(3)] == list(NAMES)
        found = [node.GetNthControlPointPositionWorld(n) for n in range(3)] * LPS
        assert np.linalg.norm(found - truth(seed), axis=1).max() < 3
    empty = bench.detection.targets[2].point_list
    for n in range(3):
        assert empty.GetNthControlPointPositionStatus(n) == MARKUPS.PositionMissing
        assert not empty.GetNthControlPointSelected(n)
    lists = [subject.point_list for subject in bench.detection.targets]
    assert [node.GetDisplayNode().GetVisibility() for node in lists] == [1, 0, 0]
    bench.inputs.choose_image(volumes[1])
    assert [node.GetDisplayNode().GetVisibility() for node in lists] == [0, 1, 0]
    bench.undo()
    assert scene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0


def test_a_cine_is_detected_frame_by_frame_and_what_was_placed_stays(bench, scene, dots, dots_model, truth):
    bench.detection.choose(str(dots_model))
    bench.inputs.choose_image(add_cine(scene, Cine.of([dots(seed)[0] for seed in (21, 22, 23)])))
    bench.review.go_to(1)
    bench.placement.start()
    placed = truth(22)[0] + (1, 1, 0)
    bench.inputs.subject.point_list.AddControlPointWorld(*(placed * LPS), "left")
    bench.placement.stop()
    bench.detection.start()
    run(bench)
    record = bench.inputs.subject.record
    assert record.at(1)["left"].position == pytest.approx(placed)
    assert record.at(1)["left"].sigma.max() == 0
    for frame, seed in enumerate((21, 22, 23)):
        found = record.at(frame).select(("right", "bottom")).positions
        assert np.linalg.norm(found - truth(seed)[1:], axis=1).max() < 3


def test_cancel_keeps_what_is_done(bench, volumes, dots_model):
    bench.detection.choose(str(dots_model))
    bench.inputs.choose_others(volumes)
    bench.detection.start()
    for _ in range(2):
        bench.advance()
    bench.cancel()
    assert [len(subject.record.frames) for subject in bench.inputs.others] == [1, 0, 0]
    bench.undo()
    assert [subject.point_list for subject in bench.inputs.others] == [None] * 3


def test_a_volume_that_the_model_is_not_for_is_named_and_does_not_stop_the_others(
    bench, scene, volumes, dots_model
):
    deep = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "deep")
    pixels = np.random.default_rng(0).normal(size=(6, 40, 48)).astype(np.float32)
    fill_volume(deep, sitk.GetImageFromArray(pixels))
    bench.detection.choose(str(dots_model))
    bench.inputs.choose_others([deep, volumes[0]])
    bench.detection.start()
    run(bench)
    assert bench.problem.startswith("deep: ")
    assert "is a volume" in bench.problem
    assert [subject.record.found_anything for subject in bench.inputs.others] == [False, True]


def test_a_model_of_another_kind_is_refused_in_words(bench, volumes, root, tmp_path):
    shutil.copy(root / "models" / "tracker.pt", tmp_path / "mine.pt")
    bench.detection.choose(str(tmp_path / "mine.pt"))
    bench.inputs.choose_image(volumes[0])
    bench.detection.start()
    run(bench)
    assert "does not detect landmarks by itself" in bench.problem


def test_without_pytorch_nothing_is_detected(bench, volumes, monkeypatch):
    bench.inputs.choose_image(volumes[0])
    monkeypatch.setattr(type(bench.models), "torch_missing", True)
    assert bench.detection.obstacle == "Install PyTorch first."
