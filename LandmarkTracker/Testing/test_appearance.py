"""However an image is stored, its pixels stay where they are in the world."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.appearance import Appearance, Turn, turn_like
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


def volume(size: tuple[int, int, int] = (7, 6, 5), direction: tuple[float, ...] = OBLIQUE) -> sitk.Image:
    values = np.random.default_rng(0).normal(size=size[::-1]).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 2.0, 3.0))
    image.SetOrigin((-20.0, 5.0, 11.0))
    image.SetDirection(direction)
    return image


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("reverse", list(product([False, True], repeat=3)))
def test_a_turned_image_holds_the_same_values_in_the_same_places_and_is_turned_back(order, reverse):
    image = volume()
    turned = Turn(order, reverse)(image)
    grid = Grid.of(image)
    for index in ((0, 0, 0), (6, 5, 4), (2, 3, 1)):
        there = Grid.of(turned).to_index(grid.to_world(index))
        np.testing.assert_allclose(there, np.rint(there), atol=1e-9)
        assert turned[np.rint(there).astype(int).tolist()] == image[index]
    back = turn_like(Grid.of(turned), grid)(turned)
    assert Grid.of(back).same_place(grid)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))


def test_sigma_stays_with_its_axis():
    turn = Turn((2, 0, 1), (True, False, False))
    found = LandmarkSet(("a",), np.array([[1.0, 2.0, 3.0]]), np.array([[30.0, 10.0, 20.0]]))
    back = turn.back(found)
    np.testing.assert_array_equal(back.sigmas, [[10, 20, 30]])
    np.testing.assert_array_equal(back.positions, found.positions)


def test_a_slice_keeps_its_only_pixel_through_the_plane_last():
    axial = Grid.of(volume((7, 6, 1), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)))
    # The same plane seen from the other side, with its axes swapped.
    other = Grid.of(volume((6, 7, 1), (0.0, 1.0, 0, -1.0, 0, 0, 0, 0, 1.0)))
    turn = turn_like(other, axial)
    assert turn.order == (1, 0, 2)
    assert turn.reverse == (False, True, False)


def test_a_slice_of_another_plane_is_refused():
    axial = Grid.of(volume((7, 6, 1), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)))
    sagittal = Grid.of(volume((7, 6, 1), (0, 0, 1.0, 1.0, 0, 0, 0, 1.0, 0)))
    with pytest.raises(InputError, match="faces left where the example faces superior"):
        turn_like(sagittal, axial)


def test_what_differs_is_said_in_words_and_nothing_when_nothing_does():
    image = volume((60, 50, 1))
    example = Appearance.of(image)
    assert example.unlike(example) == ""
    other = sitk.Flip(sitk.Expand(image, (2, 2, 1)), (False, True, False)) * 10 + 1000
    text = Appearance.of(other).unlike(example)
    assert "120 x 100 pixels of 0.5 x 1 mm, the example 60 x 50 pixels of 1 x 2 mm" in text
    assert "axes stored in the other direction" in text
    assert "brightness" in text
