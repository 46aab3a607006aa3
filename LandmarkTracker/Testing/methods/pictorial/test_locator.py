"""From one subject to another: warped pictures whose true correspondence is known, and simulated patients."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid, rotation
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.pictorial.locator import PictorialLocator, View, constellation
from LandmarkTrackerLib.simulation.phantom import Phantom


@pytest.fixture(scope="module")
def patients():
    """Three simulated patients at rest: image and exact landmarks."""
    return [(p.cine()[0], p.landmarks(0)) for p in (Phantom(seed=n, frames=2) for n in (3, 4, 5))]


def errors(found: LandmarkSet, truth: LandmarkSet) -> np.ndarray:
    return np.linalg.norm(found.positions - truth.select(found.names).positions, axis=1)


def bent(image: sitk.Image, points: np.ndarray) -> tuple[sitk.Image, np.ndarray]:
    """The image turned by 12 degrees, enlarged by 1.1, shifted and bent by 4 mm; and where its points are."""
    grid = Grid.of(image)
    middle = (np.array(grid.size[:2]) - 1) / 2
    angle = np.radians(12)
    turn = 1.1 * rotation(angle)

    def forward(index: np.ndarray) -> np.ndarray:
        moved = (index - middle) @ turn.T + middle + (4.0, -3.0)
        return moved + 2.0 * np.sin(moved[:, ::-1] / 18)

    rows, columns = np.mgrid[: grid.size[1], : grid.size[0]]
    target = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float)
    source = target.copy()
    for _ in range(60):
        source -= (forward(source) - target) @ np.linalg.inv(turn).T
    i, j = np.clip(np.rint(source).astype(int), 0, np.array(grid.size[:2]) - 1).T
    values = sitk.GetArrayFromImage(image)[0, j, i].reshape(rows.shape)
    result = sitk.GetImageFromArray(values[None])
    result.CopyInformation(image)
    index = grid.to_index(points)
    index[:, :2] = forward(index[:, :2])
    return result, grid.to_world(index)


def test_landmarks_are_found_where_a_known_warp_has_taken_them(patients):
    image, landmarks = patients[0]
    warped, truth = bent(image, landmarks.positions)
    locator = PictorialLocator("cpu")
    found = locator.locate(locator.describe(image, landmarks), warped)
    assert found.names == landmarks.names
    assert found.defined.all()
    apart = np.linalg.norm(found.positions - truth, axis=1)
    # Along the liver's edge a place is less well told than across it.
    assert np.median(apart) < 1.0
    assert apart.max() < 4.0


def test_in_its_own_image_every_landmark_is_found_where_it_was_shown(patients):
    image, landmarks = patients[0]
    locator = PictorialLocator("cpu")
    found = locator.locate(locator.describe(image, landmarks), image)
    assert errors(found, landmarks).max() < 0.3


def test_what_is_found_in_another_patient_is_mostly_near_and_what_is_not_is_less_certain(patients):
    (image, landmarks), (other, truth), _ = patients
    locator = PictorialLocator("cpu")
    found = locator.locate(locator.describe(image, landmarks), other)
    apart = np.linalg.norm(landmarks.positions - truth.positions, axis=1)
    assert found.defined.sum() >= 4
    assert np.nanmedian(errors(found, truth)) < min(5.0, 0.5 * np.median(apart))
    assert (found.sigmas[found.defined, :2] > 0).all()
    assert (found.sigmas[found.defined, 2] == 0).all()


def test_size_spacing_and_brightness_of_the_target_do_not_matter(patients):
    (image, landmarks), (other, _), _ = patients
    locator = PictorialLocator("cpu")
    examples = locator.describe(image, landmarks)
    fine = sitk.Expand(other, (2, 2, 1), sitk.sitkLinear) * 13 - 400
    plain, again = locator.locate(examples, other), locator.locate(examples, fine)
    both = plain.defined & again.defined
    assert both.sum() >= 4
    assert np.median(np.linalg.norm(plain.positions - again.positions, axis=1)[both]) < 1.0


def test_a_subject_that_fills_less_of_its_image_is_found_by_its_millimetres(patients):
    """With a margin all around: in mm nothing has changed, as a share of the image everything has."""
    image, landmarks = patients[0]
    wide = sitk.ConstantPad(image, (60, 70, 0), (60, 70, 0), 0.0)
    locator = PictorialLocator("cpu")
    found = locator.locate(locator.describe(image, landmarks), wide)
    assert found.defined.all()
    assert errors(found, landmarks).max() < 3.0


def test_two_examples_may_show_different_landmarks(patients):
    (image, landmarks), (second, more), (target, _) = patients
    names = landmarks.names
    locator = PictorialLocator("cpu")
    one = locator.describe(image, landmarks.select(names[:4]))
    two = locator.describe(second, more.select(names[2:]))
    together = locator.locate(one + two, target)
    assert together.names == names
    for examples, own in ((one, names[:2]), (two, names[4:])):
        alone = locator.locate(examples, target).select(own)
        np.testing.assert_allclose(together.select(own).positions, alone.positions, atol=1e-6)
        np.testing.assert_allclose(together.select(own).sigmas, alone.sigmas, atol=1e-6)


def test_in_noise_hardly_anything_is_called_found(patients):
    image, landmarks = patients[0]
    noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(1, 176, 144)).astype(np.float32))
    locator = PictorialLocator("cpu")
    found = locator.locate(locator.describe(image, landmarks), noise)
    assert found.defined.sum() <= 1
    assert np.isnan(found.positions[~found.defined]).all()


def test_one_landmark_alone_in_an_image_without_other_detail_is_found():
    j, i = np.mgrid[:80, :80]

    def dot(column: float, row: float) -> sitk.Image:
        values = 100 * np.exp(-((i - column) ** 2 + (j - row) ** 2) / 18)
        return sitk.GetImageFromArray(values[None].astype(np.float32))

    locator = PictorialLocator("cpu")
    examples = locator.describe(dot(40, 40), LandmarkSet.of({"dot": (40, 40, 0)}))
    found = locator.locate(examples, dot(46, 37))
    np.testing.assert_allclose(found.positions, [[46, 37, 0]], atol=0.5)


def test_volumes_are_refused_in_words():
    with pytest.raises(InputError, match="works on slices"):
        PictorialLocator("cpu").describe(
            sitk.Image(20, 20, 5, sitk.sitkFloat32), LandmarkSet.of({"p": (1, 1, 1)})
        )


def test_points_keep_their_place_between_the_world_and_the_field(patients):
    image, landmarks = patients[0]
    view = View(image, "cpu")
    np.testing.assert_allclose(
        view.to_world(view.from_world(landmarks.positions)), landmarks.positions, atol=1e-3
    )
    points = view.from_world(landmarks.positions)
    found, doubt = constellation(view, points, view)
    np.testing.assert_allclose(found, points, atol=1e-2)
    assert doubt.shape == (len(landmarks),)
