"""Training from the shell, on simulated patients: the whole way from a file to a model that locates."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.simulation.phantom import Phantom

CONFIG = """
[run]
steps = {steps}
batch_size = 2
device = "cpu"
threads = 1
validate_every = 4
checkpoint_every = 3
log_every = 1

[[data]]
phantoms = 3
frames = 2

[split]
validation = ["phantom-1001"]
test = ["phantom-1002"]

[input]
size = [48, 48]
spacing = 7.0

[network]
layers = 1
width = 16

[learning]
patches = 4
"""


def training_file(folder: Path, steps: int = 8, extra: str = "") -> Path:
    path = folder / "tiny.toml"
    path.write_text(CONFIG.format(steps=steps) + extra)
    return path


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(root / "LandmarkTracker"), "OMP_NUM_THREADS": "1"}


def command(config: Path, output: Path, *more: str) -> list[str]:
    arguments = ["-m", "LandmarkTrackerLib.cli.main", "train", "tmn", str(config), "--output", str(output)]
    return [*arguments, *more]


def test_a_training_file_becomes_a_model_that_locates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "tiny"
    assert main(["train", "tmn", str(training_file(tmp_path)), "--output", str(output)]) == 0
    assert "done at step 8" in capsys.readouterr().out
    phantom = Phantom(seed=5, frames=2)
    locator = make_locator(str(output / "tiny.pt"), "cpu")
    found = locator.locate(locator.describe(phantom.cine()[0], phantom.landmarks(0)), phantom.cine()[1])
    assert found.names == phantom.landmarks(0).names
    assert np.isfinite(found.positions).all()
    assert main(["train", "tmn", str(training_file(tmp_path)), "--output", str(output), "--test"]) == 0
    assert "error_mm" in capsys.readouterr().out


def test_what_is_wrong_is_one_sentence_before_any_image_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = training_file(tmp_path, extra="\n[learnin]\nrate = 3\n")
    assert main(["train", "tmn", str(wrong), "--output", str(tmp_path / "x")]) == 2
    message = capsys.readouterr().err
    assert "unknown key 'learnin'; did you mean 'learning'?" in message
    assert message.count("\n") == 1
    right = training_file(tmp_path)
    assert main(["train", "tmn", str(right), "--output", str(tmp_path / "x"), "--resume"]) == 2
    assert "to resume from" in capsys.readouterr().err
    assert main(["train", "tmn", str(right), "--output", str(tmp_path / "x"), "--test"]) == 2
    assert "x.pt" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_a_checkpoint_and_the_run_can_be_resumed(
    tmp_path: Path, root: Path, number: signal.Signals
) -> None:
    output = tmp_path / "stopped"
    arguments = [sys.executable, *command(training_file(tmp_path, 100000), output)]
    with subprocess.Popen(arguments, env=environment(root), stderr=subprocess.DEVNULL) as process:
        while not (output / "validation.csv").exists():
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=30) == 130
    step = torch.load(output / "last.ckpt", weights_only=True)["step"]
    assert step >= 4
    finished = training_file(tmp_path, step + 2)
    assert main(["train", "tmn", str(finished), "--output", str(output), "--resume"]) == 0
    assert torch.load(output / "last.ckpt", weights_only=True)["step"] == step + 2


def test_two_processes_train_one_model(tmp_path: Path, root: Path) -> None:
    output = tmp_path / "two"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = [*launcher, *command(training_file(tmp_path), output)]
    done = subprocess.run(arguments, env=environment(root), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done at step 8") == 1
    assert len((output / "training.csv").read_text().splitlines()) == 9
    make_locator(str(output / "two.pt"), "cpu")
