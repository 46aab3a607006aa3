"""The reliability map, computed, hidden and undone on the page."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import textured
from host.browser_tab import VIEW, Tab
from PIL import Image


def colourful(tab) -> np.ndarray:
    """(rows, columns) how far the view's pixels are from grey, without its corner and its legend."""
    shot = tab.page.locator(VIEW).first.screenshot()
    pixels = np.array(Image.open(io.BytesIO(shot)).convert("RGB")).astype(float)
    return np.ptp(pixels, axis=2)[:, : pixels.shape[1] * 3 // 4]


def wait_until(tab, holds) -> np.ndarray:
    """The view, once this holds for its colours."""
    for _ in range(100):
        if holds(seen := colourful(tab)):
            return seen
        tab.page.wait_for_timeout(200)
    raise AssertionError(f"{(seen > 30).mean():.2f} of the view is in colour")


def tick_others(tab) -> None:
    boxes = tab.page.locator(".lt-section-inputs input[type=checkbox]")
    boxes.first.wait_for()
    for n in range(boxes.count()):
        boxes.nth(n).check()


@pytest.fixture
def folder(tmp_path):
    texture = textured((96, 80)).astype(np.float32)
    for name in ("one", "two"):
        sitk.WriteImage(sitk.GetImageFromArray(texture[None]), str(tmp_path / f"{name}.nrrd"))
    return tmp_path


def test_the_map_is_shown_hidden_and_undone(serve, visit, folder):
    tab = Tab(visit(serve(folder / "two.nrrd", folder / "one.nrrd")))
    tab.unfold("map")
    assert tab.page.locator(".lt-do-computeMap").is_disabled()
    tick_others(tab)
    tab.choose("mapMethod", "ncc")
    tab.choose("mapDetail", "Coarse")
    assert (colourful(tab) < 30).all()
    tab.press("computeMap")
    tab.says("is found again within 20 mm")
    assert (wait_until(tab, lambda seen: (seen > 30).mean() > 0.3) > 30).mean() > 0.3
    tab.page.locator(".lt-mapShown input").uncheck()
    wait_until(tab, lambda seen: (seen < 30).all())
    tab.page.locator(".lt-mapShown input").check()
    wait_until(tab, lambda seen: (seen > 30).mean() > 0.3)
    tab.press("undo")
    wait_until(tab, lambda seen: (seen < 30).all())


@pytest.mark.real_data
def test_a_heart_of_an_unseen_patient(serve, visit, real_data):
    patients = ("SC-N-05", "SC-HYP-40", "SC-HF-NI-12")
    series = [sorted((real_data / "cardiac_edes" / "images").glob(f"{name}-IM-*.png")) for name in patients]
    tab = Tab(visit(serve(*(images[len(images) // 2] for images in series))))
    for section in ("landmarks", "propagate", "review", "map"):
        tab.unfold(section)
    tick_others(tab)
    tab.choose("mapDetail", "Coarse")
    tab.press("computeMap")
    tab.says("through 2 volumes and with tmn-cardiac-cine")
    wait_until(tab, lambda seen: (seen > 30).mean() > 0.2)
    tab.page.locator(".lt-mapLimit input").fill("40")
    tab.page.locator(".lt-section-map", has_text=re.compile("Red: 40 mm or more")).wait_for()
