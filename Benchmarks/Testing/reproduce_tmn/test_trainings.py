"""Every variant differs from the base in the one thing that its row of the paper's tables changes."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.training.config import read_config
from reproduce_tmn.config import SMALL, ReproduceConfig, changed
from reproduce_tmn.data import read_cases
from reproduce_tmn.trainings import Trainings


@pytest.fixture
def paper() -> ReproduceConfig:
    return read_config(SMALL.parent / "paper.toml", ReproduceConfig)


@pytest.fixture
def trainings(paper, dots_folder, tmp_path) -> Trainings:
    return Trainings(paper, read_cases(dots_folder, paper.data), tmp_path)


def differences(one: Trainings, a: str, b: str) -> set[str]:
    """Keys in which the networks and losses of two models differ."""
    first, second = (one.all[name].make.args[0] for name in (a, b))
    pairs = [
        (asdict(getattr(first, part)), asdict(getattr(second, part))) for part in ("network", "learning")
    ]
    return {key for one, two in pairs for key in one if one[key] != two[key]}


def test_the_papers_settings_are_the_default_and_in_the_recipe(paper):
    assert paper == ReproduceConfig()
    assert changed(paper) == []
    assert (paper.tmn.network.encoder, paper.tmn.network.layers, paper.tmn.network.width) == (
        "vgg16",
        3,
        4096,
    )
    assert (paper.tmn.run.batch_size, paper.tmn.learning.rate, paper.tmn.run.decay) == (192, 1e-4, 0.85)
    assert (paper.tmn.run.epochs, paper.tmn.run.decay_every, paper.simclr.run.epochs) == (1000, 80, 1000)
    assert paper.input.size == (224, 224)
    assert (paper.maps.template_images, paper.maps.template_step, paper.maps.step) == (0, 1, 2)
    assert paper.simclr.network.step == 1


def test_a_variant_differs_from_its_base_in_one_thing(trainings):
    base, ablated = trainings.base, trainings.encoders["resnet50"]
    assert base == trainings.patches[32] == trainings.encoders["vgg16"]
    assert ablated == trainings.layers[3] == trainings.losses["gaussian"]
    assert all(differences(trainings, base, trainings.patches[n]) == {"patch"} for n in (40, 50, 60, 70, 80))
    assert all(differences(trainings, ablated, trainings.layers[n]) == {"layers"} for n in (1, 2, 4))
    assert differences(trainings, ablated, trainings.losses["laplace"]) == {"loss"}
    assert differences(trainings, base, ablated) == {"encoder"}
    convnext = trainings.all[trainings.encoders["convnext_small"]]
    assert (convnext.run.batch_size, convnext.run.decay_every) == (92, 80)
    # Eight images, a thousand times.
    assert convnext.steps == 87
    assert trainings.all[base].steps == 42
    assert trainings.all[base].run.batch_size == 192


def test_nothing_is_trained_twice(trainings):
    tmn = [name for name in trainings.all if name.startswith("tmn")]
    assert len(tmn) == 6 + 3 + 3 + 1
    # Eight of the twelve patients are trained on.
    assert trainings.counts == (1, 2, 3, 4, 5, 6, 7, 8)
    assert len(trainings.regressions) == 2 * 8
    assert len(trainings.all) == len(tmn) + 2 + 16


def test_the_recipe_for_a_cpu_says_what_it_leaves_out():
    small = read_config(SMALL, ReproduceConfig)
    rows = {key: (here, paper) for key, here, paper in changed(small)}
    assert rows["tmn.network.encoder"] == ("light", "vgg16")
    assert rows["regression.network.pretrained"] == ("none", "imagenet")
    assert rows["tmn.run.epochs"] == ("0.0", "1000.0")
    assert rows["maps.template_step"] == ("8", "1")
    assert rows["simclr.network.step"] == ("2", "1")
    assert not {"tmn.run.device", "tmn.network.patch", "tmn.layers", "data.subject"} & set(rows)


def test_an_ablated_encoder_that_is_not_trained_is_refused(paper):
    with pytest.raises(InputError, match="ablated = 'light' must be one of the encoders"):
        replace(paper.tmn, ablated="light")
