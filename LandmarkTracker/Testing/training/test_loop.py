"""The loop on the smallest task there is: fit a line, with dropout so that randomness matters."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.step import results
from LandmarkTrackerLib.training.config import RunConfig
from LandmarkTrackerLib.training.loop import CHECKPOINT, Run, learning_rate_factor
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.weights import load_model


class Line:
    """y = 3 x - 1, seen through noise."""

    method, metric = "line", "error"

    def __init__(self, dropout: float = 0.3, slow: float = 0.0) -> None:
        self.dropout, self.slow = dropout, slow

    def __len__(self) -> int:
        return 7

    def __getitem__(self, draw: Draw) -> dict[str, torch.Tensor]:
        x = torch.tensor([draw.row / 7.0])
        return {"x": x, "y": 3 * x - 1 + 0.01 * float(draw.rng.normal())}

    def samples(self) -> Line:
        return self

    def network(self) -> torch.nn.Module:
        return torch.nn.Sequential(
            torch.nn.Linear(1, 16), torch.nn.ReLU(), torch.nn.Dropout(self.dropout), torch.nn.Linear(16, 1)
        )

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), lr=0.02)

    def loss(self, network: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        time.sleep(self.slow)
        return (network(batch["x"]) - batch["y"]).square().mean()

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        x = torch.linspace(0, 1, 11)[:, None]
        return {"error": float((network(x) - (3 * x - 1)).abs().mean())}

    def model_config(self, metrics: Any) -> dict[str, Any]:
        return {"error": metrics["error"]}


def config(**changes: Any) -> RunConfig:
    settings = {"steps": 30, "batch_size": 4, "device": "cpu", "validate_every": 10, "checkpoint_every": 8}
    return RunConfig(**(settings | changes))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / CHECKPOINT, weights_only=True)["network"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_it_learns_and_leaves_the_best_model_and_its_logs(tmp_path: Path) -> None:
    run = Run(Line(dropout=0.0), config(steps=400, validate_every=40), tmp_path / "line")
    metrics = [learned.metrics["error"] for learned in results(run) if learned.metrics]
    assert metrics[-1] < 0.1 < metrics[0]
    model = load_model(run.model)
    assert (model.method, model.name) == ("line", "line")
    assert model.config["error"] == min(metrics)
    assert [int(row["step"]) for row in rows(tmp_path / "line/training.csv")] == list(range(20, 401, 20))
    assert len(rows(tmp_path / "line/validation.csv")) == 10
    assert list((tmp_path / "line").glob("events.out.tfevents*"))


def test_stopping_and_resuming_changes_no_bit(tmp_path: Path) -> None:
    for _ in Run(Line(), config(), tmp_path / "straight"):
        pass
    run = Run(Line(), config(), tmp_path / "stopped")
    for step in run:
        if step.done == 13:
            run.stop()
    assert run.step == 13
    resumed = [step.done for step in Run(Line(), config(), tmp_path / "stopped", resume=True)]
    assert resumed == list(range(14, 31))
    assert equal(weights(tmp_path / "straight"), weights(tmp_path / "stopped"))


def test_epochs_become_steps_by_the_number_of_training_images(tmp_path: Path) -> None:
    """Eight times seven images in batches of four; the rate halves after every second epoch, 4 steps."""
    by_epochs = config(steps=0, epochs=8, schedule="staircase", decay=0.5, decay_every=2, log_every=1)
    run = Run(Line(), by_epochs, tmp_path / "line")
    assert [step.done for step in run] == list(range(1, 15))
    rates = [float(row["learning_rate"]) for row in rows(tmp_path / "line/training.csv")]
    assert [rates.index(rate) for rate in sorted(set(rates), reverse=True)] == [0, 4, 8, 12]


SCRIPT = """
import sys, torch
from pathlib import Path
sys.path.insert(0, {here!r})
from test_loop import Line, config
from LandmarkTrackerLib.training.loop import Run
folder = Path(sys.argv[1])
for step in Run(Line(dropout=float(sys.argv[2]), slow=float(sys.argv[3])), config(log_every=1), folder):
    print(step.done, flush=True)
"""


def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.format(here=str(Path(__file__).parent)))
    return path


def environment(root: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(root / "LandmarkTracker"), "OMP_NUM_THREADS": "1"}


def test_a_killed_run_resumes_from_its_last_checkpoint_and_changes_no_bit(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, str(script(tmp_path)), str(folder), "0.3", "0.02"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(root)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 11:
                process.send_signal(signal.SIGKILL)
                break
    assert torch.load(folder / CHECKPOINT, weights_only=True)["step"] in (8, 10)
    steps = [step.done for step in Run(Line(), config(log_every=1), folder, resume=True)]
    assert steps[0] in (9, 11)
    for _ in Run(Line(), config(), tmp_path / "straight"):
        pass
    assert equal(weights(tmp_path / "straight"), weights(folder))
    assert [int(row["step"]) for row in rows(folder / "training.csv")] == list(range(1, 31))


def test_two_processes_train_what_one_process_trains(tmp_path: Path, root: Path) -> None:
    """The samples of a step do not depend on how many processes share them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(script(tmp_path)), str(tmp_path / "two"), "0.0", "0"]
    subprocess.run(command, check=True, env=environment(root), capture_output=True, timeout=120)
    for _ in Run(Line(dropout=0.0), config(), tmp_path / "one"):
        pass
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    for key in one:
        torch.testing.assert_close(one[key], two[key], rtol=1e-4, atol=1e-5)


def test_mixed_precision_computes_coarsely_and_keeps_exact_weights(tmp_path: Path) -> None:
    for precision in ("32-true", "bf16-mixed"):
        for _ in Run(Line(dropout=0.0), config(precision=precision), tmp_path / precision):
            pass
    exact, mixed = weights(tmp_path / "32-true"), weights(tmp_path / "bf16-mixed")
    for key in exact:
        assert mixed[key].dtype == torch.float32
        torch.testing.assert_close(mixed[key], exact[key], atol=0.1, rtol=0)
    assert not equal(exact, mixed)


def test_a_run_ends_when_its_time_is_over_and_validates_what_it_reached(tmp_path: Path) -> None:
    run = Run(Line(slow=0.05), config(steps=1000, minutes=0.005, validate_every=999), tmp_path / "short")
    last = list(run)[-1]
    assert 2 < last.done < 20
    assert last.result.metrics["error"] == run.best
    assert run.finished


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    for _ in Run(Line(), config(steps=2), tmp_path / "run"):
        pass
    with pytest.raises(InputError, match="holds a run already"):
        Run(Line(), config(), tmp_path / "run")


def test_resuming_what_was_never_begun_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="to resume from"):
        Run(Line(), config(), tmp_path / "nothing", resume=True)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    task = Line()
    task.loss = lambda network, batch: network(batch["x"]).mean() * float("nan")  # type: ignore[method-assign]
    with pytest.raises(InputError, match="lower the learning rate"):
        list(Run(task, config(), tmp_path / "nan"))


def test_every_epoch_shows_every_row_once(tmp_path: Path) -> None:
    seen: list[int] = []

    class Watched(Line):
        def __getitem__(self, draw: Draw) -> dict[str, torch.Tensor]:
            seen.append(draw.row)
            return super().__getitem__(draw)

    for _ in Run(Watched(), config(steps=14, batch_size=2), tmp_path / "run"):
        pass
    epochs = [seen[start : start + 7] for start in range(0, 28, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_schedules_are_what_they_are_called() -> None:
    cosine = config(steps=100, schedule="cosine")
    assert learning_rate_factor(cosine, 0) == 1
    assert learning_rate_factor(cosine, 50) == pytest.approx(0.5)
    stairs = config(schedule="staircase", decay=0.85, decay_every=80)
    assert learning_rate_factor(stairs, 79) == 1
    assert learning_rate_factor(stairs, 160) == pytest.approx(0.85**2)
    assert learning_rate_factor(config(warmup=10), 4) == 0.5
