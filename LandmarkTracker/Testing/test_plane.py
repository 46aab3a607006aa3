from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.plane import Plane

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


def slice_of(direction: tuple[float, ...]) -> sitk.Image:
    image = sitk.GetImageFromArray(np.arange(35, dtype=np.float32).reshape(1, 5, 7))
    image.SetSpacing((1.5, 2.0, 4.0))
    image.SetOrigin((-30.5, 12.25, 7.0))
    image.SetDirection(direction)
    return image


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, OBLIQUE])
def test_the_2d_image_has_every_point_on_the_same_pixel(direction: tuple[float, ...]) -> None:
    image = slice_of(direction)
    grid = Grid.of(image)
    plane = Plane(grid)
    flat = plane.image(image)
    for index in ([0, 0, 0], [6, 4, 0], [1.25, 3.5, 0]):
        point = plane.to_plane(grid.to_world([index]))
        np.testing.assert_allclose(
            flat.TransformPhysicalPointToContinuousIndex(point[0].tolist()), index[:2], atol=1e-9
        )
        np.testing.assert_allclose(plane.to_world(point), grid.to_world([index]), atol=1e-9)
    assert flat[6, 4] == image[6, 4, 0]


def test_on_an_axial_slice_and_in_a_2d_file_coordinates_are_left_and_posterior() -> None:
    plane = Plane(Grid.of(slice_of(AXIAL)))
    np.testing.assert_allclose(plane.to_plane(np.array([[3.0, -4.0, 7.0]])), [[3, -4]])
    flat = sitk.Image(6, 5, sitk.sitkUInt8)
    flat.SetOrigin((11.0, -2.0))
    flat.SetSpacing((0.5, 0.7))
    volume = as_volume(flat)
    again = Plane(Grid.of(volume)).image(volume)
    assert again.GetOrigin() == flat.GetOrigin()
    assert again.GetSpacing() == flat.GetSpacing()


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, OBLIQUE])
def test_a_2d_image_goes_back_where_its_slice_was(direction: tuple[float, ...]) -> None:
    image = slice_of(direction)
    plane = Plane(Grid.of(image))
    assert Grid.of(plane.volume(plane.image(image))).same_place(Grid.of(image))
