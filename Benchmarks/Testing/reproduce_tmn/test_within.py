"""Within one subject, errors are what arithmetic says, and every row of cines is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.training.config import read_config
from reproduce_tmn.config import MapsConfig, ReproduceConfig
from reproduce_tmn.data import read_cases
from reproduce_tmn.same_place import SamePlace
from reproduce_tmn.trainings import Trainings
from reproduce_tmn.within import Within, _hole, _torso, cases_of, draw_tracks, measured, training_of

MAPS = MapsConfig(template_images=1, template_step=16, images=1, step=16)


def test_a_torso_goes_from_end_expiration_to_end_inspiration():
    case = _torso("phantom-1006")
    heights = [case.truth[frame][:, 2].mean() for frame in range(len(case.cine))]
    assert case.source == int(np.argmax(heights))
    assert case.target == int(np.argmin(heights))
    assert not case.errors(case.source, case.landmarks.positions).any()


def test_whoever_says_that_nothing_moves_is_off_by_the_motion():
    case = _torso("phantom-1006")
    case = replace(case, truth={frame: case.truth[frame] for frame in (case.source, case.target)})
    field = Field((64, 64), 4.0)
    *_, (share, rows) = measured(SamePlace(field), [case], MAPS, field)
    moved = np.linalg.norm(case.truth[case.target] - case.truth[case.source], axis=1) / 4.0
    assert share == 1.0
    assert rows["phantom"]["mean"] == pytest.approx(moved.mean(), rel=1e-5)
    assert rows["phantom"]["still_max"] == pytest.approx(moved.max(), rel=1e-5)
    assert rows["phantom"]["template_mean"] == pytest.approx(0, abs=1e-5)
    assert rows["phantom"]["cyclic_mean"] == pytest.approx(0, abs=1e-5)


def test_a_point_that_slid_along_the_contour_is_not_off():
    """On a square of side 10, one millimetre outside its right side."""
    square = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], dtype=float)
    grid = Grid((8, 8, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    cine = Cine([0], lambda t: None, grid, "square")  # type: ignore[arg-type,return-value]
    case = Within("x", cine, 0, 0, LandmarkSet(("a",), square[:1]), {0: square}, contour=True)
    assert case.errors(0, np.array([[11.0, 3.0, 0], [11.0, 7.0, 0], [10.0, 5.0, 0]])) == pytest.approx(
        [1, 1, 0]
    )


def test_the_endocardium_is_the_border_of_what_the_myocardium_encloses():
    y, x = np.mgrid[:80, :80]
    distance = np.hypot(x - 42.0, y - 35.0)
    border = _hole((distance > 15) & (distance < 25))
    assert np.hypot(*(border - [42.0, 35.0]).T) == pytest.approx(15, abs=0.8)
    assert _hole(distance < 10) is None


def test_the_picture_shows_a_whole_cine(tmp_path):
    case = _torso("phantom-1006")
    draw_tracks(tmp_path / "tracks.png", SamePlace(Field((64, 64), 4.0)), case)
    assert (tmp_path / "tracks.png").stat().st_size > 10_000


def test_cines_are_trained_with_the_sides_of_table_1(dots_folder, recipe, tmp_path):
    config = replace(read_config(recipe, ReproduceConfig), within=("phantom",))
    trainings = Trainings(config, read_cases(dots_folder, config.data), tmp_path)
    # Of 32 and 40 the latter is nearer to both 50 and 80.
    assert trainings.within == {"within-phantom-patch40": ("phantom", 40)}
    task = trainings.all["within-phantom-patch40"].make.args[0]
    assert task.input == training_of("phantom").input
    assert task.run == config.tmn.run


def test_real_hearts_have_two_contours_each(real_data):
    cases = cases_of("cardiac")
    assert {case.row for case in cases} == {"cardiac_cine", "acdc_cine"}
    for case in cases:
        assert case.errors(case.source, case.landmarks.positions).max() == pytest.approx(0, abs=1e-6)
        assert 0.5 < case.errors(case.target, case.landmarks.positions).max() < 25
