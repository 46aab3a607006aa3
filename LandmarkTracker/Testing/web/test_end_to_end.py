"""From a cine to exported points, all through the page, with a real mouse."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from host.browser_tab import VIEW, Tab
from LandmarkTrackerLib.formats import read_landmarks, write_cine, write_landmarks
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.simulation.phantom import Phantom
from PIL import Image
from scipy import ndimage

# Whole pixels (i, j) by which everything moves from frame to frame, and where the two dots begin.
SHIFTS = np.array([[0, 0], [1, 1], [3, 2], [4, 2], [2, 1], [1, 0]])
DOTS = np.array([[30, 40], [62, 52]])
SIZE = (96, 80)


@pytest.fixture(scope="module")
def cine() -> Cine:
    """Grey texture with two bright dots, oblique in space, which moves by whole pixels."""
    rng = np.random.default_rng(1)
    image = sitk.GetImageFromArray(rng.normal(size=(140, 140)).astype(np.float32))
    texture = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, 2.0))
    texture = (60 + 20 * texture / texture.std()).clip(0, 110)
    j, i = np.mgrid[:140, :140] - 20
    for x, y in DOTS:
        texture[(i - x) ** 2 + (j - y) ** 2 <= 4] = 255
    frames = []
    for x, y in SHIFTS:
        pixels = texture[20 - y : 20 - y + SIZE[1], 20 - x : 20 - x + SIZE[0]].copy()
        # White that is there anyway, so that grey stays grey whatever the window.
        pixels[:4] = 255
        frame = sitk.GetImageFromArray(pixels[None])
        frame.SetSpacing((1.25, 1.5, 8.0))
        frame.SetOrigin((-30.5, 12.25, 7.0))
        frame.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
        frames.append(frame)
    return Cine.of(frames, "dots")


@pytest.fixture(scope="module")
def data(cine, tmp_path_factory):
    """The data folder: the cine, a volume, a protocol."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "study").mkdir()
    write_cine(folder / "study" / "dots.seq.nrrd", cine)
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(24, 40, 48)).astype(np.float32))
    volume = sitk.SmoothingRecursiveGaussian(noise, 1.5)
    for name in ("volume", "another"):
        sitk.WriteImage(volume, str(folder / "study" / f"{name}.nrrd"))
    names = LandmarkSet(("apex", "base"), np.zeros((2, 3)))
    write_landmarks(folder / "protocol.mrk.json", names)
    (folder / "outside.nrrd").symlink_to("/etc/hostname")
    return folder


def exact(cine: Cine, dot: int, frame: int) -> np.ndarray:
    """Where a dot is, LPS mm."""
    return cine.grid.to_world(np.array([[*(DOTS[dot] + SHIFTS[frame]), 0]], float))[0]


def view(tab, n: int) -> np.ndarray:
    """The pixels of the n-th slice view, without the words and buttons at its top."""
    box = tab.page.locator(VIEW).nth(n).bounding_box()
    clip = {**box, "y": box["y"] + 45, "height": box["height"] - 45}
    return np.asarray(Image.open(io.BytesIO(tab.page.screenshot(clip=clip))).convert("L"), float)


def wait_for_change(tab, n: int, before: np.ndarray) -> np.ndarray:
    """The n-th slice view, once it is clearly another."""
    for _ in range(100):
        if np.abs((now := view(tab, n)) - before).mean() > 5:
            return now
        tab.page.wait_for_timeout(200)
    raise AssertionError("nothing changed in the view")


class Dots(Tab):
    """It shows the cine with the two dots."""

    def dots(self) -> np.ndarray:
        """(2, 2) the dots on the screen, left first."""
        box = self.page.locator(VIEW).bounding_box()
        shot = np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=box))).convert("RGB"), int)
        white = (shot.min(axis=2) > 180) & (np.ptp(shot, axis=2) < 30)
        labels, count = ndimage.label(white)
        areas = ndimage.sum_labels(white, labels, range(1, count + 1))
        centres = ndimage.center_of_mass(white, labels, range(1, count + 1))
        scale = box["height"] / SIZE[1]
        found = [c for c, area in zip(centres, areas, strict=True) if 0.4 < area / (13 * scale**2) < 1.6]
        return np.array(sorted((box["x"] + x, box["y"] + y) for y, x in found))

    def wait_for_dots(self) -> np.ndarray:
        for _ in range(100):
            if len(dots := self.dots()) == 2:
                return dots
            self.page.wait_for_timeout(200)
        raise AssertionError("the image with its two dots did not come into view")


def read_zip(archive: zipfile.ZipFile, folder):
    archive.extractall(folder)
    return read_track_csv(folder / "track.csv")


def test_click_propagate_scrub_correct_undo_export_and_read_back(serve, visit, cine, data, tmp_path):
    tab = Dots(visit(serve(data / "study" / "dots.seq.nrrd", "--data-root", data)))
    tab.choose("model", "ncc")

    # Click both dots where they are seen.
    seen = tab.wait_for_dots()
    tab.press("place")
    tab.says("Click a landmark")
    tab.click(seen[0])
    tab.wait_for_rows("placed here")
    tab.click(seen[1])
    tab.wait_for_rows("placed here", "placed here")
    tab.press("place")
    tab.says("Press Propagate")

    # What was clicked lies within half a pixel of where the geometry of the image puts the dot.
    tab.unfold("export")
    clicked = read_zip(tab.download("download"), tmp_path / "clicked")
    for dot in (0, 1):
        index = cine.grid.to_index(clicked.positions[0, dot : dot + 1])[0]
        assert np.abs(index - [*DOTS[dot], 0]).max() < 0.5
    assert clicked.numbers == (0,)

    # Propagate, and scrub: the points lie on the dots in every frame.
    tab.press("propagate")
    tab.finish("propagate")
    found = read_zip(tab.download("download"), tmp_path / "found")
    for frame in range(len(SHIFTS)):
        for dot in (0, 1):
            assert np.linalg.norm(found.positions[frame, dot] - exact(cine, dot, frame)) < 1.5
    assert found.positions[0] == pytest.approx(clicked.positions[0])
    tab.go_to(3, 5)
    tab.wait_for_rows("found, ±", "found, ±")
    tab.page.keyboard.press("ArrowRight")
    tab.page.locator(".lt-bar", has_text="Frame 4 of").wait_for()
    assert tab.page.locator(".lt-chart polyline").count() == 2

    # Drag one point off its dot: it is placed there, and only there. The other stays.
    start = seen[0] + (SHIFTS[4] * (seen[1] - seen[0]) / (DOTS[1] - DOTS[0]))
    tab.drag(start, start + (0, 40))
    tab.wait_for_rows("placed here", "found, ±")
    dragged = read_zip(tab.download("download"), tmp_path / "dragged")
    rows = 40 * abs((DOTS[1] - DOTS[0])[1] / (seen[1] - seen[0])[1])
    moved = cine.grid.to_index(dragged.positions[4, :1])[0] - cine.grid.to_index(found.positions[4, :1])[0]
    assert np.abs(moved) == pytest.approx([0, rows, 0], abs=0.5)
    unchanged = np.ones(found.positions.shape[:2], bool)
    unchanged[4, 0] = False
    assert dragged.positions[unchanged] == pytest.approx(found.positions[unchanged])

    # Take it back.
    tab.press("undo")
    tab.wait_for_rows("found, ±", "found, ±")
    undone = read_zip(tab.download("download"), tmp_path / "undone")
    assert undone.positions == pytest.approx(found.positions)

    # Drag it again, and propagate onward: the correction stays, and no other placed point moves.
    tab.drag(start, start + (0, 12))
    tab.wait_for_rows("placed here", "found, ±")
    tab.press("propagate")
    tab.finish("propagate")

    # Write into the data folder, and read back what is there. Nothing is overwritten unasked.
    tab.page.locator(".lt-exportFrames input").click()
    tab.press("export")
    tab.says("files were written")
    written = read_track_csv(data / "results" / "track.csv")
    assert written.positions[0] == pytest.approx(clicked.positions[0])
    assert read_landmarks(data / "results" / "frame_0004.mrk.json").names == ("L1", "L2")
    again = read_zip(tab.download("download"), tmp_path / "again")
    assert again.positions == pytest.approx(written.positions, nan_ok=True)
    tab.press("export")
    tab.says("is there already")
    tab.page.locator(".lt-status.problem").wait_for()


def test_work_can_be_cancelled_and_keeps_what_is_done(serve, visit, tmp_path):
    breathing = list(Phantom().cine())
    write_cine(tmp_path / "torso.seq.nrrd", Cine.of(6 * breathing, "torso"))
    tab = Tab(visit(serve(tmp_path / "torso.seq.nrrd")))
    tab.press("place")
    tab.click((820, 300))
    tab.wait_for_rows("placed here")
    tab.press("propagate")
    tab.press("cancel")
    tab.page.wait_for_function("document.querySelector('.lt-do-cancel').disabled")
    tab.unfold("export")
    track = read_zip(tab.download("download"), tmp_path)
    assert 1 <= len(track) < 6 * len(breathing)
    assert track.numbers[0] == 0


def test_two_volumes_are_leafed_through_together_and_brightness_is_dragged(serve, visit, data):
    files = [data / "study" / f"{name}.nrrd" for name in ("volume", "another")]
    tab = Tab(visit(serve(*files, "--data-root", data)))
    for section in ("inputs", "landmarks", "propagate", "match"):
        tab.unfold(section)
    tab.choose("fixedVolume", "volume")
    tab.choose("movingVolume", "another")
    tab.page.locator(f"{VIEW} .lt-corner", has_text="moving: another").wait_for()
    tab.page.wait_for_timeout(1000)
    beside = view(tab, 1)
    box = tab.page.locator(VIEW).first.bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    tab.page.mouse.move(*middle)
    for _ in range(3):
        tab.page.mouse.wheel(0, -120)
    wait_for_change(tab, 1, beside)

    tab.press("brightness")
    before = view(tab, 0)
    tab.drag(middle, middle + (0, 150))
    wait_for_change(tab, 0, before)


def test_landmarks_of_one_volume_are_found_in_another(serve, visit, data, tmp_path):
    files = [data / "study" / f"{name}.nrrd" for name in ("volume", "another")]
    tab = Tab(visit(serve(*files, "--data-root", data)))
    tab.choose("model", "ncc")
    tab.page.locator(".lt-section-inputs .v-checkbox", has_text="another").locator("input").click()
    tab.press("place")
    box = tab.page.locator(VIEW).first.bounding_box()
    tab.click((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    tab.wait_for_rows("placed here")
    tab.press("place")
    tab.press("find")
    tab.finish("find landmarks")
    tab.unfold("export")
    tab.download("download").extractall(tmp_path)
    placed, found = (read_landmarks(tmp_path / f"{name}.mrk.json") for name in ("volume", "another"))
    assert np.linalg.norm(found.positions - placed.positions) < 1
    tab.choose("image", "another")
    tab.wait_for_rows("found, ±")


def test_an_empty_page_says_what_to_do_and_why_not(serve, visit, cine, data, tmp_path):
    tab = Tab(visit(address := serve(data)))
    tab.says("Choose a cine or a volume")
    assert tab.page.get_by_text("No image is open").is_visible()

    # A button that cannot be pressed says why.
    button = tab.page.locator(".lt-do-place")
    assert button.is_disabled()
    button.hover(force=True)
    tab.page.locator(".v-tooltip", has_text="Choose a cine or a volume first.").first.wait_for()

    # Open a volume from the data folder: what is no image, and what leads outside, is not offered.
    tab.page.locator(".lt-empty").get_by_text("Open from the data folder").click()
    entries = tab.page.locator(".lt-entry")
    entries.first.wait_for()
    offered = {text.strip() for text in entries.all_inner_texts()}
    assert {"study", "protocol.mrk.json"} <= offered
    assert "outside.nrrd" not in offered
    entries.get_by_text("study").click()
    entries.get_by_text("volume.nrrd").click()
    tab.says("Press Place landmarks")
    tab.page.wait_for_function("document.querySelectorAll('.layout-grid-item img').length === 3")

    # Landmark names from a protocol, clicked in their order.
    tab.press("protocol")
    tab.page.get_by_text("↑ up").click()
    entries.get_by_text("protocol.mrk.json").click()
    tab.wait_for_rows("not placed", "not placed")
    assert [name for name, _state in tab.rows()] == ["apex", "base"]

    # Upload the cine from this computer.
    copy = tmp_path / "uploaded.seq.nrrd"
    write_cine(copy, cine)
    tab.page.locator("#lt-upload").set_input_files(copy)
    tab.page.locator(".lt-corner", has_text="uploaded").first.wait_for()
    assert tab.frame() == 0
    tab.page.keyboard.press(" ")
    tab.page.wait_for_function("!document.body.innerText.includes('Frame 0 of')")
    tab.page.keyboard.press(" ")

    # The work is still there when the page is loaded again.
    tab.page.reload()
    tab.page.locator(".lt-corner", has_text="uploaded").first.wait_for()

    # A second tab is refused in words, and opens by itself when the first is closed.
    second = tab.page.context.new_page()
    assert second.goto(address.partition("?")[0]).status == 409
    second.get_by_text("open in another tab").wait_for()
    second.wait_for_function("getComputedStyle(document.body).opacity === '1'")
    tab.page.close()
    second.locator(".lt-corner", has_text="uploaded").first.wait_for()
