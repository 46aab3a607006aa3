"""The Locator around the network. Where the network's answer matters, one with known answers stands in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.tmn import TmnLocator, weighted_mean
from LandmarkTrackerLib.networks.tmn import Tmn
from LandmarkTrackerLib.weights import Model

NETWORK = {
    "size": (64, 48),
    "patch": 32,
    "encoder": "light",
    "layers": 2,
    "width": 16,
    "dropout": 0.0,
    "pretrained": False,
}


def locator(**changes: float) -> TmnLocator:
    torch.manual_seed(0)
    state = Tmn(**NETWORK).state_dict()  # type: ignore[arg-type]
    config = {"version": 2, "network": NETWORK, "spacing_mm": 2.0, "sigma_factor": 0.7, "max_sigma_mm": 12.0}
    config["following_sigma_factor"] = 0.2
    return TmnLocator(Model("small", "tmn", config | changes, state, {}), "cpu")


@pytest.fixture
def image(oblique_cine: tuple[Cine, np.ndarray]) -> sitk.Image:
    """96 x 80 pixels of 1.25 x 1.5 mm, oblique in space: 120 x 120 mm."""
    return oblique_cine[0][0]


def answering(
    found: TmnLocator, points: list[tuple[float, float]], sigma: list[tuple[float, float]]
) -> TmnLocator:
    """The locator with a network that answers with these field points and sigma, one a patch."""

    def match(image: torch.Tensor, patch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert len(patch) == len(points)
        return torch.tensor(points), torch.tensor(sigma).log()

    found._network.match = match  # type: ignore[method-assign]
    return found


def at(image: sitk.Image, *index: tuple[float, float]) -> LandmarkSet:
    grid = Grid.of(image)
    return LandmarkSet.of({f"p{n}": grid.to_world([*ij, 0.0]) for n, ij in enumerate(index)})


def test_answers_are_placed_in_the_world_and_sigma_is_calibrated_along_the_image_s_axes(
    image: sitk.Image,
) -> None:
    shown = at(image, (30, 30), (60, 40))
    method = answering(locator(), [(31.5, 23.5), (41.5, 13.5)], [(1.0, 2.0), (3.0, 4.0)])
    found = method.locate(method.describe(image, shown), image)
    grid = Grid.of(image)
    # The middle of the field is the middle of the image; then 20 mm along i and -20 mm along j.
    expected = [(47.5, 39.5, 0), (47.5 + 20 / 1.25, 39.5 - 20 / 1.5, 0)]
    np.testing.assert_allclose(found.positions, grid.to_world(expected), atol=1e-5)
    np.testing.assert_allclose(found.sigmas, [[1.4, 2.8, 0], [4.2, 5.6, 0]], rtol=1e-5)
    assert found.names == ("p0", "p1")
    assert 0 < found.scores[1] < found.scores[0] <= 1


def test_along_a_cine_the_network_s_own_error_in_the_clicked_frame_is_taken_off(image: sitk.Image) -> None:
    """It is 4 and -2 pixels off where the landmark was clicked; then its answer moves by 3 and 1."""
    shown = at(image, (30, 30))
    grid = Grid.of(image)
    (clicked,) = locator().field.from_index(grid, [(30.0, 30.0)])
    wrong = clicked + (4, -2)
    method = answering(locator(), [tuple(wrong)], [(1.0, 2.0)])
    examples = method.describe(image, shown)
    answering(method, [tuple(wrong + (3, 1))], [(1.0, 2.0)])
    followed = method.locate(examples, image, prior=shown)
    expected = np.array([30 + 3 * 2 / 1.25, 30 + 1 * 2 / 1.5, 0])
    np.testing.assert_allclose(grid.to_index(followed.positions), [expected], atol=1e-4)
    np.testing.assert_allclose(followed.sigmas, [[0.4, 0.8, 0]], rtol=1e-5)
    elsewhere = method.locate(examples, image)
    expected += (4 * 2 / 1.25, -2 * 2 / 1.5, 0)
    np.testing.assert_allclose(grid.to_index(elsewhere.positions), [expected], atol=1e-4)


def test_in_the_frame_where_it_was_clicked_a_landmark_is_found_exactly(image: sitk.Image) -> None:
    method, shown = locator(), at(image, (30.2, 30.7), (60, 40))
    found = method.locate(method.describe(image, shown), image, prior=shown)
    np.testing.assert_allclose(found.positions, shown.positions, atol=1e-4)


def test_a_patch_shows_what_lies_around_its_landmark_wherever_the_pixels_are(image: sitk.Image) -> None:
    """A bright dot at the landmark is in the middle of its patch, between pixels too."""
    grid = Grid.of(image)
    index = np.array([41.3, 28.6])
    jj, ii = np.mgrid[0:80, 0:96]
    distance = np.hypot((ii - index[0]) * 1.25, (jj - index[1]) * 1.5)
    dotted = sitk.GetImageFromArray(np.exp(-0.5 * (distance / 5) ** 2)[None].astype(np.float32))
    dotted.CopyInformation(image)
    method = locator()
    centres = method.field.from_index(grid, index[None])
    patch = method._patches(method._show(dotted), centres)[0].numpy()
    rows, columns = np.mgrid[0:32, 0:32]
    patch = patch - patch.min()
    middle = [(columns * patch).sum() / patch.sum(), (rows * patch).sum() / patch.sum()]
    np.testing.assert_allclose(middle, 15.5, atol=0.05)


def test_the_image_is_encoded_once_a_frame_for_all_landmarks(image: sitk.Image) -> None:
    method = locator()
    examples = method.describe(image, at(image, (30, 30), (60, 40), (50, 50)))
    passes = []
    method._network.image_encoder.register_forward_hook(lambda *args: passes.append(args[1][0].shape))
    method._network.patch_encoder.register_forward_hook(lambda *args: passes.append("patch"))
    method.locate(examples, image)
    assert passes == [(1, 1, 48, 64)]


def test_a_landmark_is_found_in_the_same_place_alone_and_among_others(image: sitk.Image) -> None:
    method = locator()
    together = method.locate(method.describe(image, at(image, (30, 30), (60, 40))), image)
    alone = method.locate(method.describe(image, at(image, (30, 30))), image)
    np.testing.assert_allclose(alone.positions[0], together.positions[0], atol=1e-3)


def test_spacing_and_units_of_the_image_do_not_matter_its_millimetres_do(
    oblique_cine: tuple[Cine, np.ndarray],
) -> None:
    """The same anatomy, resampled to half the pixels and given in other units, has the same answers."""
    image = sitk.DiscreteGaussian(oblique_cine[0][0], 16.0)
    coarse = sitk.Image(48, 40, 1, sitk.sitkFloat32)
    coarse.SetSpacing((2.5, 3.0, 8.0))
    coarse.SetDirection(image.GetDirection())
    coarse.SetOrigin(image.TransformContinuousIndexToPhysicalPoint((0.5, 0.5, 0.0)))
    coarse = sitk.Resample(image, coarse, sitk.Transform(), sitk.sitkLinear) * 20 + 300
    method = locator()
    landmarks = at(image, (40, 40), (55, 35))
    fine = method.locate(method.describe(image, landmarks), image)
    found = method.locate(method.describe(coarse, landmarks), coarse)
    np.testing.assert_allclose(found.positions, fine.positions, atol=0.5)


def test_a_model_of_whole_images_does_not_depend_on_the_spacing_that_the_file_states(
    image: sitk.Image,
) -> None:
    """As a radiograph saved as PNG: the same pixels, with other or no millimetres, have the same answers."""
    png = sitk.GetImageFromArray(sitk.GetArrayFromImage(image))
    png.SetSpacing((3.75, 4.5, 1.0))
    method = locator(fit=True)
    points = np.array([[40.0, 40.0, 0.0], [55.0, 35.0, 0.0]])
    found = []
    for picture in (image, png):
        grid = Grid.of(picture)
        shown = LandmarkSet(("a", "b"), grid.to_world(points))
        answering(method, [(20.0, 20.0), (30.0, 25.0)], [(1.0, 2.0), (9.0, 9.0)])
        found.append(method.locate(method.describe(picture, shown), picture))
        assert found[-1].defined.tolist() == [True, False]
    index = [Grid.of(p).to_index(f.positions)[0] for p, f in zip((image, png), found, strict=True)]
    np.testing.assert_allclose(index[0], index[1], atol=1e-6)
    np.testing.assert_allclose(found[1].sigmas[0], 3 * found[0].sigmas[0])


def test_several_examples_are_averaged_with_weights_of_one_over_sigma(image: sitk.Image) -> None:
    """Equation 3 by hand: (10 / 1 + 22 / 3) / (1 / 1 + 1 / 3) = 13."""
    points, sigma = weighted_mean(
        np.array([0, 1, 0]),
        3,
        np.array([[10.0, 5.0], [7.0, 7.0], [22.0, 5.0]]),
        np.array([[1.0, 2.0], [4.0, 5.0], [3.0, 2.0]]),
    )
    np.testing.assert_allclose(points[:2], [[13, 5], [7, 7]])
    np.testing.assert_allclose(sigma[:2], [[2 / (1 + 1 / 3), 2], [4, 5]])
    assert np.isnan(points[2]).all()

    method, landmarks = locator(), at(image, (30, 30))
    examples = method.describe(image, landmarks) + method.describe(image, landmarks)
    answering(method, [(10.0, 5.0), (22.0, 5.0)], [(1.0, 2.0), (3.0, 2.0)])
    found = method.field.from_index(
        Grid.of(image), Grid.of(image).to_index(method.locate(examples, image).positions)
    )
    np.testing.assert_allclose(found, [[13, 5]], atol=1e-5)


def test_an_example_may_show_only_some_of_the_landmarks(image: sitk.Image) -> None:
    method = locator()
    both, second = at(image, (30, 30), (60, 40)), at(image, (30, 30), (60, 40)).select(["p1"])
    found = method.locate(method.describe(image, second) + method.describe(image, both), image)
    assert found.names == ("p1", "p0")
    assert found.defined.all()


def test_a_landmark_beyond_the_field_is_missing_and_not_guessed(image: sitk.Image) -> None:
    """The field is 128 x 96 mm, the image 120 x 120 mm."""
    method = locator()
    found = method.locate(method.describe(image, at(image, (47, 2), (47, 40))), image)
    assert found.defined.tolist() == [False, True]
    beyond = method.locate(method.describe(image, at(image, (47, 2))), image)
    assert beyond.defined.tolist() == [False]


@pytest.mark.parametrize("use", ["describe", "locate"])
def test_a_volume_is_refused_in_words(image: sitk.Image, use: str) -> None:
    method = locator()
    examples = method.describe(image, at(image, (30, 30)))
    volume = sitk.Image(20, 20, 5, sitk.sitkFloat32)
    calls: dict[str, Callable[[], object]] = {
        "describe": lambda: method.describe(volume, LandmarkSet.of({"p": (1, 1, 1)})),
        "locate": lambda: method.locate(examples, volume),
    }
    with pytest.raises(InputError, match="works on slices, and the image has 5"):
        calls[use]()
