"""Contrast has the value that it should, and features of patches find a place again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.registry import make_detector, make_locator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig, read_config
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import FieldConfig
from LandmarkTrackerLib.weights import save_model
from reproduce_tmn.config import SMALL
from reproduce_tmn.simclr.training import (
    LearningConfig,
    NetworkConfig,
    SimClrConfig,
    SimClrTask,
    contrast,
)
from torch.utils.data import default_collate

CONFIG = SimClrConfig(
    run=RunConfig(steps=20, batch_size=2, device="cpu", validate_every=10, threads=1),
    data=(DataConfig(phantoms=2, frames=2),),
    split=SplitConfig(("phantom-1001",)),
    input=FieldConfig((64, 64), 5.0),
    network=NetworkConfig("light", 32, 64, 2),
    learning=LearningConfig(patches=8),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    run = Run(SimClrTask(CONFIG), CONFIG.run, tmp_path_factory.mktemp("run") / "patches")
    losses = [learned.loss for learned in results(run)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    return run.model


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_contrast_of_two_pairs_at_right_angles(temperature):
    """Each picture has its other at 1 and two more at 0: log(1 + 2 exp(-1 / t))."""
    features = torch.eye(2, dtype=torch.float64).repeat(2, 1)
    expected = np.log1p(2 * np.exp(-1 / temperature))
    assert contrast(features, temperature).item() == pytest.approx(expected, rel=1e-5)
    # Pairs taken apart cost the whole similarity more.
    swapped = contrast(features[[0, 1, 1, 0]], temperature).item()
    assert swapped == pytest.approx(expected + 1 / temperature, rel=1e-5)


def test_a_place_is_found_again_where_the_image_has_moved_it(model):
    image = as_volume(Phantom(1).cine()[0])
    grid = Grid.of(image)
    middle = (np.array(grid.size) - 1) / 2
    index = middle + np.array([[-20.0, 12.0, 0.0], [15.0, -18.0, 0.0]])
    landmarks = LandmarkSet(("a", "b"), grid.to_world(index))
    locator = make_locator(str(model), "cpu")
    examples = locator.describe(image, landmarks)
    pixels = sitk.GetArrayFromImage(image)
    step = round(20 / grid.spacing[0])
    for move in (0, step):
        moved = sitk.GetImageFromArray(np.roll(pixels, move, axis=2))
        moved.CopyInformation(image)
        found = locator.locate(examples, moved)
        off = found.positions - grid.to_world(index + [move, 0, 0])
        assert found.names == ("a", "b")
        assert np.linalg.norm(off, axis=1).max() < 10.0  # the patches lie 10 mm apart
        assert np.all((found.sigmas[:, :2] > 0) & (found.sigmas[:, :2] < 80))
        assert np.all(found.sigmas[:, 2] == 0)


def test_a_landmark_beyond_the_field_is_missing(model):
    image = as_volume(Phantom(1).cine()[0])
    landmarks = LandmarkSet(("far",), Grid.of(image).to_world([[-1000.0, 0.0, 0.0]]))
    locator = make_locator(str(model), "cpu")
    assert not locator.locate(locator.describe(image, landmarks), image).defined.any()


def test_both_variations_show_the_same_place_of_the_same_image():
    task = SimClrTask(CONFIG)
    batch = default_collate([task.training[Draw(row, (3, row))] for row in range(2)])
    first, second = (pictures.flatten(1) for pictures in task._pictures(batch))
    together = np.corrcoef(first, second)[: len(first), len(first) :]
    there = (first.std(dim=1) > 0.05).numpy()
    assert there.sum() > 5
    assert np.median(np.diag(together)[there]) > np.median(together[there]) + 0.3


def test_whole_images_train_an_encoder_that_does_not_locate(tmp_path):
    task = SimClrTask(replace(CONFIG, network=NetworkConfig("light", 0, 64)))
    network = task.network()
    batch = default_collate([task.training[Draw(row, (3, row))] for row in range(2)])
    assert task.loss(network, batch).item() > 0
    save_model(tmp_path / "whole.pt", "simclr", task.model_config({}), network.state_dict())
    with pytest.raises(InputError, match="was trained on whole images"):
        make_locator(str(tmp_path / "whole.pt"), "cpu")
    with pytest.raises(InputError, match="does not detect landmarks by itself"):
        make_detector(str(tmp_path / "whole.pt"), "cpu")


def test_the_papers_settings_are_the_default_and_in_the_recipe():
    config = read_config(SMALL.parent / "simclr.toml", SimClrConfig)
    assert config.network == NetworkConfig() == NetworkConfig("resnet50", 32, 1024, 1)
    assert (config.run.epochs, config.run.warmup, config.input.size) == (1000, 10, (224, 224))
    assert config.learning == LearningConfig()
