"""The task that trains heatmap networks: its samples, its optimisers, what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks, write_landmarks
from LandmarkTrackerLib.formats.annotated import annotated_images
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.networks.heatmap import NetworkConfig
from LandmarkTrackerLib.simulation.augmentation import AugmentationConfig
from LandmarkTrackerLib.training.config import DataConfig, read_config
from LandmarkTrackerLib.training.heatmap_calibration import calibrate
from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining, LearningConfig
from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
from LandmarkTrackerLib.training.task import Draw


@pytest.fixture
def config(dots_training, tmp_path) -> HeatmapTraining:
    (tmp_path / "train.toml").write_text(dots_training)
    return read_config(tmp_path / "train.toml", HeatmapTraining)


def test_a_sample_shows_its_landmarks_where_it_says_they_are(config):
    task = HeatmapTask(
        dataclasses.replace(config, augmentation=dataclasses.replace(config.augmentation, cut=0.0))
    )
    samples = task.samples()
    for row in range(5):
        image, centres, known = samples[Draw(row, (0, 1, row))]
        assert image.shape == (1, 40, 48)
        assert known.all()
        index = np.rint(centres.numpy()).astype(int)
        bright = image[0].numpy()[index[:, 1], index[:, 0]]
        assert bright.min() > np.percentile(image, 97)


def test_the_same_draw_is_the_same_sample(config):
    samples = HeatmapTask(config).samples()
    one, two, other = (samples[Draw(0, (0, 1, n))] for n in (3, 3, 4))
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], other[0])


def test_what_was_cut_away_has_no_centre(config):
    samples = HeatmapTask(
        dataclasses.replace(config, augmentation=dataclasses.replace(config.augmentation, cut=1.0))
    ).samples()
    gone = [~torch.isfinite(samples[Draw(0, (0, 1, n))][1]).all(dim=1) for n in range(20)]
    assert 5 < torch.stack(gone).sum() < 55


@pytest.fixture
def partly(dots_folder, config, tmp_path):
    """The dots with the right one marked missing and the lowest not listed, but for image 0 and `others`."""

    def make(others: range) -> HeatmapTraining:
        for path in dots_folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        for n in set(range(1, 12)) - set(others):
            file = tmp_path / f"dots-{n}.mrk.json"
            left = read_landmarks(file).select(["left", "right"]).without(np.array([False, True]))
            write_landmarks(file, left, overwrite=True)
        return dataclasses.replace(
            config,
            data=(DataConfig(str(tmp_path), landmarks=("left", "right", "bottom")),),
        )

    return make


def test_a_landmark_marked_missing_is_known_and_one_not_listed_is_not(partly):
    task = HeatmapTask(partly(range(4, 12)))
    examples = [*task.training, *task.validation]
    known = np.array([example.known for example in examples]).sum(axis=0)
    there = np.array([np.isfinite(e.centres).all(axis=1) for e in examples]).sum(axis=0)
    assert known.tolist() == [12, 12, 9]
    assert there.tolist() == [12, 9, 9]


def test_a_landmark_that_no_image_shows_cannot_be_trained(partly):
    config = partly(range(0))
    data = annotated_images(Path(config.data[0].folder))
    with pytest.raises(InputError, match="no training image shows landmark 'right'; annotate it"):
        HeatmapTask(config, data[1:], data[:1])


def test_weight_decay_is_for_weights_only_and_follows_equation_2(config):
    task = HeatmapTask(config)
    network = task.network()
    for method, factor in (("adamw", 1), ("nesterov", 2)):
        task.config = dataclasses.replace(config, learning=LearningConfig(method, 1e-6, 0.0005))
        optimiser = task.optimiser(network)
        decay = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
        assert decay[id(network.log_sigma)] == 0
        assert decay[id(network.body.appearance.heatmaps.bias)] == 0
        assert decay[id(network.body.appearance.heatmaps.weight)] == pytest.approx(factor * 0.0005)
        assert len(decay) == len(list(network.parameters()))
    assert optimiser.param_groups[0]["nesterov"]
    assert optimiser.param_groups[0]["momentum"] == 0.99


@pytest.mark.parametrize("architecture", ["scn", "unet", "la"])
def test_the_papers_optimiser_trains_all_three_networks(config, architecture):
    """Nesterov, rate 1e-6, momentum 0.99, batch 1, the norm of the gradient clipped at 10,000."""
    config = dataclasses.replace(
        config,
        learning=LearningConfig("nesterov", 1e-6, 0.0005),
        network=dataclasses.replace(config.network, architecture=architecture),
    )
    task = HeatmapTask(config)
    torch.manual_seed(0)
    network = task.network()
    optimiser = task.optimiser(network)
    batch = [tensor[None] for tensor in task.samples()[Draw(0, (0, 1, 0))]]
    losses = []
    for _ in range(60):
        loss = task.loss(network, batch)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1e4)
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def test_a_fixed_width_is_not_learned(config):
    learning = LearningConfig("nesterov", 1e-6, sigma=3.0, learn_sigma=False)
    task = HeatmapTask(dataclasses.replace(config, learning=learning))
    network = task.network()
    assert network.log_sigma.exp().tolist() == pytest.approx([3.0] * 3)
    optimised = {id(p) for group in task.optimiser(network).param_groups for p in group["params"]}
    assert id(network.log_sigma) not in optimised
    with pytest.raises(InputError, match="sigma = 0 must be above 0"):
        LearningConfig(sigma=0)


def test_a_size_that_the_network_cannot_halve_is_refused(config):
    with pytest.raises(InputError, match=r"size = \[50, 40\] must be multiples of 4"):
        HeatmapTask(dataclasses.replace(config, input=InputConfig((50, 40))))


def test_half_precision_that_would_fail_on_small_volumes_is_refused(config):
    config = dataclasses.replace(
        config,
        input=InputConfig((24, 24, 32)),
        network=NetworkConfig(width=4, levels=2),
        run=dataclasses.replace(config.run, precision="bf16-mixed"),
    )
    with pytest.raises(InputError, match="use precision = '32-true', or a size of at least 28"):
        HeatmapTask(config)


def test_slices_in_a_training_of_volumes_are_refused_by_file_name(config):
    with pytest.raises(InputError, match=r"dots-\d+.nrrd: the model is for volumes"):
        HeatmapTask(dataclasses.replace(config, input=InputConfig((16, 16, 16))))


def test_the_papers_recipe_is_the_default_of_every_table(tmp_path):
    file = tmp_path / "paper.toml"
    file.write_text(
        "[data]\nfolder = 'x'\n[input]\nsize = [512, 512]\n[learning]\noptimiser = 'nesterov'\nrate = 1e-6\n"
        "[run]\nsteps = 30000\nbatch_size = 1\n"
    )
    config = read_config(file, HeatmapTraining)
    assert config.network == NetworkConfig("scn", 128, dropout=0.5)
    assert config.augmentation == AugmentationConfig(
        (0.75, 1.25), (-0.25, 0.25), 20.0, 15.0, (0.6, 1.4), 5.0, 12
    )
    assert config.learning == LearningConfig("nesterov", 1e-6, 0.0005, 0.99)


@pytest.mark.parametrize("dimension", [2, 3])
def test_calibration_makes_sigma_the_standard_deviation_and_separates_the_heights(dimension):
    rng = np.random.default_rng(0)
    deviations = rng.normal(0, 3.0, (20000, dimension))
    calibration = calibrate(
        np.linalg.norm(deviations, axis=1),
        np.full(deviations.shape, 2.0),
        rng.normal(0.8, 0.05, 500),
        rng.normal(0.2, 0.05, 500),
    )
    assert calibration.sigma_scale == pytest.approx(1.5, rel=0.03)
    assert 0.3 < calibration.min_height < 0.7


def test_calibration_without_absent_landmarks_refuses_nothing():
    heights = np.array([0.4, 0.8])
    assert calibrate(np.ones(2), np.ones((2, 2)), heights, np.array([])).min_height <= 0.4


def test_recipes_in_the_documentation_can_be_read(root):
    recipes = sorted((root / "Docs" / "recipes").glob("scn-*.toml"))
    assert recipes
    for recipe in recipes:
        assert Path(read_config(recipe, HeatmapTraining).data[0].folder)
