"""`landmark-tracker train TASK CONFIG.toml`: train a network, alone or under `torchrun`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from LandmarkTrackerLib.cli.progress import progress, say
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.training.tasks import TASKS, TrainingKind

if TYPE_CHECKING:
    from LandmarkTrackerLib.step import Step
    from LandmarkTrackerLib.training.loop import Learned, Run

STOPPED = 130


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a network on a folder of images",
        description="Train a network as a TOML file says. Ctrl-C (or SIGTERM) stops after the step in hand "
        "and leaves a checkpoint; --resume goes on from there. For several processes: torchrun --no-python "
        "--nproc-per-node N landmark-tracker train ...",
    )
    parser.add_argument("task", choices=sorted(TASKS), help="which network")
    parser.add_argument(
        "config", type=Path, metavar="CONFIG.toml", help="training file; see Docs/training.md"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder of the run; default: runs/ and the name of the file",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    how.add_argument(
        "--test",
        nargs="?",
        const="",
        metavar="NAME|FILE",
        help="train nothing; measure a model, by default the folder's own, on the test patients",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    require_training()
    from LandmarkTrackerLib.training.loop import Run, model_of

    kind = TASKS[args.task]
    config = kind.read(args.config)
    folder = args.output or Path("runs") / args.config.stem
    if args.test is not None:
        return _test(kind, config, args.task, args.test or model_of(folder))
    Run.require_folder(folder, args.resume)
    print(f"{args.config.name}: reading the images", file=sys.stderr, flush=True)
    training = Run(kind.make(config), config.run, folder, resume=args.resume)
    stopped = _train(training)
    if training.fabric.is_global_zero:
        state = "stopped" if stopped else "done"
        print(f"{state} at step {training.step}: checkpoint {training.checkpoint}", end="")
        print(f", best model {training.model}" if training.model.exists() else "")
    return STOPPED if stopped else 0


def _test(kind: TrainingKind, config: Any, task: str, model: str | Path) -> int:
    from LandmarkTrackerLib.weights import load_model

    if kind.measure is None:
        raise InputError(f"--test does not know {task}; use `landmark-tracker evaluate`")
    for name, value in kind.measure(config, load_model(model)).items():
        print(f"{name}: {value:.4g}")
    return 0


def _train(training: Run) -> bool:
    """Run to the end under a progress bar; True if a signal ended it before."""

    def state(step: Step[Learned]) -> str:
        return f"loss={step.result.loss:.3f}" if step.result is not None else ""

    steps: Iterable[Step[Learned]] = training
    if training.fabric.is_global_zero:
        steps = progress(training, training.folder.name, state)
    with on_signal(training.stop) as signals:
        for step in steps:
            if step.result is not None and step.result.metrics and training.fabric.is_global_zero:
                shown = ", ".join(f"{name} {value:.3g}" for name, value in step.result.metrics.items())
                say(f"step {step.done}: {shown}")
    return bool(signals) and not training.finished


@contextmanager
def on_signal(stop: Callable[[], None] = lambda: None) -> Iterator[list[int]]:
    """Call `stop` at Ctrl-C and SIGTERM instead of dying; yields the signals that came."""
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        stop()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require_training() -> None:
    """Raises InputError that says what to install, if training's own packages are missing."""
    try:
        import lightning_fabric  # noqa: F401
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"training needs {error.name}; in a clone of the repository run: pip install '.[train]'"
        ) from error
