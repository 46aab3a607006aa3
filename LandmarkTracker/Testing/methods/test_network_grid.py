"""Images to network pixels and back, for every size, spacing and orientation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.network_grid import (
    InputConfig,
    bright,
    intensity_range,
    network_grid,
    on_grid,
    oriented,
    parts,
    scaled,
    whole,
)

OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


def blob(shape: tuple[int, ...], at: tuple[float, ...], spacing: tuple[float, ...], mm: float) -> sitk.Image:
    """A Gaussian of `mm` SD at index `at` (i, j, k) in an oblique image of `shape` (k, j, i)."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)[..., ::-1]
    distance = ((grid - np.array(at)) * np.array(spacing)) ** 2
    if shape[0] == 1:
        distance[..., 2] = 0
    image = sitk.GetImageFromArray(np.exp(-distance.sum(-1) / (2 * mm**2)).astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin((10.0, -20.0, 33.0))
    image.SetDirection(OBLIQUE)
    return image


def centre_of_mass(values: np.ndarray) -> np.ndarray:
    return np.array([np.average(g, weights=values) for g in np.indices(values.shape)])[::-1]


@pytest.mark.parametrize(
    ("shape", "at", "spacing", "config"),
    [
        ((1, 90, 120), (61.0, 47.0, 0.0), (1.25, 1.25, 8.0), InputConfig((64, 64))),
        ((1, 31, 40), (22.5, 14.25, 0.0), (3.0, 2.0, 8.0), InputConfig((128, 96))),
        ((24, 60, 44), (20.25, 31.0, 12.5), (1.0, 0.7, 2.0), InputConfig((32, 32, 48), spacing=1.0)),
        ((24, 60, 44), (20.25, 31.0, 12.5), (1.0, 0.7, 2.0), InputConfig((48, 48, 48))),
    ],
    ids=["2D smaller", "2D larger, anisotropic", "3D isotropic", "3D fitted"],
)
def test_a_point_goes_to_network_pixels_and_back_to_the_same_place(shape, at, spacing, config):
    image = oriented(blob(shape, at, spacing, mm=4.0), config.dimension)
    point = Grid.of(blob(shape, at, spacing, 4.0)).to_world(at)
    grid = network_grid(whole(Grid.of(image)), config)
    seen = centre_of_mass(on_grid(image, grid).clip(0))
    assert np.abs(grid.to_world(seen) - point).max() < 0.05 * grid.spacing[0]
    assert np.allclose(grid.to_world(grid.to_index(point)), point)


def test_the_aspect_ratio_is_kept_and_the_edges_of_the_longer_side_meet():
    image = Grid((1563, 2169, 1), (0.1, 0.1, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    grid = network_grid(whole(image), InputConfig((512, 512)))
    assert grid.spacing[0] == grid.spacing[1] == pytest.approx(216.9 / 512)
    # Half pixels: both cover the same millimetres from edge to edge.
    assert grid.to_world((0, -0.5, 0))[1] == pytest.approx(image.to_world((0, -0.5, 0))[1])
    assert grid.to_world((0, 511.5, 0))[1] == pytest.approx(image.to_world((0, 2168.5, 0))[1])


def test_a_volume_larger_than_the_network_keeps_the_spacing_and_a_smaller_one_is_padded():
    image = Grid((40, 50, 200), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    grid = network_grid(whole(image), InputConfig((32, 32, 64), spacing=2.0))
    assert grid.spacing == (2.0, 2.0, 2.0)
    assert grid.size == (32, 32, 200)


def test_however_a_volume_is_stored_the_network_sees_the_same():
    config = InputConfig((24, 24, 24), spacing=2.0)
    image = blob((24, 40, 32), (11.0, 27.0, 8.0), (1.0, 1.25, 2.0), 4.0)
    turned = sitk.PermuteAxes(image, (2, 0, 1))[::-1, :, ::-1]
    assert turned.GetDirection() != image.GetDirection()
    seen = [
        on_grid(i, network_grid(whole(Grid.of(i)), config)) for i in (oriented(image, 3), oriented(turned, 3))
    ]
    assert np.allclose(*seen, atol=1e-4)


def test_an_image_much_finer_than_the_network_is_not_aliased():
    stripes = np.tile(np.array([0.0, 1.0], dtype=np.float32), (1, 256, 128))
    image = sitk.GetImageFromArray(stripes)
    seen = on_grid(image, network_grid(whole(Grid.of(image)), InputConfig((36, 36))))[0]
    assert seen[4:-4, 4:-4].std() < 0.03


def test_beyond_the_image_there_is_background():
    image = sitk.GetImageFromArray(np.full((1, 20, 40), 7, dtype=np.int16))
    image[5, 5, 0] = -3
    assert on_grid(image, network_grid(whole(Grid.of(image)), InputConfig((40, 40))))[0, 2, 2] == -3


def test_a_volume_for_a_model_of_slices_is_refused_and_the_reverse():
    with pytest.raises(InputError, match="one slice of it"):
        oriented(sitk.Image(8, 8, 8, sitk.sitkInt16), 2)
    with pytest.raises(InputError, match="give a volume"):
        oriented(sitk.Image(8, 8, 1, sitk.sitkInt16), 3)


def test_intensities_of_a_data_set_share_one_range_and_those_of_mri_have_their_own():
    values = np.linspace(0, 1000, 100 * 100, dtype=np.float32).reshape(1, 100, 100)
    image = sitk.GetImageFromArray(values)
    assert intensity_range(image, InputConfig((64, 64))) == (0, 1000)
    low, high = intensity_range(image, InputConfig((64, 64), intensity="image"))
    assert (low, high) == pytest.approx((5, 995), abs=0.2)
    assert np.allclose(scaled(values, (0, 500), clip=False).max(), 3)
    assert scaled(values, (0, 500), clip=True).max() == 1
    assert np.isfinite(scaled(values * 0, (0, 0), clip=True)).all()


@pytest.mark.parametrize(("length", "size"), [(64, 64), (192, 96), (200, 96), (97, 96)])
def test_parts_overlap_by_half_and_cover_everything(length, size):
    begins = parts(length, size)
    covered = np.zeros(length, dtype=int)
    for begin in begins:
        assert 0 <= begin <= length - size
        covered[begin : begin + size] += 1
    assert covered.min() >= 1
    assert all(b - a <= size // 2 for a, b in itertools.pairwise(begins))


def test_an_aligned_volume_follows_the_specimen_up_to_the_ends_of_its_axes():
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.array([1, 1, np.linalg.det(turn)])
    index = np.stack(np.meshgrid(*[np.arange(48)] * 3, indexing="ij"), -1)[..., ::-1] - 23.5
    inside = (((index @ turn) / (18, 10, 6)) ** 2).sum(-1) < 1
    frames = bright(sitk.GetImageFromArray(inside.astype(np.float32)))
    for frame in frames:
        assert np.linalg.det(frame.axes) == pytest.approx(1)
        assert abs(frame.axes[:, 0] @ turn[:, 0]) > 0.999
        assert np.allclose(frame.middle, 23.5, atol=0.5)
        assert 36 < frame.reach[0] < 42
    # Some frame is close to the true one, whichever way round it lies.
    for ends in ((1, 1, 1), (-1, -1, 1), (1, -1, -1)):
        apart = [np.trace(frame.axes.T @ (turn * ends)) for frame in frames]
        assert np.degrees(np.arccos((max(apart) - 1) / 2)) <= 180 / 8 + 2
