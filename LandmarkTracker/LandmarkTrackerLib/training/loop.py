"""The one training loop: any task, any number of processes, on Lightning Fabric.

A run is a pure function of its configuration: the samples of a step, what is random in it and its learning
rate follow from the seed and the step's number. So a checkpoint needs only weights, optimiser and step to go
on exactly where the run was, and no state of any random number generator.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.utils.data import DataLoader

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.step import Step
from LandmarkTrackerLib.training.config import RunConfig
from LandmarkTrackerLib.training.log import Log
from LandmarkTrackerLib.training.task import Draw, Task
from LandmarkTrackerLib.weights import pick_device, save_model

CHECKPOINT = "last.ckpt"


@dataclass(frozen=True)
class Learned:
    """What an optimiser step has learned. `metrics` is empty unless the step ended with a validation."""

    loss: float
    metrics: dict[str, float]


class Run:
    """Training as an iterator over its steps; stopping early is as simple as calling `stop`.

        run = Run(task, config.run, Path("runs/mine"))
        for step in run:
            print(step.done, step.result.loss)

    The folder receives `last.ckpt` (to resume from), `FOLDER.pt` (the best model so far, ready for use, named
    as the folder), `training.csv`, `validation.csv` and TensorBoard events. Under `torchrun`, every process
    makes the same run; the first one writes and validates.

    Args:
        task: the network and how to train it.
        config: the `[run]` table.
        folder: made if it does not exist.
        resume: go on from `last.ckpt`.

    Raises:
        InputError: the folder holds a run already and `resume` is not set, or the reverse; the batch cannot
            be divided among the processes; there is no such device.
    """

    def __init__(self, task: Task, config: RunConfig, folder: Path, resume: bool = False) -> None:
        config = config.counted(len(task.samples()))
        self.task, self.config, self.folder = task, config, folder
        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = _fabric(config)
        if config.batch_size % self.fabric.world_size:
            raise InputError(
                f"batch_size {config.batch_size} cannot be divided among {self.fabric.world_size} processes"
            )
        self.require_folder(folder, resume)
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self._stop = False
        torch.manual_seed(config.seed)
        network = task.network()
        optimiser = task.optimiser(network)
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
        self.network, self.optimiser = self.fabric.setup(network, optimiser)
        if resume:
            self._load()
        folder.mkdir(parents=True, exist_ok=True)
        # Nobody starts writing before everybody has looked.
        self.fabric.barrier()

    @staticmethod
    def require_folder(folder: Path, resume: bool) -> None:
        """Raises InputError as the constructor does; for asking before the data are read."""
        checkpoint = folder / CHECKPOINT
        if checkpoint.exists() and not resume:
            raise InputError(f"{folder} holds a run already; resume it or choose another folder")
        if resume and not checkpoint.exists():
            raise InputError(f"there is no {checkpoint} to resume from; start the run without --resume")

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT

    @property
    def model(self) -> Path:
        """The best model so far."""
        return model_of(self.folder)

    @property
    def finished(self) -> bool:
        return self.step >= self.config.steps or self._out_of_time

    def stop(self) -> None:
        """End after the step in hand, with a checkpoint. Safe in a signal handler."""
        self._stop = True

    def __iter__(self) -> Iterator[Step[Learned]]:
        """Train. Yields every finished step.

        Raises:
            InputError: the loss is not a number any more.
        """
        log = Log(self.folder, self.step) if self.fabric.is_global_zero else None
        begun, begun_at, validate = time.monotonic() - self.seconds, self.step, False
        try:
            for batch in self._batches():
                if self._agree_to_stop():
                    break
                loss = self._learn(batch)
                self.step += 1
                self.seconds = time.monotonic() - begun
                last = self.step == self.config.steps
                if log and (last or self.step % self.config.log_every == 0):
                    rate = self.optimiser.param_groups[0]["lr"]
                    log.write("training", self.step, self.seconds, {"loss": loss, "learning_rate": rate})
                validate = last or self.step % self.config.validate_every == 0
                metrics = self._validate(log) if validate else {}
                if validate or self.step % self.config.checkpoint_every == 0:
                    self._save()
                yield Step(self.step, self.config.steps, Learned(loss, metrics))
            # A run that ends before its first validation leaves a model all the same.
            unseen = self.step > begun_at and not validate
            late = unseen and (self._out_of_time or self.best == math.inf)
            metrics = self._validate(log) if late else {}
            self._save()
            if late:
                yield Step(self.step, self.config.steps, Learned(loss, metrics))
        finally:
            if log:
                log.close()

    def _batches(self) -> Iterator[Any]:
        data = self.task.samples()
        loader: DataLoader[Any] = DataLoader(
            data,  # type: ignore[arg-type]
            batch_sampler=_Batches(self, len(data)),
            num_workers=self.config.workers,
            persistent_workers=self.config.workers > 0,
            pin_memory=self.fabric.device.type == "cuda",
        )
        return iter(self.fabric.setup_dataloaders(loader, use_distributed_sampler=False))

    def _learn(self, batch: Any) -> float:
        seed = np.random.SeedSequence((self.config.seed, self.step, self.fabric.global_rank))
        torch.manual_seed(int(seed.generate_state(1)[0]))
        for group in self.optimiser.param_groups:
            group["lr"] = group["initial_lr"] * learning_rate_factor(self.config, self.step)
        self.network.train()
        loss = self.task.loss(self.network, batch)
        if not torch.isfinite(loss):
            raise InputError(f"the loss is {loss.item()} at step {self.step}; lower the learning rate")
        self.optimiser.zero_grad()
        self.fabric.backward(loss)
        if self.config.clip:
            self.fabric.clip_gradients(self.network, self.optimiser, max_norm=self.config.clip)
        self.optimiser.step()
        return loss.item()

    def _validate(self, log: Log | None) -> dict[str, float]:
        """On the first process; the others wait."""
        metrics: dict[str, float] = {}
        if log:
            network = self.network.module
            network.eval()
            with torch.inference_mode():
                metrics = self.task.validate(network)
            log.write("validation", self.step, self.seconds, metrics)
            if metrics[self.task.metric] < self.best:
                self.best = metrics[self.task.metric]
                save_model(
                    self.model, self.task.method, self.task.model_config(metrics), network.state_dict()
                )
        self.fabric.barrier()
        return metrics

    def _agree_to_stop(self) -> bool:
        """Whether any process was told to stop or is out of time: they end together, or one would wait."""
        wish = torch.tensor(float(self._stop or self._out_of_time), device=self.fabric.device)
        return bool(self.fabric.all_reduce(wish, reduce_op="max") > 0)  # type: ignore[operator]

    @property
    def _out_of_time(self) -> bool:
        return bool(self.config.minutes) and self.seconds >= 60 * self.config.minutes

    def _save(self) -> None:
        state = {
            "network": self.network,
            "optimiser": self.optimiser,
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
        }
        partial = self.checkpoint.with_name(CHECKPOINT + ".part")
        self.fabric.save(partial, state)
        if self.fabric.is_global_zero:
            partial.replace(self.checkpoint)
        self.fabric.barrier()

    def _load(self) -> None:
        state = {"network": self.network, "optimiser": self.optimiser}
        try:
            rest = self.fabric.load(self.checkpoint, state, weights_only=True)
        except (RuntimeError, KeyError, ValueError) as error:
            raise InputError(
                f"{self.checkpoint} does not fit this training file; resume with the one the run began with"
            ) from error
        self.step, self.seconds, self.best = int(rest["step"]), float(rest["seconds"]), float(rest["best"])


class _Batches:
    """The draws of every step that is left, this process's share of them.

    Sample n of the run (step n // batch_size) is row n % rows of a fresh shuffle of the data every epoch.
    """

    def __init__(self, run: Run, rows: int) -> None:
        self.run, self.rows = run, rows
        self._order = lru_cache(maxsize=2)(self._shuffle)

    def __len__(self) -> int:
        return self.run.config.steps - self.run.step

    def __iter__(self) -> Iterator[list[Draw]]:
        config, fabric = self.run.config, self.run.fabric
        for step in range(self.run.step, config.steps):
            first = step * config.batch_size
            mine = range(first + fabric.global_rank, first + config.batch_size, fabric.world_size)
            yield [Draw(int(self._order(n // self.rows)[n % self.rows]), (config.seed, 1, n)) for n in mine]

    def _shuffle(self, epoch: int) -> np.ndarray:
        return np.random.default_rng((self.run.config.seed, 0, epoch)).permutation(self.rows)


def model_of(folder: Path) -> Path:
    """Where a run leaves its best model: named as the folder."""
    return folder / f"{folder.resolve().name}.pt"


def learning_rate_factor(config: RunConfig, step: int) -> float:
    """What the learning rate is multiplied by in this step, by the configured schedule."""
    factor = min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0
    if config.schedule == "cosine":
        factor *= 0.5 * (1 + math.cos(math.pi * step / config.steps))
    elif config.schedule == "staircase":
        factor *= config.decay ** (step // config.decay_every)
    return factor


def _fabric(config: RunConfig) -> Fabric:
    """One process, or as many as `torchrun` has started."""
    processes = int(os.environ.get("WORLD_SIZE", 1))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    fabric = Fabric(
        accelerator=pick_device(config.device),
        devices=here,
        num_nodes=processes // here,
        strategy="ddp" if processes > 1 else "auto",
        precision=config.precision,
    )
    fabric.launch()
    return fabric
