"""Pixels that are higher than wide."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.square import squared


def smooth(size: tuple[int, int], spacing: tuple[float, float]) -> sitk.Image:
    """A slice, oblique in space, whose brightness is a smooth function of mm."""
    j, i = np.mgrid[: size[1], : size[0]]
    x, y = i * spacing[0], j * spacing[1]
    image = sitk.GetImageFromArray((np.sin(x / 9) + np.cos(y / 12))[None].astype(np.float32))
    image.SetSpacing((*spacing, 7.0))
    image.SetOrigin((4.0, -3.0, 9.0))
    image.SetDirection((0.8, 0, 0.6, 0, 1, 0, -0.6, 0, 0.8))
    return image


def test_pixels_become_square_and_every_place_stays_where_it_was():
    image = smooth((60, 30), (1.3, 3.5))
    square = squared(image)
    assert square.GetSpacing() == (1.3, 1.3, 7.0)
    assert square.GetOrigin() == image.GetOrigin()
    assert square.GetDirection() == image.GetDirection()
    # The last row lies within a pixel of the last one of the image.
    assert square.GetSize() == (60, int(29 * 3.5 / 1.3) + 1, 1)
    expected = smooth(square.GetSize()[:2], (1.3, 1.3))
    error = sitk.GetArrayFromImage(square) - sitk.GetArrayFromImage(expected)
    assert np.abs(error[:, 8:-8]).max() < 0.01
    place = (20.0, 8.0, 0.0)
    there = Grid.of(square).to_index(Grid.of(image).to_world(place))
    np.testing.assert_allclose(there, (20.0, 8 * 3.5 / 1.3, 0.0), atol=1e-9)


def test_square_pixels_are_left_alone():
    image = smooth((20, 20), (1.5, 1.5))
    assert squared(image) is image
