import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.simulation.phantom import Phantom
from simulated_motion import SimulatedMotion


@pytest.fixture(scope="module")
def still() -> sitk.Image:
    return Phantom(2, frames=1, noise=0.0).cine()[0]


def ramps(size: tuple[int, int, int]) -> tuple[sitk.Image, sitk.Image]:
    """Images whose brightness is their column and their row."""
    _, j, i = np.indices(size[::-1]).astype(np.float32)
    images = [sitk.GetImageFromArray(values) for values in (i, j)]
    for image in images:
        image.SetSpacing((1.5, 2.0, 4.0))
        image.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))
    return images[0], images[1]


@pytest.mark.parametrize("size", [(60, 50, 1), (32, 30, 28)])
def test_a_landmark_is_where_the_image_shows_what_was_clicked(size):
    for axis, image in enumerate(ramps(size)):
        motion = SimulatedMotion(image, seed=3, reach=4.0, bump=0.35, gamma=0.0, noise=0.0)
        index = np.array([[20.0, 22.0, size[2] // 2], [16.0, 14.0, size[2] // 2]])
        shown = LandmarkSet(("a", "b"), motion.grid.to_world(index))
        at = motion.grid.to_index(motion.landmarks(shown, 7).positions)
        assert np.abs(at - index).max() > 0.5
        array = sitk.GetImageFromArray(pixels(motion.cine()[7]))
        seen = [array.EvaluateAtContinuousIndex(tuple(point), sitk.sitkLinear) for point in at]
        np.testing.assert_allclose(seen, index[:, axis], atol=0.05)


def test_frame_0_is_the_image_and_the_motion_reaches_as_far_as_asked(still):
    motion = SimulatedMotion(still, seed=1, reach=6.0, period=8, frames=9)
    assert (pixels(motion.cine()[0]) == pixels(still)).all()
    lattice = [(i, j, 0) for i in range(20, 130, 6) for j in range(20, 160, 6)]
    shown = LandmarkSet(tuple(map(str, range(len(lattice)))), Grid.of(still).to_world(lattice))
    moved = np.linalg.norm(motion.landmarks(shown, 4).positions - shown.positions, axis=1) / 1.8
    assert 4.0 < moved.max() <= 6.05
    np.testing.assert_allclose(motion.landmarks(shown, 8).positions, shown.positions, atol=1e-9)


def test_the_same_seed_gives_the_same_frames(still):
    first, again, other = (SimulatedMotion(still, seed=s).cine()[3] for s in (5, 5, 6))
    assert (pixels(first) == pixels(again)).all()
    assert (pixels(first) != pixels(other)).any()


def test_one_side_grows_brighter_and_the_other_darker_over_the_frames(still):
    motion = SimulatedMotion(still, seed=1, reach=0.0, gamma=0.0, noise=0.0, drift=0.5, frames=5)
    first, middle, last = (pixels(motion.cine()[t])[0] for t in (0, 2, 4))
    low = np.percentile(first, 0.5)
    for frame, share in ((middle, 0.5), (last, 1.0)):
        brighter = np.exp(share * 0.5 * np.linspace(-1, 1, first.shape[1]))
        np.testing.assert_allclose(frame - low, np.maximum(first - low, 0) * brighter, atol=0.1)


def test_tissue_that_fades_gives_way_to_tissue_from_the_other_side(still):
    motion = SimulatedMotion(still, reach=0.0, gamma=0.0, noise=0.0, fade=0.4, period=8, frames=5)
    image = pixels(still)
    low = np.percentile(image, 0.5)
    blended = 0.6 * image + 0.4 * image[:, ::-1, ::-1]
    np.testing.assert_allclose(pixels(motion.cine()[4]), np.maximum(blended, low), atol=0.5)
    shown = LandmarkSet.of({"a": motion.grid.to_world((70, 80, 0))})
    np.testing.assert_allclose(motion.replaced(shown, 4), 0.4)


@pytest.mark.parametrize("size", [(60, 50, 1), (32, 30, 28)])
def test_where_tissue_leaves_the_plane_something_else_is_seen_and_only_there(size):
    columns, _ = ramps(size)
    motion = SimulatedMotion(columns, reach=0.0, gamma=0.0, noise=0.0, leaving=0.2, period=8, frames=5)
    index = np.argwhere(np.ones(size))[::7]
    index = index[np.abs(index[:, 0] - (size[0] - 1) / 2) > 4]
    shown = LandmarkSet(tuple(map(str, range(len(index)))), motion.grid.to_world(index))
    replaced = motion.replaced(shown, 4)
    assert 0.1 < (replaced > 0.5).mean() < 0.3
    np.testing.assert_array_equal(motion.replaced(shown, 0), 0)
    farthest = pixels(motion.cine()[4])[tuple(index.T[::-1])]
    low = np.percentile(pixels(columns), 0.5)
    there, gone = replaced == 0, replaced == 1
    np.testing.assert_allclose(farthest[there], np.maximum(index[there, 0], low), atol=0.01)
    np.testing.assert_allclose(farthest[gone], np.maximum(size[0] - 1 - index[gone, 0], low), atol=0.01)


def test_a_dropped_frame_shows_nothing_of_the_others(still):
    motion = SimulatedMotion(still, seed=1, dropped=(2,))
    first, dropped, after = (pixels(motion.cine()[t]).ravel() for t in (0, 2, 3))
    assert abs(np.corrcoef(first, dropped)[0, 1]) < 0.05 < 0.5 < np.corrcoef(first, after)[0, 1]
    shown = LandmarkSet.of({"a": motion.grid.to_world((70, 80, 0))})
    assert (motion.replaced(shown, 2), motion.replaced(shown, 3)) == (1, 0)
