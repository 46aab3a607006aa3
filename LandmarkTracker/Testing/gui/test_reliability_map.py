"""Section Reliability map, used as a person uses it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import textured
from host.person import add_volume, choose, tick_all
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.scene.nodes.overlay import COLOURS, OPACITY
from LandmarkTrackerLib.scene.nodes.volumes import image_of

GREEN, RED = COLOURS[0], COLOURS[-1]


@pytest.fixture
def twins(host, ui, view):
    """One picture in two volumes, of which the right half shows something else in the second."""
    texture = textured((96, 80)).astype(np.float32)
    other = texture.copy()
    other[:, 48:] = textured((48, 80), seed=1)
    nodes = [
        add_volume(name, sitk.GetImageFromArray(t[None])) for name, t in (("one", texture), ("two", other))
    ]
    ui.imageSelector.setCurrentNode(nodes[0])
    tick_all(ui.othersList)
    view.show(nodes[0])
    choose(ui.mapMethodSelector, "ncc")
    choose(ui.mapDetailSelector, "Coarse")
    return nodes


def colour_of(view, plain) -> np.ndarray:
    """(rows, columns, 3) 0 to 1: what lies over the picture."""
    return (view.picture() - (1 - OPACITY) * plain) / OPACITY / 255


def test_what_two_images_share_is_green_and_what_they_do_not_is_red_until_it_is_hidden(
    host, ui, bench, view, twins
):
    plain = view.picture().astype(float)
    ui.computeMapButton.click()
    assert ui.cancelButton.isEnabled()
    host.process(until=lambda: not bench.busy)
    assert not host.errors
    assert "is found again within 20 mm" in ui.statusLabel.text()
    shown = colour_of(view, plain)
    height, width = shown.shape[:2]
    rows = slice(height // 3, 2 * height // 3)
    left = shown[rows, width // 8 : width // 3]
    assert np.abs(np.median(left, axis=(0, 1)) - GREEN).max() < 0.03
    ui.mapLimitSpinBox.setValue(1)
    assert "Red: 1 mm or more." in ui.mapLegendLabel.text()
    right = colour_of(view, plain)[rows, 2 * width // 3 : 5 * width // 6]
    assert np.abs(np.median(right, axis=(0, 1)) - RED).max() < 0.03
    ui.mapShownCheckBox.click()
    np.testing.assert_array_equal(view.picture(), plain)
    ui.mapShownCheckBox.click()
    assert (view.picture() != plain).any()
    assert ui.undoButton.text() == "Undo: compute the reliability map"
    ui.undoButton.click()
    np.testing.assert_array_equal(view.picture(), plain)
    assert not ui.mapShownCheckBox.isEnabled()


def test_it_can_be_cancelled_while_it_becomes_finer(host, ui, bench, twins):
    choose(ui.mapDetailSelector, "Fine")
    ui.computeMapButton.click()
    host.process(until=lambda: bench.reliability_map.overlay is not None)
    assert "left" in ui.statusLabel.text()
    ui.cancelButton.click()
    assert not bench.busy
    assert ui.mapShownCheckBox.isEnabled()


@pytest.mark.real_data
def test_a_heart_is_trusted_more_than_what_lies_around_it(host, ui, bench, real_data):
    folder = real_data / "cardiac_edes"
    patients = ("SC-HF-NI-12", "SC-HYP-40", "SC-N-05")
    files = [sorted((folder / "images").glob(f"{name}-IM-*.png")) for name in patients]
    paths = [images[len(images) // 2] for images in files]
    nodes = [add_volume(path.stem, read_image(path)) for path in paths]
    ui.imageSelector.setCurrentNode(nodes[0])
    tick_all(ui.othersList)
    choose(ui.mapMethodSelector, "tmn-cardiac-cine")
    choose(ui.mapDetailSelector, "Coarse")
    ui.computeMapButton.click()
    host.process(until=lambda: not bench.busy)
    found = pixels(image_of(bench.reliability_map.overlay.volume))[0]
    ventricle = pixels(read_image(folder / "lv_masks" / paths[0].name))[0] > 0
    around = ~ventricle & (found >= 0)
    assert np.median(found[ventricle]) < 0.5 * np.median(found[around])
