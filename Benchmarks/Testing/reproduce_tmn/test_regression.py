"""Regression of all coordinates: a landmark at a known offset from a blob is learned and comes back in mm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks, write_landmarks
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.registry import make_detector
from LandmarkTrackerLib.simulation.augmentation import ImageAugmentation
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, read_config
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import FieldConfig
from LandmarkTrackerLib.weights import save_model
from reproduce_tmn.__main__ import main
from reproduce_tmn.config import SMALL
from reproduce_tmn.regression.training import (
    LearningConfig,
    NetworkConfig,
    RegressionConfig,
    RegressionTask,
)

NAMES = ("middle", "beside")
SHIFT = (5.0, -3.0)


def blob(seed: int) -> tuple[sitk.Image, LandmarkSet]:
    """A slice with one blob; landmarks in its middle, and SHIFT pixels from there."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(14, 26, 2)
    j, i = np.mgrid[:40, :40]
    values = 100 * np.exp(-((i - x) ** 2 + (j - y) ** 2) / (2 * 3**2)) + rng.normal(0, 2, i.shape)
    image = sitk.GetImageFromArray(values[None].astype(np.float32))
    image.SetSpacing((1.5, 1.5, 4.0))
    image.SetOrigin((5.0, -7.0, 2.0))
    points = Grid.of(image).to_world([[x, y, 0], [x + SHIFT[0], y + SHIFT[1], 0]])
    return image, LandmarkSet(NAMES, points)


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> RegressionConfig:
    folder = tmp_path_factory.mktemp("blobs")
    for n in range(30):
        image, landmarks = blob(n)
        sitk.WriteImage(image, str(folder / f"blob-{n}.nrrd"))
        write_landmarks(folder / f"blob-{n}.mrk.json", landmarks)
    return RegressionConfig(
        run=RunConfig(
            steps=150, batch_size=8, device="cpu", threads=1, validate_every=75, warmup=10, schedule="cosine"
        ),
        data=(DataConfig(str(folder)),),
        input=FieldConfig((40, 40), 1.5),
        network=NetworkConfig("light", "none"),
        learning=LearningConfig(3e-3),
        augmentation=ImageAugmentation(rotation=0.0, scale=(1.0, 1.0), crop=(1.0, 1.0)),
    )


@pytest.fixture(scope="module")
def model(config, tmp_path_factory) -> Path:
    run = Run(RegressionTask(config), config.run, tmp_path_factory.mktemp("run") / "blobs")
    for _ in run:
        pass
    return run.model


def test_unseen_landmarks_are_found_and_sigma_is_the_size_of_the_error(model):
    detector = make_detector(str(model), "cpu")
    assert detector.names == NAMES
    errors = []
    for seed in range(100, 130):
        image, truth = blob(seed)
        found = detector.detect(image)
        assert found.defined.all()
        assert np.all((found.scores > 0) & (found.scores <= 1))
        errors.append(found.positions - truth.positions)
    error = np.array(errors)[..., :2]
    assert np.linalg.norm(error, axis=-1).mean() < 1.5  # a pixel; the blobs lie within 18 mm
    assert 0.4 < np.sqrt((error**2).mean()) / found.sigmas[0, 0] < 2.5
    assert np.all(found.sigmas[:, 2] == 0)


def test_another_spacing_and_an_oblique_slice_do_not_move_the_answer(model):
    detector = make_detector(str(model), "cpu")
    image, _ = blob(100)
    before = Grid.of(image).to_index(detector.detect(image).positions)
    fine = sitk.Resample(
        image, (80, 80, 1), sitk.Transform(), sitk.sitkBSpline, (4.625, -7.375, 2.0), (0.75, 0.75, 4.0)
    )
    fine.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
    after = Grid.of(fine).to_index(detector.detect(fine).positions)
    assert np.abs((after[:, :2] + 0.5) / 2 - 0.5 - before[:, :2]).max() < 0.5


def test_the_model_runs_from_the_command_line(model, tmp_path):
    image, _ = blob(101)
    sitk.WriteImage(image, str(tmp_path / "new.nrrd"))
    assert main(["detect", str(tmp_path / "new.nrrd"), "--model", str(model), "--output", str(tmp_path)]) == 0
    written = read_landmarks(tmp_path / "new.mrk.json")
    expected = make_detector(str(model), "cpu").detect(image)
    assert np.allclose(written.positions, expected.positions, atol=1e-3)


def test_landmarks_follow_the_variation_of_their_image(config):
    """The brightest place of the varied image is where the sample says that the blob's middle is."""
    task = RegressionTask(replace(config, augmentation=ImageAugmentation()))

    class Peak(torch.nn.Module):
        def forward(self, images):
            top = images.flatten(1).argmax(dim=1)
            middle = torch.stack([top % 40, top // 40], dim=1).float()
            return middle[:, None].expand(-1, 2, -1)

    for row in range(5):
        image, affine, points = (tensor[None] for tensor in task.samples()[Draw(row, (2, row))])
        points[:, 1] = torch.nan  # what is not annotated does not count
        loss = float(task.loss(Peak(), (image, affine, points)))
        assert np.sqrt(loss) * 20 < 2.0


def test_training_starts_from_the_encoder_of_another_model(config, tmp_path):
    source = RegressionTask(config).network()
    save_model(tmp_path / "other.pt", "simclr", {}, source.state_dict())
    start = NetworkConfig("light", str(tmp_path / "other.pt"))
    network = RegressionTask(replace(config, network=start)).network()
    for one, two in zip(source.encoder.parameters(), network.encoder.parameters(), strict=True):
        assert torch.equal(one, two)
    wrong = replace(config, network=start, input=FieldConfig((96, 96), 1.5))
    with pytest.raises(InputError, match="train it with the same encoder and the same size"):
        RegressionTask(wrong).network()


def test_the_papers_settings_are_the_default_and_in_the_recipe():
    config = read_config(SMALL.parent / "regression.toml", RegressionConfig)
    assert config.network == NetworkConfig("resnet50", "imagenet") == NetworkConfig()
    assert (config.run.steps, config.run.batch_size, config.learning.rate) == (20000, 50, 1e-4)
    assert config.learning == LearningConfig()
