"""The field that gives an image its millimetres."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.images import Cine, annotated
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume


def picture(seed: int = 0) -> sitk.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (1, 20, 30)).astype(np.uint8)
    return annotated(sitk.GetImageFromArray(pixels), calibrated=False)


@pytest.fixture
def subject(bench, scene):
    """A cine of pictures with a point that was placed in frame 0 and found in frame 1."""
    bench.inputs.choose_image(add_cine(scene, Cine.of([picture(t) for t in range(3)], "photos")))
    change = bench.history.begin("place")
    subject = bench.inputs.with_points(bench.inputs.subject, change)
    found = LandmarkSet(("a",), np.array([[12.0, 8.0, 0.0]]), np.array([[2.0, 1.0, 0.0]]), np.array([0.9]))
    placed = LandmarkSet.of({"a": (10.0, 6.0, 0.0)})
    subject.show(subject.record.with_placed(0, placed).with_answer(1, found))
    return subject


def calibrate(bench, mm: float) -> None:
    bench.calibration.pixel_mm = mm
    bench.do(next(action for action in bench.actions if action.name == "calibrate"))


def test_what_is_not_calibrated_says_so_until_it_is(bench, subject):
    assert "Not calibrated" in bench.calibration.state
    calibrate(bench, 0.25)
    assert bench.calibration.state == ""
    assert bench.inputs.subject.cine.length_unit == "mm"
    assert bench.inputs.subject.cine.grid.spacing == (0.25, 0.25, 1)


def test_landmarks_stay_on_their_pixels(bench, subject):
    calibrate(bench, 0.25)
    record = bench.inputs.subject.record
    assert record.known(0)["a"].position.tolist() == [2.5, 1.5, 0]
    assert record.known(1)["a"].position.tolist() == [3, 2, 0]
    assert record.known(1)["a"].sigma.tolist() == [0.5, 0.25, 0]
    subject.go_to(0)
    shown = subject.point_list.GetNthControlPointPositionWorld(0)
    assert shown == pytest.approx((-2.5, -1.5, 0))


def test_calibrating_can_be_undone(bench, subject):
    before = subject.record
    calibrate(bench, 0.25)
    bench.undo()
    assert subject.record is before
    assert (subject.cine.length_unit, subject.cine.grid.spacing) == ("px", (1, 1, 1))
    assert "Not calibrated" in bench.calibration.state


def test_texts_and_files_say_px_before_and_mm_after(bench, subject, tmp_path):
    bench.chart.show()
    assert bench.chart.node.GetYAxisTitle() == "px"
    assert bench.review.lines()[0].cells[2] == "1.6 px"
    bench.exports.write(tmp_path / "before", ["table"])
    calibrate(bench, 0.5)
    bench.chart.refresh()
    assert bench.chart.node.GetYAxisTitle() == "mm"
    assert bench.review.lines()[0].cells[2] == "0.8 mm"
    bench.exports.write(tmp_path / "after", ["table"])
    units = [read_track_csv(tmp_path / when / "track.csv").length_unit for when in ("before", "after")]
    assert units == ["px", "mm"]


def test_a_volume_keeps_the_ratio_of_its_axes(bench, scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "stack")
    stack = annotated(sitk.GetImageFromArray(np.zeros((4, 5, 6), np.uint8)), calibrated=False)
    stack.SetSpacing((1, 1.5, 3))
    fill_volume(node, stack)
    bench.inputs.choose_image(node)
    calibrate(bench, 0.5)
    assert node.GetSpacing() == (0.5, 0.75, 1.5)
    assert bench.inputs.subject.cine.calibrated


def test_without_an_image_or_a_size_nothing_is_calibrated(bench, scene):
    assert bench.calibration.obstacle == "Choose a cine or a volume."
    bench.inputs.choose_image(add_cine(scene, Cine.of([picture()] * 2)))
    assert bench.calibration.obstacle == "Enter the size of a pixel."
    calibrate(bench, 0)
    assert bench.problem == "Enter the size of a pixel."
    assert not bench.inputs.subject.cine.calibrated
