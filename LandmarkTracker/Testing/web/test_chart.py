"""The chart says what the numbers say."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from LandmarkTrackerLib.scene.sections.review import Displacement
from LandmarkTrackerLib.web import chart

TIMES = np.array([0.0, 100.0, 300.0, 400.0])


def curve(name="apex", mm=(0.0, 2.0, 6.0, 4.0), sigma=(0.0, 1.0, 1.0, 1.0)):
    return Displacement(name, TIMES, np.array(mm), np.array(sigma))


def lines(svg, tag="polyline"):
    """The points of every line, in the order in which they are drawn."""
    drawn = [element for element in ElementTree.fromstring(svg).iter() if element.tag.endswith(tag)]
    return [np.array(re.findall(r"[\d.]+", e.get("points")), float).reshape(-1, 2) for e in drawn]


def test_a_curve_is_where_its_times_and_distances_are():
    (line,) = lines(chart.draw([curve()], "ms"))
    assert line[:, 0] / chart.WIDTH == pytest.approx(chart.places(TIMES), abs=1e-3)
    height = line[0, 1] - line[:, 1]
    assert height / height[2] == pytest.approx([0, 1 / 3, 1, 2 / 3], abs=0.01)


def test_a_gap_stays_a_gap_and_a_single_frame_is_a_dot():
    svg = chart.draw([curve(mm=(0.0, 2.0, np.nan, 4.0))], "ms")
    assert [len(line) for line in lines(svg)] == [2, 1]
    assert svg.count("<circle") == 1


def test_one_or_two_landmarks_have_bands_of_their_uncertainty_and_more_do_not():
    (band,) = lines(chart.draw([curve()], "ms"), "polygon")
    (line,) = lines(chart.draw([curve()], "ms"))
    scale = (line[0, 1] - line[2, 1]) / 6
    assert line[2, 1] - band[2, 1] == pytest.approx(scale, abs=0.2)
    three = [curve("a"), curve("b"), curve("c")]
    assert not lines(chart.draw(three, "ms"), "polygon")
    assert len(lines(chart.draw(three, "ms"))) == 3


def test_nothing_to_draw_is_nothing():
    assert chart.draw([], "ms") == ""
    assert chart.draw([curve(mm=[np.nan] * 4)], "ms") == ""


def test_a_name_cannot_bring_markup_into_the_page():
    svg = chart.draw([curve("<script>alert(1)</script>")], "ms")
    assert "<script" not in svg
    ElementTree.fromstring(svg)
