"""Two scans of one patient matched, and a landmark set detected, on the page."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

import pytest
from host.browser_tab import VIEW, Tab

PICTURES = os.environ.get("LANDMARKTRACKER_PICTURES", "")


@pytest.fixture
def scans(real_data) -> list[Path]:
    """An earlier and a later slice of one patient."""
    return sorted((real_data / "ct_followup" / "A002304").glob("axial_*.nrrd"))[:2]


def pairs(tab) -> int:
    """How many pairs the table shows."""
    return tab.page.locator(".lt-section-match tbody tr").count()


def test_two_scans_are_matched_warped_and_exported_as_pairs(serve, visit, scans, tmp_path):
    tab = Tab(visit(serve(*scans)))
    for section in ("inputs", "landmarks", "propagate", "review", "match"):
        tab.unfold(section)
    assert tab.page.locator(".lt-do-match").is_disabled()
    for field, file in zip(("fixedVolume", "movingVolume"), scans, strict=True):
        tab.choose(field, re.escape(file.stem))
    tab.page.locator(f"{VIEW} .lt-corner", has_text="fixed:").wait_for()
    tab.page.locator(f"{VIEW} .lt-corner", has_text="moving:").wait_for()

    tab.press("match")
    tab.page.locator(".lt-section-match tbody tr").first.wait_for()
    found = pairs(tab)
    assert found >= 10
    tab.page.locator(".lt-section-match tbody tr").nth(1).click()
    tab.press("removePairs")
    tab.page.wait_for_function(
        "n => document.querySelectorAll('.lt-section-match tbody tr').length === n", arg=found - 1
    )
    tab.page.keyboard.press("z")
    tab.page.wait_for_function(
        "n => document.querySelectorAll('.lt-section-match tbody tr').length === n", arg=found
    )

    tab.press("warp")
    tab.page.locator(f"{VIEW} .lt-corner", has_text="fixed and warped in turn").wait_for()
    if PICTURES:
        tab.page.mouse.move(700, 790)
        tab.page.wait_for_timeout(1500)
        tab.page.screenshot(path=str(Path(PICTURES) / "browser_match.png"))

    # The pairs as files.
    tab.unfold("export")
    with tab.download("download-pairs") as archive:
        rows = list(csv.reader(io.StringIO(archive.read("pairs.csv").decode())))
    assert len(rows) == found + 1


def test_a_landmark_set_is_detected_in_a_cine(serve, visit, real_data):
    tab = Tab(visit(serve(real_data / "cardiac_cine" / "SCD0000301_slice04.seq.nrrd")))
    tab.unfold("sets")
    tab.press("detect")
    tab.says(r"Detected \d+ landmarks")
    states = {state.split(",")[0] for _name, state in tab.rows()}
    assert states <= {"found", "missing here"}
    assert "found" in states
