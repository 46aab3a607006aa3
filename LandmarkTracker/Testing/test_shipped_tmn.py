"""What ships is what its card and its recipe say."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from LandmarkTrackerLib.networks.tmn import Tmn
from LandmarkTrackerLib.training.config import read_config
from LandmarkTrackerLib.training.tmn_data import IMAGE, PATCH, TmnConfig
from LandmarkTrackerLib.weights import load_model, model_path, read_card

SHIPPED = ("tmn-cardiac-cine", "tmn-chest-xray")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_fits_its_card_and_its_recipe(name: str, root: Path) -> None:
    model, card = load_model(name), read_card(name)
    recipe = read_config(root / "Docs" / "recipes" / f"{name}.toml", TmnConfig)
    assert (card["name"], card["method"], model.method) == (name, "tmn", "tmn")
    assert tuple(model.config["network"]["size"]) == recipe.input.size
    assert model.config["network"]["encoder"] == recipe.network.encoder == "light"
    trained = Tmn(recipe.input.size, **(asdict(recipe.network) | {"pretrained": False}))
    trained.load_state_dict(dict(model.state))
    Tmn.of(model.config).load_state_dict(trained.state_dict())
    assert model.config["spacing_mm"] == recipe.input.spacing
    assert model.config["max_sigma_mm"] == recipe.learning.max_sigma_mm
    assert tuple(card["held_out"]["validation"]) == recipe.split.validation
    assert tuple(card["held_out"]["test"]) == recipe.split.test
    assert card["training"]["steps"] == recipe.run.steps
    assert f"recipes/{name}.toml" in card["training"]["command"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_below_8_megabytes_and_says_its_data_licence_and_limits(name: str) -> None:
    assert model_path(name).stat().st_size < 8e6
    card = read_card(name)
    assert all(source["licence"] and source["citation"] for source in card["data"])
    assert card["metrics"]
    assert card["limits"]


def test_the_recipe_of_the_paper_is_the_paper_s(root: Path) -> None:
    recipe = read_config(root / "Docs" / "recipes" / "tmn-paper.toml", TmnConfig)
    assert (recipe.network.encoder, recipe.network.layers, recipe.network.width) == ("vgg16", 3, 4096)
    assert (recipe.run.batch_size, recipe.learning.rate, recipe.learning.weight_decay) == (192, 1e-4, 0)
    assert (recipe.run.epochs, recipe.run.decay, recipe.run.decay_every) == (1000, 0.85, 80)
    assert (recipe.input.size, recipe.input.fit) == ((224, 224), True)
    assert (recipe.learning.patches, recipe.learning.foreground) == (1, 0)
    assert IMAGE.rotation == 10
    assert IMAGE.scale == (0.8, 1.2)
    assert PATCH.rotation == 5
    assert PATCH.scale == (0.9, 1.3)
    assert PATCH.gamma == (0.5, 2.0)
