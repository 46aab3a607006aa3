from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, read_config
from LandmarkTrackerLib.training.tmn_data import TmnConfig


@dataclass(frozen=True)
class Folder:
    path: str


@dataclass(frozen=True)
class Settings:
    run: RunConfig
    data: tuple[Folder, ...] = ()
    scale: tuple[float, float] = (0.8, 1.2)
    loss: Literal["gaussian", "laplace"] = "gaussian"
    title: str | None = None
    names: tuple[str, ...] = field(default_factory=tuple)


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "train.toml"
    path.write_text(text)
    return read_config(path, Settings)


RUN = "\n[run]\nsteps = 3\nbatch_size = 2\n"


def test_a_training_file_becomes_its_dataclass(tmp_path: Path) -> None:
    text = 'scale = [1, 1.5]\ntitle = "x"\nnames = ["a", "b"]' + RUN + '[[data]]\npath = "here"\n'
    settings = read(tmp_path, text)
    assert settings.scale == (1.0, 1.5)
    assert settings.title == "x"
    assert settings.names == ("a", "b")
    assert settings.data == (Folder("here"),)
    assert settings.run == RunConfig(steps=3, batch_size=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RUN + "batchsize = 3", "unknown key 'run.batchsize'; did you mean 'batch_size'"),
        ("[run]\nsteps = 3", "'run.batch_size' is missing"),
        ("[run]\nsteps = 3.5\nbatch_size = 2", "'run.steps' must be a whole number, not 3.5"),
        ("[run]\nsteps = true\nbatch_size = 2", "'run.steps' must be a whole number, not True"),
        ("[run]\nsteps = 0\nbatch_size = 2", "run: give either steps, or epochs (passes over the training"),
        ("[run]\nsteps = 1\nepochs = 1\nbatch_size = 2", "run: give either steps, or epochs"),
        ("[run]\nsteps = -1\nbatch_size = 2", "run: steps = -1 must be at least 0"),
        ("run = 3", "'run' must be a table, not 3"),
        ('loss = "huber"' + RUN, "'loss' is 'huber', which is not one of 'gaussian', 'laplace'"),
        ("scale = [1]" + RUN, "'scale' must be a list of 2, each a number"),
        (RUN + "[[data]]\npth = 'x'", "unknown key 'data[0].pth'; did you mean 'path'"),
        ("[run\n", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert message in str(error.value)
    assert "train.toml" in str(error.value)


def test_a_missing_training_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        read_config(tmp_path / "nowhere.toml", Settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[field]\nsize = [64, 64]", "unknown key 'field'; it is now [input]"),
        ("[[data]]\nfolder = 'x'\npatient = '(.)'", "'; it is now 'subject'"),
        ("[data]\nfolder = 'x'\nheld_out = ['a']", "it is now 'test' in [split]"),
        ("[input]\nsize = [64, 64]\nspacing_mm = 2", "it is now 'spacing'"),
        ("[optimiser]\nrate = 1", "it is now [learning]"),
    ],
)
def test_a_key_of_an_older_file_is_answered_with_its_new_name(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "old.toml"
    tables = {"data": "[data]\nfolder = 'x'\n", "input": "[input]\nsize = [64, 64]\nspacing = 1.0\n"}
    others = "".join(table for name, table in tables.items() if f"[{name}]" not in text)
    path.write_text(text + RUN + others)
    with pytest.raises(InputError) as caught:
        read_config(path, TmnConfig)
    assert sentence in str(caught.value)


def test_one_table_is_read_as_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(
        "[data]\nfolder = 'x'\n[split]\nvalidation = 0.3\n[input]\nsize = [64, 64]\nspacing = 2" + RUN
    )
    config = read_config(path, TmnConfig)
    assert config.data == (DataConfig("x"),)
    assert config.split.validation == 0.3


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"seed": -1}, "seed = -1"),
        ({"threads": 100000}, "threads = 100000"),
        ({"clip": float("nan")}, "clip = nan"),
        ({"batch_size": 0}, "batch_size = 0"),
    ],
)
def test_an_impossible_value_is_named(keys: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        RunConfig(**({"steps": 1, "batch_size": 1} | keys))


@pytest.mark.parametrize(
    ("images", "batch", "epochs", "every", "steps", "decay"),
    [
        (10_000, 92, 1000, 80, 108_696, 8_696),
        (10_000, 192, 1000, 80, 52_084, 4_167),
        (24_923, 4, 50, 1, 311_538, 6_231),
    ],
)
def test_epochs_are_counted_as_steps_of_whole_batches(images, batch, epochs, every, steps, decay) -> None:
    """ConvNext's batches of 92, the others' of 192 (Frueh et al. 2022), and Grewal et al. 2020."""
    run = RunConfig(epochs=epochs, batch_size=batch, schedule="staircase", warmup=10, decay_every=every)
    counted = run.counted(images)
    assert (counted.steps, counted.epochs, counted.decay_every) == (steps, 0, decay)
    assert counted.warmup == math.ceil(10 * images / batch)
    assert counted.counted(1) == counted
