import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid, anatomical, rotation


@pytest.fixture
def image() -> sitk.Image:
    """Oblique, anisotropic, off the origin, with a left-handed direction: nothing is symmetric."""
    image = sitk.Image((7, 5, 3), sitk.sitkUInt8)
    image.SetSpacing((1.25, 0.3, 8.0))
    image.SetOrigin((-30.1, 12.25, 7.0))
    image.SetDirection((0.8, 0.0, -0.6, 0.0, 1.0, 0.0, -0.6, 0.0, -0.8))
    return image


def test_index_and_world_are_those_of_itk(image):
    grid = Grid.of(image)
    for index in [(0, 0, 0), (6, 4, 2), (1.5, -0.25, 0.75)]:
        world = image.TransformContinuousIndexToPhysicalPoint(index)
        np.testing.assert_allclose(grid.to_world(index), world, rtol=1e-14)
        np.testing.assert_allclose(grid.to_index(world), index, atol=1e-12)


def test_many_points_are_converted_at_once(image):
    grid = Grid.of(image)
    index = np.random.default_rng(0).uniform(-5, 9, (2, 4, 3))
    world = grid.to_world(index)
    assert world.shape == (2, 4, 3)
    np.testing.assert_allclose(world[1, 2], grid.to_world(index[1, 2]))
    np.testing.assert_allclose(grid.to_index(world), index, atol=1e-12)


def test_a_missing_position_stays_missing(image):
    grid = Grid.of(image)
    assert np.isnan(grid.to_index((np.nan,) * 3)).all()
    assert not grid.contains((np.nan,) * 3)


def test_an_image_reaches_to_the_edges_of_its_border_pixels(image):
    grid = Grid.of(image)
    inside = [(-0.5, -0.5, -0.5), (6.5, 4.5, 2.5), (3, 2, 1)]
    outside = [(-0.51, 0, 0), (6.51, 0, 0), (0, 4.6, 0), (0, 0, 2.6), (0, 0, -0.6)]
    assert grid.contains(grid.to_world(inside)).tolist() == [True] * 3
    assert grid.contains(grid.to_world(outside)).tolist() == [False] * 5


def test_a_slice_has_one_pixel_of_depth(image):
    assert not Grid.of(image).is_slice
    assert Grid.of(image[:, :, :1]).is_slice


def test_grids_are_the_same_to_a_thousandth_of_a_pixel(image):
    grid = Grid.of(image)
    for shift, same in ((1e-5, True), (1e-2, False)):
        image.SetOrigin((-30.1 + shift, 12.25, 7.0))
        assert Grid.of(image).same_place(grid) is same
    assert not Grid.of(image[:6]).same_place(Grid.of(image))
    image.SetOrigin(grid.origin)
    image.SetSpacing((1.26, 0.3, 8.0))
    assert not Grid.of(image).same_place(grid)


@pytest.mark.parametrize(
    ("axis", "word"),
    [
        ((1, 0, 0), "left"),
        ((-1, 0.2, 0), "right"),
        ((0, 0.9, -0.1), "posterior"),
        ((0, -1, 0), "anterior"),
        ((0, 0.1, 1), "superior"),
        ((0.5, 0, -0.8), "inferior"),
    ],
)
def test_a_direction_has_an_anatomical_word(axis, word):
    assert anatomical(np.array(axis)) == word


def test_a_rotation_turns_the_first_axis_towards_the_second():
    turn = rotation(np.pi / 6, (0, 2), 3)
    np.testing.assert_allclose(turn @ [1, 0, 0], [np.cos(np.pi / 6), 0, 0.5])
    np.testing.assert_allclose(turn @ [0, 1, 0], [0, 1, 0])
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
