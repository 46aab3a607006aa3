"""The reliability map over the image, on Slicer's real scene and without Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk
from host.two_scans import run
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example
from LandmarkTrackerLib.scene.nodes.overlay import COLOURS, OPACITY, lay_over
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume, image_of
from LandmarkTrackerLib.scene.sections.reliability_map import AT_ONCE, steps_of

SIZE, SPACING = (96, 80), (1.0, 1.5)
# Left of this column is background.
EDGE = 16


@dataclass
class Shifting:
    """Moves what it is shown by the value of the image's first pixel, mm along the image's columns."""

    max_sigma_mm: float = np.inf

    def describe(self, image, landmarks):
        return (Example(landmarks, None),)

    def locate(self, examples, image, prior=None):
        shown = examples[0].landmarks
        along = Grid.of(image).axes[:, 0] / Grid.of(image).spacing[0]
        return LandmarkSet(shown.names, shown.positions + image[0, 0, 0] * along, (2.0, 2.0, 0.0))


def picture(corner: float) -> sitk.Image:
    values = np.random.default_rng(0).uniform(100, 200, SIZE[::-1]).astype(np.float32)
    values[:, :EDGE] = 0
    values[0, 0] = corner
    image = sitk.GetImageFromArray(values[None])
    image.SetSpacing((*SPACING, 6.0))
    image.SetOrigin((-30.0, 12.0, 7.0))
    image.SetDirection((0.8, 0.0, 0.6, 0, 1, 0, -0.6, 0, 0.8))
    return image


def volume(scene, name, corner):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    fill_volume(node, picture(corner))
    node.CreateDefaultDisplayNodes()
    return node


@pytest.fixture
def view(views):
    """What one of the slice views shows."""
    return views["Red"].GetSliceCompositeNode()


@pytest.fixture
def ready(bench, scene, monkeypatch):
    """An image, two ticked volumes in which everything is 4 and 8 mm elsewhere, and a method that knows."""
    monkeypatch.setattr(bench.models, "locator", lambda _choice: Shifting())
    nodes = [volume(scene, name, corner) for name, corner in (("ann", 0.0), ("ben", 4.0), ("cleo", 8.0))]
    bench.inputs.choose_image(nodes[0])
    bench.inputs.choose_others(nodes[1:])
    return nodes


def errors(bench) -> np.ndarray:
    return sitk.GetArrayFromImage(image_of(bench.reliability_map.overlay.volume))[0]


def test_what_is_missing_is_said_in_words(bench, scene):
    reliability = bench.reliability_map
    assert reliability.obstacle == "Choose a cine or a volume first."
    assert reliability.obstacle_show
    bench.inputs.choose_image(volume(scene, "ann", 0.0))
    assert reliability.obstacle == "Tick the volumes of other subjects first."
    reliability.start()
    assert bench.problem == reliability.obstacle
    deep = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "deep")
    fill_volume(deep, sitk.Image([20, 20, 5], sitk.sitkInt16))
    bench.inputs.choose_others([deep])
    assert reliability.obstacle == "'deep' is a volume; this works on slices."


def test_the_overlay_is_the_mean_error_in_mm_on_every_pixel_and_nothing_in_the_background(bench, ready):
    bench.reliability_map.start()
    run(bench)
    assert not bench.problem
    overlay = bench.reliability_map.overlay.volume
    assert overlay.GetName() == "ann reliability (mm)"
    assert Grid.of(image_of(overlay)) == Grid.of(image_of(ready[0]))
    found = errors(bench)
    np.testing.assert_allclose(found[5:-5, EDGE + 4 : -14], 6.0, rtol=1e-6)
    # Through one volume it left the image, through the other it did not.
    np.testing.assert_allclose(found[5:-5, -6], 4.0, rtol=1e-6)
    assert (found[5:-5, : EDGE - 3] == -1).all()
    assert (found[:, -2] == -1).all()
    assert bench.status.startswith("9")
    assert "is found again within 20 mm, through 2 volumes" in bench.status


def test_coarse_points_come_first_and_are_counted(bench, ready):
    grid = bench.inputs.subject.cine.grid
    assert (steps_of(grid, "coarse"), steps_of(grid, "fine")) == ([3], [3, 2, 1])
    bench.reliability_map.choose("", "fine")
    bench.reliability_map.start()
    counts, seen = [], []
    while bench.busy:
        bench.advance()
        counts.append(bench.progress[0])
        seen.append(bench.reliability_map.overlay is not None)
    points = [-(-96 // step) * -(-80 // step) for step in (3, 2, 1)]
    chunks = [2 * -(-n // AT_ONCE) for n in points]
    assert max(counts) == sum(chunks)
    assert seen.index(True) == chunks[0]


def test_cancel_keeps_what_is_done_and_undo_takes_it_away(bench, ready, scene):
    bench.reliability_map.choose("", "fine")
    bench.reliability_map.start()
    bench.advance()
    bench.cancel()
    assert bench.reliability_map.overlay is None
    assert not bench.history.label
    bench.reliability_map.start()
    while bench.reliability_map.overlay is None:
        bench.advance()
    bench.cancel()
    assert errors(bench).max() == pytest.approx(6.0)
    assert bench.history.label == "compute the reliability map"
    bench.undo()
    assert bench.reliability_map.overlay is None
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 3
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode") == 0


def test_another_search_fills_the_same_volume_and_undo_shows_the_first(bench, ready, scene):
    bench.reliability_map.start()
    run(bench)
    first = errors(bench)
    bench.inputs.choose_others(ready[1:2])
    bench.reliability_map.start()
    run(bench)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 4
    assert errors(bench)[40, 50] == pytest.approx(4.0)
    bench.undo()
    np.testing.assert_array_equal(errors(bench), first)


def test_the_overlay_lies_over_its_own_image_alone_and_is_hidden_with_one_click(bench, ready, view):
    view.SetBackgroundVolumeID(ready[0].GetID())
    bench.reliability_map.start()
    run(bench)
    overlay = bench.reliability_map.overlay.volume
    assert (view.GetForegroundVolumeID(), view.GetForegroundOpacity()) == (overlay.GetID(), OPACITY)
    bench.reliability_map.shown = False
    assert view.GetForegroundVolumeID() is None
    bench.reliability_map.shown = True
    bench.inputs.choose_image(ready[1])
    view.SetBackgroundVolumeID(ready[1].GetID())
    bench.notify()
    assert view.GetForegroundVolumeID() is None
    assert overlay not in bench.inputs.volumes()
    bench.inputs.choose_image(ready[0])
    view.SetBackgroundVolumeID(ready[0].GetID())
    bench.notify()
    assert view.GetForegroundVolumeID() == overlay.GetID()
    bench.undo()
    assert view.GetForegroundVolumeID() is None


def test_what_another_section_lays_over_the_image_stays(bench, ready, view):
    bench.reliability_map.start()
    run(bench)
    view.SetForegroundVolumeID(ready[2].GetID())
    bench.notify()
    assert view.GetForegroundVolumeID() == ready[2].GetID()
    lay_over(bench.scene, None, None)
    assert view.GetForegroundVolumeID() == ready[2].GetID()


def test_an_image_that_no_view_shows_is_brought_up(bench, ready, view):
    view.SetBackgroundVolumeID(ready[2].GetID())
    bench.reliability_map.start()
    run(bench)
    assert view.GetBackgroundVolumeID() == ready[0].GetID()
    assert view.GetForegroundVolumeID() == bench.reliability_map.overlay.volume.GetID()


def test_in_a_cine_it_is_of_the_frame_in_view_and_hidden_in_others(bench, ready, scene, view):
    bench.inputs.choose_image(add_cine(scene, Cine.of([picture(0.0), picture(0.0), picture(0.0)])))
    bench.inputs.choose_others(ready[1:])
    bench.review.go_to(1)
    bench.reliability_map.start()
    run(bench)
    overlay = bench.reliability_map.overlay
    assert overlay.frame == 1
    assert view.GetForegroundVolumeID() == overlay.volume.GetID()
    bench.review.go_to(2)
    assert view.GetForegroundVolumeID() is None
    bench.review.go_to(1)
    assert view.GetForegroundVolumeID() == overlay.volume.GetID()


def test_the_colours_run_from_green_to_red_at_the_limit(bench, ready):
    bench.reliability_map.start()
    run(bench)
    display = bench.reliability_map.overlay.volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 20.0)
    bench.reliability_map.limit_mm = 6.0
    assert display.GetWindowLevelMax() == 6.0
    assert "Yellow: 3 mm. Red: 6 mm or more." in bench.reliability_map.legend
    table = display.GetColorNode()
    shades = np.array([table.GetLookupTable().GetTableValue(n) for n in (0, 255)])
    np.testing.assert_allclose(shades[:, :3], COLOURS[[0, -1]], atol=0.01)


def test_a_volume_of_another_plane_is_named(bench, ready, scene):
    upright = picture(4.0)
    upright.SetDirection((1.0, 0, 0, 0, 0, 1, 0, -1, 0))
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "upright")
    fill_volume(node, upright)
    bench.inputs.choose_others([node])
    bench.reliability_map.start()
    run(bench)
    assert bench.problem.startswith("upright: the slice faces")
    assert bench.reliability_map.overlay is None


def test_methods_that_look_anywhere_come_first_and_the_constellation_is_not_one_of_them(bench, ready):
    names = [choice.name for choice in bench.reliability_map.choices()]
    assert names[0].startswith("tmn-")
    assert "ncc" in names
    assert "pictorial" not in names
    bench.reliability_map.choose("ncc", "coarse")
    assert bench.reliability_map.chosen.name == "ncc"


def test_removed_nodes_and_a_closed_scene_leave_nothing_behind(bench, ready, scene, view):
    bench.reliability_map.start()
    run(bench)
    scene.RemoveNode(bench.reliability_map.overlay.volume)
    assert bench.reliability_map.overlay is None
    assert view.GetForegroundVolumeID() is None
    bench.reliability_map.start()
    bench.advance()
    scene.RemoveNode(ready[0])
    assert not bench.busy
    scene.Clear(0)
    assert bench.reliability_map.obstacle == "Choose a cine or a volume first."


def test_a_method_that_needs_no_pytorch_is_not_asked_for_it(bench, ready, monkeypatch):
    monkeypatch.setattr(type(bench.models), "torch_missing", True)
    bench.reliability_map.choose("tmn-cardiac-cine", "coarse")
    assert bench.reliability_map.obstacle.startswith("Install PyTorch first")
    bench.reliability_map.choose("ncc", "coarse")
    assert bench.models.chosen.trained
    assert bench.reliability_map.obstacle == ""
