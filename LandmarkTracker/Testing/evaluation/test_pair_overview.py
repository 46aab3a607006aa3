from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.evaluation.pair_overview import (
    colours_by_place,
    draw_pairs,
    grey_window,
    telling_levels,
)
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkPairs


def volume(slices: int) -> sitk.Image:
    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray(rng.normal(0, 100, (slices, 40, 50)).astype(np.float32))
    image.SetSpacing((2.0, 2.0, 5.0))
    return image


def pairs_in(image: sitk.Image, count: int = 200) -> LandmarkPairs:
    index = np.random.default_rng(1).uniform(0, 1, (count, 3)) * (np.array(image.GetSize()) - 1)
    points = Grid.of(image).to_world(index)
    return LandmarkPairs(points, points + np.array([3.0, 0.0, 10.0]), np.ones(count))


def test_levels_of_a_volume_show_pairs_near_both_slices() -> None:
    image = volume(30)
    pairs = pairs_in(image)
    levels = telling_levels(Grid.of(image), Grid.of(image), pairs)
    assert [level.fixed for level in levels] == sorted({level.fixed for level in levels})
    for level in levels:
        # 10 mm further up are two slices.
        assert abs(level.moving - level.fixed - 2) <= 1
        assert len(level.rows) > 5
        assert (np.abs(pairs.fixed[level.rows, 2] - level.fixed * 5) <= 5).all()


def test_colours_are_bright_and_change_with_the_place() -> None:
    grid = Grid.of(volume(1))
    around = np.array([[10.0, 40, 0], [90, 40, 0], [50, 5, 0], [50, 75, 0]])
    colours = colours_by_place(grid, around)
    assert (colours.max(axis=1) == 1).all()
    apart = np.linalg.norm(colours[:, None] - colours, axis=2)
    assert apart[~np.eye(4, dtype=bool)].min() > 0.4


def test_what_a_scanner_did_not_measure_does_not_set_the_grey_window() -> None:
    values = np.full((1, 60, 60), -3024.0, np.float32)
    values[0, 10:50, 10:50] = -1000
    values[0, 20:40, 20:40] = np.linspace(-100, 200, 400).reshape(20, 20)
    low, high = grey_window(sitk.GetImageFromArray(values))
    assert low == -1000
    assert 0 < high <= 200


def test_slices_and_volumes_are_drawn(tmp_path: Path) -> None:
    for slices in (1, 12):
        image = volume(slices)
        draw_pairs(image, volume(slices) + 5, pairs_in(image), tmp_path / f"{slices}.png", "title")
        assert (tmp_path / f"{slices}.png").stat().st_size > 50_000


def test_too_few_pairs_for_a_warp_are_drawn_all_the_same(tmp_path: Path) -> None:
    image = volume(1)
    draw_pairs(image, image, pairs_in(image, 1), tmp_path / "one.png", "title")
    assert (tmp_path / "one.png").exists()
