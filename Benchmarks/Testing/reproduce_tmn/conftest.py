"""A comparison small enough to run in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

RECIPE = """
[input]
size = [48, 40]
spacing = 1.5

[examples]
counts = [1, 2, 50]
draws = 2
targets = 4

[maps]
template_images = 1
template_step = 16
images = 1
targets = 1
step = 16

[tmn]
patches = [32, 40]
encoders = [{ name = "light" }]
layers = [1, 2]
ablated = "light"

[tmn.run]
steps = 4
batch_size = 2
device = "cpu"
threads = 1
checkpoint_every = 100

[tmn.network]
encoder = "light"
layers = 2
width = 16

[tmn.learning]
patches = 4

[simclr.run]
steps = 2
batch_size = 2
device = "cpu"

[simclr.whole]
steps = 2
batch_size = 2
device = "cpu"

[simclr.network]
encoder = "light"
width = 8

[simclr.learning]
patches = 4

[regression.run]
steps = 2
batch_size = 2
device = "cpu"

[regression.network]
encoder = "light"
pretrained = "none"
"""


@pytest.fixture(scope="session")
def recipe(tmp_path_factory) -> Path:
    """A recipe that trains every network for a few steps."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path
