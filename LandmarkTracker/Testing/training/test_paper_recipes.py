"""The papers' recipes have the papers' values, and start, step and resume at a reduced size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from LandmarkTrackerLib.networks.heatmap import HeatmapNetwork
from LandmarkTrackerLib.training.config import DataConfig, SplitConfig, read_config
from LandmarkTrackerLib.training.correspondence import MARGINS, CorrespondenceConfig, CorrespondenceTask
from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining
from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.training.tmn import TmnTask
from LandmarkTrackerLib.training.tmn_data import TmnConfig

# Size, width, steps, gamma and alpha of sections 3 and 4.
SCN = {
    "scn-hand-xray": ((512, 512), 128, 30000, 100, 20),
    "scn-cephalogram": ((512, 512), 128, 30000, 100, 20),
    "scn-hand-mri": ((96, 32, 128), 64, 20000, 1000, 1000),
    "scn-spine-ct": ((96, 96, 192), 64, 40000, 1000, 1000),
}


def recipe(root: Path, name: str) -> HeatmapTraining:
    return read_config(root / "Docs" / "recipes" / f"{name}.toml", HeatmapTraining)


def steps_and_resumes(make, config, folder: Path) -> None:
    """Two steps, and two more after a stop."""
    run = Run(make(), config, folder)
    for step in run:
        assert step.result.loss < float("inf")
        if step.done == 2:
            run.stop()
    assert run.step == 2
    assert [step.done for step in Run(make(), config, folder, resume=True)] == [3, 4]


@pytest.mark.parametrize("name", SCN)
def test_a_recipe_of_the_scn_paper_has_its_values(name, root):
    size, width, steps, gamma, alpha = SCN[name]
    config = recipe(root, name)
    run, learning = config.run, config.learning
    assert (config.input.size, config.network.width, run.steps) == (size, width, steps)
    assert (learning.gamma, learning.alpha) == (gamma, alpha)
    assert (learning.optimiser, learning.rate, learning.momentum) == ("nesterov", 1e-6, 0.99)
    assert (learning.weight_decay, run.batch_size, run.schedule, run.clip) == (0.0005, 1, "constant", 1e4)
    assert config.network.dropout == 0.5
    # As the test of every table's defaults has them.
    assert config.augmentation == type(config.augmentation)()
    assert config.input.intensity == ("matched" if name == "scn-hand-xray" else "dataset")


def test_the_cephalograms_are_split_as_in_the_challenge(root):
    split = recipe(root, "scn-cephalogram").split
    assert split.test == tuple(f"{n:03d}" for n in range(151, 401))
    assert recipe(root, "scn-cephalogram").data[0].spacing == 0.1


@pytest.mark.parametrize("architecture", ["scn", "unet", "la"])
@pytest.mark.parametrize("name", SCN)
def test_a_recipe_of_the_scn_paper_suits_every_network_at_its_full_size(name, architecture, root):
    import torch

    config = recipe(root, name)
    network = replace(config.network, architecture=architecture)
    with torch.device("meta"):
        made = HeatmapNetwork(network, config.input.dimension, 20)
    assert all(side % made.multiple == 0 for side in config.input.size)


@pytest.mark.parametrize("architecture", ["scn", "unet", "la"])
def test_a_recipe_of_the_scn_paper_starts_steps_and_resumes(architecture, root, dots_folder, tmp_path):
    """Slices of 48 x 48 pixels and networks of width 4; the rest is the recipe of the hands."""
    config = recipe(root, "scn-hand-xray")
    config = replace(
        config,
        data=(DataConfig(str(dots_folder)),),
        split=SplitConfig(0.2),
        input=replace(config.input, size=(48, 48)),
        network=replace(config.network, architecture=architecture, width=4, kernel=3),
        augmentation=replace(config.augmentation, translate=3.0, elastic=1.0),
        run=replace(config.run, steps=4, device="cpu", workers=0),
    )
    steps_and_resumes(lambda: HeatmapTask(config), config.run, tmp_path / "run")


def test_the_recipe_of_the_correspondence_paper_has_its_values(root):
    config = read_config(root / "Docs" / "recipes" / "correspondence-paper.toml", CorrespondenceConfig)
    # 24,923 training slices.
    assert config.run.counted(24_923).steps == 311_538
    assert (config.run.epochs, config.run.batch_size, config.run.schedule) == (50, 4, "constant")
    learning, changes = config.learning, config.augmentation
    assert (learning.rate, learning.weight_decay, learning.count, learning.cell) == (1e-3, 1e-4, 400, 8)
    assert (learning.contrast, learning.repeat, learning.apart, changes.noise) == (0, 0, 0, 0)
    assert (changes.single, changes.pose, config.input.whole, config.data[0].every) == (True, False, True, 1)
    assert (config.network.normalise, config.network.transposed) == (False, True)
    assert MARGINS == (0.1, 1.0)
    # The largest pixels, 1.31 mm, of slices of 512 x 512.
    assert config.input.size[0] >= 512 * 1.31
    assert config.input.size[0] % 16 == 0


def test_the_recipe_of_the_correspondence_paper_starts_steps_and_resumes(root, dots_folder, tmp_path):
    config = read_config(root / "Docs" / "recipes" / "correspondence-paper.toml", CorrespondenceConfig)
    config = replace(
        config,
        data=(DataConfig(str(dots_folder), "*.nrrd"),),
        split=SplitConfig(0.2),
        input=replace(config.input, size=(48, 48), intensity="image"),
        network=replace(config.network, filters=(4, 4, 8)),
        run=replace(config.run, epochs=0.0, steps=4, device="cpu", workers=0, precision="32-true"),
    )
    steps_and_resumes(lambda: CorrespondenceTask(config), config.run, tmp_path / "run")


def test_the_recipe_of_the_tmn_paper_starts_steps_and_resumes(root, dots_folder, tmp_path):
    config = read_config(root / "Docs" / "recipes" / "tmn-paper.toml", TmnConfig)
    config = replace(
        config,
        data=(DataConfig(str(dots_folder), "*.nrrd"),),
        split=SplitConfig(0.2),
        input=replace(config.input, size=(48, 48)),
        network=replace(config.network, encoder="resnet50", width=16, pretrained=False),
        run=replace(config.run, epochs=0.8, batch_size=2, device="cpu", workers=0, precision="32-true"),
    )
    # Ten images to train on, in batches of two.
    assert config.run.counted(10).steps == 4
    steps_and_resumes(lambda: TmnTask(config), config.run, tmp_path / "run")
