"""Between an image and what a network sees of it, nothing moves."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field, normalised
from LandmarkTrackerLib.geometry import Grid


def image_of(pixels: np.ndarray, spacing: tuple[float, float]) -> sitk.Image:
    image = sitk.GetImageFromArray(pixels[None].astype(np.float32))
    image.SetSpacing((*spacing, 8.0))
    return image


@pytest.mark.parametrize("spacing", [(1.25, 1.5), (2.7, 2.7), (1.3125, 3.5), (0.14, 0.14)])
def test_points_come_back_from_the_field_to_where_they_were(spacing: tuple[float, float]) -> None:
    grid = Grid.of(image_of(np.zeros((91, 60)), spacing))
    field = Field((64, 80), 2.7)
    index = np.array([[0, 0, 0], [59, 90, 0], [12.25, 70.5, 0]])
    np.testing.assert_allclose(field.to_index(grid, field.from_index(grid, index)), index, atol=1e-10)


def test_the_centre_of_the_image_is_the_centre_of_the_field_and_millimetres_stay_millimetres() -> None:
    grid = Grid.of(image_of(np.zeros((91, 60)), (1.25, 1.5)))
    field = Field((64, 80), 2.5)
    np.testing.assert_allclose(field.from_index(grid, [29.5, 45, 0]), [31.5, 39.5])
    # 10 mm to the right and 5 mm down.
    np.testing.assert_allclose(field.from_index(grid, [29.5 + 8, 45 + 5 / 1.5, 0]), [31.5 + 4, 39.5 + 2])


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.14, 0.14), (0.2, 0.3)])
def test_a_field_that_fits_shows_the_whole_image_whatever_its_spacing(spacing: tuple[float, float]) -> None:
    grid = Grid.of(image_of(np.zeros((90, 60)), spacing))
    field = Field((32, 32), 2.5, fit=True)
    corners = field.from_index(grid, [[-0.5, -0.5, 0], [59.5, 89.5, 0]])
    wide, high = np.array(grid.size[:2]) * spacing
    # The longer side fills the field; a mm is a mm along both.
    np.testing.assert_allclose(corners[1] - corners[0], 32 * np.array([wide, high]) / max(wide, high))
    assert field.pitch(grid) == pytest.approx(max(wide, high) / 32)
    np.testing.assert_allclose(field.to_index(grid, corners)[:, :2], [[-0.5, -0.5], [59.5, 89.5]])


@pytest.mark.parametrize("spacing", [0.6, 1.0, 1.9, 3.7])
def test_a_ramp_is_shown_exactly_where_it_is(spacing: float) -> None:
    """Finer, equal, a little coarser and much coarser than the image; odd and even sizes."""
    jj, ii = np.mgrid[0:141, 0:120]
    for ramp, axis in ((ii, 0), (jj, 1)):
        grid = Grid.of(image_of(ramp, (1.0, 1.0)))
        field = Field((24, 25), spacing)
        shown = field.resample(ramp.astype(np.float32), grid)
        rows, columns = np.mgrid[0:25, 0:24]
        index = field.to_index(grid, np.stack([columns, rows], axis=-1))
        np.testing.assert_allclose(shown, index[..., axis], atol=2e-3)


def test_beyond_the_image_the_field_is_black() -> None:
    shown = Field((64, 64), 1.0).resample(
        np.ones((20, 20), np.float32), Grid.of(image_of(np.ones((20, 20)), (1, 1)))
    )
    assert shown[:22].max() == 0
    assert shown[22:42, 22:42].min() == 1
    assert shown[:, 42:].max() == 0


def test_fine_detail_is_averaged_and_not_aliased() -> None:
    stripes = np.tile([0.0, 1.0], (128, 64)).astype(np.float32)
    shown = Field((32, 32), 3.9).resample(stripes, Grid.of(image_of(stripes, (1, 1))))
    np.testing.assert_allclose(shown[4:-4, 4:-4], 0.5, atol=0.02)


def test_brightness_does_not_depend_on_the_scanner_s_units() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=(40, 40)).astype(np.float32)
    np.testing.assert_allclose(normalised(values), normalised(values * 37 + 1000), atol=1e-3)
    outlier = values.copy()
    outlier[3, 3] = 1e6
    assert np.median(normalised(outlier)) == pytest.approx(np.median(normalised(values)), rel=0.02)


def test_an_image_of_few_bright_pixels_is_not_black() -> None:
    dots = np.zeros((50, 50), np.float32)
    dots[10, 10] = 5
    assert normalised(dots).max() == 1


def test_a_volume_is_refused() -> None:
    with pytest.raises(InputError, match="slices"):
        Field((32, 32), 1.0).show(sitk.Image(8, 8, 4, sitk.sitkFloat32))
