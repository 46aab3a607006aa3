"""A heart on the page, with the trained tracker; the pictures of the documentation are made here.

LANDMARKTRACKER_PICTURES names a folder for them; without it none are written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from host.browser_tab import VIEW, Tab
from LandmarkTrackerLib.formats import open_cine
from LandmarkTrackerLib.formats.track_csv import read_track_csv

CINE, DIASTOLE, SYSTOLE, LAST = "SCD0000301_slice04", 19, 6, 19
# Towards which side of the screen each wall is.
WALLS = {"septal wall": (-1, 0), "lateral wall": (1, 0), "anterior wall": (0, -1), "inferior wall": (0, 1)}
PICTURES = os.environ.get("LANDMARKTRACKER_PICTURES", "")


@pytest.fixture
def file(real_data) -> Path:
    return real_data / "cardiac_cine" / f"{CINE}.seq.nrrd"


@pytest.fixture
def expert(file):
    """frame -> (N, 2) the expert's contour of the blood pool, (i, j)."""
    contours = json.loads((file.parent / "SCD0000301_contours.json").read_text())["contours"]

    def contour(frame):
        mine = next(c for c in contours if c["sequence"] == CINE and c["frame"] == frame)
        return np.array(mine["points_px"])

    return contour


def shoot(tab, name: str) -> None:
    """A picture of the page, if one is asked for."""
    if PICTURES:
        # The mouse rests where it shows nothing.
        tab.page.mouse.move(700, 790)
        tab.page.locator(".lt-panel").evaluate("panel => panel.scrollTop = 0")
        tab.page.wait_for_timeout(1500)
        tab.page.screenshot(path=str(Path(PICTURES) / f"browser_{name}.png"))


def measured(tab, folder):
    """What the page says of every frame."""
    tab.download("download").extractall(folder)
    return read_track_csv(folder / "track.csv")


def to_screen(tab, cine, folder):
    """How (i, j) becomes a place on the screen: three points are clicked, read, and taken back."""
    box = tab.page.locator(VIEW).bounding_box()
    size = np.array([box["width"], box["height"]])
    places = np.round([box["x"], box["y"]] + size * [[0.35, 0.3], [0.6, 0.4], [0.45, 0.7]])
    tab.press("place")
    for n, place in enumerate(places):
        tab.click(place)
        tab.wait_for_rows(*["placed here"] * (n + 1))
    tab.press("place")
    track = measured(tab, folder)
    assert track.numbers == (DIASTOLE,)
    index = cine.grid.to_index(track.positions[0])[:, :2]
    for n in reversed(range(len(places))):
        tab.press("undo")
        tab.wait_for_rows(*["placed here"] * n)
    affine, *_ = np.linalg.lstsq(np.column_stack([index, np.ones(3)]), places, rcond=None)
    return lambda at: np.column_stack([at, np.ones(len(at))]) @ affine


def test_walls_of_a_heart_are_followed_corrected_and_exported(serve, visit, file, expert, tmp_path):
    cine = open_cine(file)
    tab = Tab(visit(serve(file)))
    tab.go_to(DIASTOLE, LAST)
    tab.bring_closer((850, 290))
    tab.unfold("export")
    screen = to_screen(tab, cine, tmp_path / "calibration")
    tab.unfold("export")

    # Click four walls of the expert's contour at end-diastole, and name them.
    seen = screen(expert(DIASTOLE))
    tab.page.keyboard.press("l")
    tab.says("Click a landmark")
    for n, (name, side) in enumerate(WALLS.items()):
        tab.click(seen[np.argmax(seen @ side)])
        tab.wait_for_rows(*["placed here"] * (n + 1))
        field = tab.page.locator(".lt-section-landmarks tbody input").nth(n)
        field.fill(name)
        field.press("Enter")
        tab.page.wait_for_function(
            "name => document.querySelector('.lt-do-undo').innerText.includes('rename')", arg=name
        )
    shoot(tab, "place")
    tab.page.keyboard.press("l")

    # Propagate with the model that the page chose.
    tab.page.keyboard.press("p")
    tab.finish("propagate")
    tab.go_to(SYSTOLE, LAST)
    tab.wait_for_rows(*["found, ±"] * 4)
    tab.unfold("inputs")
    tab.unfold("propagate")
    shoot(tab, "review")

    # The points lie nearer to the expert's contour at end-systole than where they were clicked.
    tab.unfold("export")
    track = measured(tab, tmp_path / "found")
    assert track.names == tuple(WALLS)
    contour = expert(SYSTOLE)

    def away(frame):
        at = cine.grid.to_index(track.positions[frame])[:, :2]
        return np.array([np.linalg.norm(contour - point, axis=1).min() for point in at])

    assert away(SYSTOLE).mean() < 0.75 * away(DIASTOLE).mean()

    # Correct the worst, and see its curve alone with its uncertainty.
    worst = int(np.argmax(away(SYSTOLE)))
    name = track.names[worst]
    at = cine.grid.to_index(track.positions[SYSTOLE])[worst : worst + 1, :2]
    nearest = contour[np.linalg.norm(contour - at, axis=1).argmin()][None]
    tab.drag(screen(at)[0], screen(nearest)[0])
    tab.wait_for_rows(*["placed here" if n == worst else "found, ±" for n in range(4)])
    tab.choose("chartLandmark", name)
    tab.page.wait_for_function("document.querySelectorAll('.lt-chart polygon').length > 0")
    tab.unfold("export")
    shoot(tab, "correct")
    tab.unfold("export")
    corrected = measured(tab, tmp_path / "corrected")
    placed = cine.grid.to_index(corrected.positions[SYSTOLE])[worst, :2]
    assert np.abs(placed - nearest[0]).max() < 0.5
