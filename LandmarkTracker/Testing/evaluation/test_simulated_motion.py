import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.evaluation.phantom import Phantom
from LandmarkTrackerLib.evaluation.simulated_motion import SimulatedMotion
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet


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
