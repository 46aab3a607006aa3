"""Errors are the distances that arithmetic says, and figures are those of the errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.formats.annotated import annotated_images
from LandmarkTrackerLib.landmarks import LandmarkSet
from reproduce_tmn.config import MapsConfig
from reproduce_tmn.measure import asking, error_maps, landmark_errors, map_figures, template_errors
from reproduce_tmn.result import Result, together
from reproduce_tmn.same_place import SamePlace
from reproduce_tmn.spread import Spread

NAMES = ("a", "b")
# Patient, side of the image in pixels, and the places of a and b in shares of the image's side.
PLACES = {
    "one-0": (40, [[0.25, 0.25], [0.5, 0.75]]),
    "two-0": (80, [[0.35, 0.25], [0.5, 0.65]]),
    "three-0": (60, [[0.30, 0.30], [0.5, 0.70]]),
}


@pytest.fixture
def items(tmp_path):
    """Images of one body part with different numbers of pixels, and landmarks at known shares of them."""
    for seed, (name, (side, shares)) in enumerate(PLACES.items()):
        values = np.random.default_rng(seed).uniform(0, 1, (1, side, side)).astype(np.float32)
        sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / f"{name}.nrrd"))
        index = np.array(shares) * side - 0.5
        write_landmarks(tmp_path / f"{name}.mrk.json", LandmarkSet(NAMES, np.pad(index, ((0, 0), (0, 1)))))
    return {item.name: item for item in annotated_images(tmp_path, "^(.+?)-")}


def test_errors_count_pixels_of_the_field_whatever_the_images_size(items):
    """A field of 20 pixels: what lies 0.1 of the side apart is 2 pixels off."""
    field = Field((20, 20), 1.0, fit=True)
    one, two, three = (items[name] for name in PLACES)
    ask = asking(SamePlace(field), [[one], [one, two], [two]], NAMES)
    (errors,) = landmark_errors(ask, [three], NAMES, field)
    off = 20 * np.hypot(0.05, 0.05)
    assert errors == pytest.approx(np.array([[off, 1.0], [1.0, 0.0], [off, 1.0]]), abs=1e-4)


def test_a_landmark_that_the_target_does_not_show_has_no_error(items):
    field = Field((20, 20), 1.0, fit=True)
    one, two, _ = (items[name] for name in PLACES)
    target = replace(two, landmarks=two.landmarks.select(("b",)))
    (errors,) = landmark_errors(asking(SamePlace(field), [[one]], NAMES), [target], NAMES, field)
    assert np.isfinite(errors).tolist() == [[False, True]]


def test_who_never_moves_has_no_cyclic_error(items):
    """Every place is found at the same place of other images, and comes back to itself."""
    field = Field((20, 20), 1.0, fit=True)
    *_, (share, finished) = error_maps(
        SamePlace(field), list(items.values()), MapsConfig(images=2, targets=2, step=8)
    )
    assert share == 1.0
    assert [len(cyclic.errors) for *_, cyclic in finished] == [2, 2]
    figures = map_figures(finished, field)
    assert figures["cyclic_mean"] == pytest.approx(0, abs=1e-6)
    assert figures["cyclic_answered"] == 1.0


def test_template_matching_counts_every_pixel_of_every_image(items):
    field = Field((20, 20), 1.0, fit=True)
    reads = [item.read for item in items.values()]
    *_, (share, spread) = template_errors(SamePlace(field), reads, MapsConfig(), field)
    assert (share, spread.asked) == (1.0, 40**2 + 80**2 + 60**2)
    assert spread.figures("template")["template_mean"] == pytest.approx(0, abs=1e-6)


def test_a_spread_is_that_of_all_errors_that_were_answered():
    spread = Spread()
    for part in ([1.0, np.nan, 4.0], [2.0]):
        spread.add(np.array(part))
    expected = {"mean": 7 / 3, "sd": np.std([1, 4, 2]), "max": 4.0, "answered": 0.75}
    assert spread.figures("") == pytest.approx(expected)
    assert Spread().figures("x") == {"x_answered": 0.0}


def test_figures_are_over_all_draws_and_what_was_answered():
    result = Result(10, 1.0, {1: [[1.0, 3.0, None], [2.0, 2.0, 2.0]], 5: [[1.0, 1.0, 1.0]]}, asked=3)
    assert result.figures(1) == pytest.approx(
        {
            "mean": 2.0,
            "sd": np.sqrt(2 / 5),
            "median": 2.0,
            "max": 3.0,
            "lowest": 2.0,
            "highest": 2.0,
            "answered": 5 / 6,
        }
    )
    assert result.best == 5
    assert result.figures(20) == {}


def test_models_of_one_method_become_one_result_that_survives_the_disk(tmp_path):
    a, b = (Result(5, 2.0, {n: [[float(n)]]}, 1, {n: {"cpu": 7.0}}) for n in (1, 2))
    both = together([a, b, a])
    assert both.errors == {1: [[1.0], [1.0]], 2: [[2.0]]}
    both.write(tmp_path / "both.json")
    assert Result.read(tmp_path / "both.json") == both
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InputError, match=r"bad\.json cannot be read; delete it and it is measured again"):
        Result.read(tmp_path / "bad.json")
