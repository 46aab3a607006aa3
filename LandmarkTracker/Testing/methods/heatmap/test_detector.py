"""The detector on a trained network whose task is known exactly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.heatmap.detector import (
    Calibration,
    HeatmapConfig,
    HeatmapDetector,
    landmarks_of,
    locate,
    prepare,
    target_height,
)
from LandmarkTrackerLib.methods.heatmap.peaks import Peaks, find_peaks
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.networks.heatmap import HeatmapNetwork, NetworkConfig
from LandmarkTrackerLib.weights import Model, load_model

UNSEEN = range(100, 120)


@pytest.fixture(scope="module")
def detector(dots_model) -> HeatmapDetector:
    return HeatmapDetector(load_model(dots_model), "cpu")


def distance(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.linalg.norm(found - truth, axis=-1)


def test_unseen_landmarks_are_found_within_a_fraction_of_a_pixel(detector, dots):
    off = [distance(detector.detect(image).positions, truth) for image, truth in map(dots, UNSEEN)]
    assert detector.names == ("left", "right", "bottom")
    assert np.mean(off) < 0.5  # a third of a pixel of 1.5 mm


def test_the_heads_do_what_figure_9_says(detector, dots):
    """Appearance is accurate but takes one dot for another; configuration is robust but coarse; their
    product is both."""
    product, appearance, configuration, near_truth = [], [], [], []
    for image, truth in map(dots, UNSEEN):
        (view,) = prepare(image, detector.config)
        heads = detector.heads(view)
        index = view.grid.to_index(truth)[:, :2]
        j, i = np.mgrid[: view.pixels.shape[0], : view.pixels.shape[1]]
        far = (i - index[:, 0, None, None]) ** 2 + (j - index[:, 1, None, None]) ** 2 > 6**2
        around = np.where(far, -np.inf, heads.appearance)
        for errors, heatmaps in (
            (product, heads.product),
            (appearance, heads.appearance),
            (configuration, heads.configuration),
            (near_truth, around),
        ):
            errors.append(distance(find_peaks(heatmaps, 6).index, index))
    assert np.max(product) < 2
    # Around the true place, appearance is as accurate as the product; alone, it takes one dot for another.
    assert np.median(near_truth) < 1.5 * np.median(product) + 0.2
    assert np.mean(np.array(appearance) > 6) > 0.1
    # Configuration alone is less accurate than the product.
    assert np.median(configuration) > 2 * np.median(product)


def test_a_landmark_that_is_not_in_the_image_is_missing(detector, dots):
    wrong = 0
    for seed in UNSEEN:
        image, truth = dots(seed)
        cut = sitk.GetArrayFromImage(image)
        # Everything below the middle of the upper dots and the lower one is cut off.
        row = round(float(Grid.of(image).to_index(truth[2])[1])) - 6
        cropped = sitk.GetImageFromArray(np.where(np.arange(40)[None, :, None] >= row, cut.min(), cut))
        cropped.CopyInformation(image)
        found = detector.detect(cropped)
        wrong += found["bottom"].status != "missing"
    assert wrong <= 2
    assert all(detector.detect(dots(seed)[0]).defined.all() for seed in UNSEEN)


def test_sigma_is_the_size_of_the_distance(detector, dots):
    ratios = []
    for image, truth in map(dots, UNSEEN):
        found = detector.detect(image)
        assert np.all(found.sigmas[:, 2] == 0)  # nothing is searched through the slice
        assert np.all((found.scores > 0) & (found.scores <= 1))
        ratios.append(distance(found.positions, truth) / (np.sqrt(2) * found.sigma_mm))
    assert 0.4 < np.sqrt(np.mean(np.square(ratios))) < 2.5


def test_size_spacing_and_orientation_do_not_move_the_answer(detector, dots):
    image, truth = dots(100)
    fine = sitk.Resample(
        image, (96, 80, 1), sitk.Transform(), sitk.sitkBSpline, (4.625, -7.375, 2.0), (0.75, 0.75, 4.0)
    )
    assert distance(detector.detect(fine).positions, truth).max() < 1.0
    turned = sitk.Image(image)
    turned.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
    moved = Grid.of(turned).to_world(Grid.of(image).to_index(truth))
    assert distance(detector.detect(turned).positions, moved).max() < 1.0


def test_a_volume_is_refused_by_a_model_of_slices(detector):
    with pytest.raises(InputError, match="one slice of it"):
        detector.detect(sitk.Image(16, 16, 16, sitk.sitkFloat32))


def config_3d(**changes) -> HeatmapConfig:
    return dataclasses.replace(
        HeatmapConfig(
            ("a", "b"),
            NetworkConfig(width=4, levels=2),
            InputConfig((16, 16, 16), spacing=1.0),
            1000.0,
            (0.0, 1.0),
        ),
        **changes,
    )


class Bright(torch.nn.Module):
    """Stands for a trained network: landmark a's heatmap is the image, landmark b's its negative."""

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = torch.nn.Parameter(torch.zeros(2))
        self.seen: list[torch.Size] = []

    def forward(self, image):
        self.seen.append(image.shape)
        return torch.cat([image, -image], dim=1), self.log_sigma.exp()


def test_a_long_volume_is_seen_in_parts_and_merged_by_the_maximum():
    volume = np.zeros((40, 16, 16), np.float32)
    volume[35, 7, 4] = 1.0
    image = sitk.GetImageFromArray(volume)
    config = config_3d()
    network = Bright()
    (view,) = prepare(image, config)
    peaks = locate(network, view, config)
    assert network.seen == [torch.Size((1, 1, 16, 16, 16))] * 4
    found, _ = landmarks_of(peaks, view.grid, Grid.of(image), config_3d(calibration=Calibration(-np.inf)))
    assert np.allclose(found["a"].position, (4, 7, 35), atol=0.3)


def test_sigma_follows_the_axes_of_the_image_however_it_is_stored():
    stored = sitk.PermuteAxes(sitk.Image(16, 18, 20, sitk.sitkFloat32), (2, 0, 1))
    (view,) = prepare(stored, config_3d())
    peaks = Peaks(np.full((2, 3), 8.0), np.array([[1.0, 2.0, 3.0]] * 2), np.ones(2))
    found, _ = landmarks_of(peaks, view.grid, Grid.of(stored), config_3d())
    # The stored image's axes are the network's third, first and second.
    assert np.allclose(found["a"].sigma, (3, 1, 2))


def test_an_aligned_specimen_is_found_whichever_way_round_it_lies():
    rng = np.random.default_rng(0)
    volume = np.zeros((40, 24, 24), np.float32)
    volume[4:36, 8:16, 8:16] = 1.0
    volume[30, 12, 12] = 9.0
    image = sitk.GetImageFromArray(volume + rng.uniform(0, 0.1, volume.shape).astype(np.float32))
    config = config_3d(
        input=InputConfig((32, 16, 16), align=True), limits=(0.0, 9.0), calibration=Calibration(-np.inf)
    )
    assert len(prepare(image, config).grids) > 4
    model = Model("x", "heatmap", config.to_dict(), HeatmapNetwork(config.network, 3, 2).state_dict(), {})
    detector = HeatmapDetector(model, "cpu")
    detector.network = Bright()
    assert np.allclose(detector.detect(image)["a"].position, (12, 12, 30), atol=1.0)


def test_the_height_of_a_target_is_that_of_equation_1():
    assert target_height(np.array([2.0]), config_3d())[0] == pytest.approx(1000 / (2 * np.pi * 4) ** 1.5)


def test_a_configuration_survives_the_model_file(tmp_path):
    config = config_3d(calibration=Calibration(0.3, 0.7))
    assert HeatmapConfig.of(config.to_dict()) == config
    assert HeatmapConfig.of({**config.to_dict(), "limits": None}).limits is None
