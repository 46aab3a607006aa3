"""What differs from one network to the next: a task. Everything else is the loop's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch


@dataclass(frozen=True)
class Draw:
    """A request for one training sample.

    Everything random about the sample follows from these two numbers, so that a run that was killed and
    resumed, or spread over several processes or loader workers, sees exactly the same samples.

    Attributes:
        row: which entry of the training data.
        seed: the seeds of `rng`.
    """

    row: int
    seed: tuple[int, ...]

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator; the same one for the same draw."""
        return np.random.default_rng(self.seed)


class Samples(Protocol):
    """Training data: a pure function of a draw. Samples are dicts or tuples of tensors."""

    def __len__(self) -> int: ...

    def __getitem__(self, draw: Draw) -> Any: ...


class Task(Protocol):
    """A network and how to train it.

    Attributes:
        method: the key under which `methods/` finds the class that runs the trained model ("tmn", ...).
        metric: the name of the validation metric that chooses the best model; smaller is better.
    """

    method: str
    metric: str

    def network(self) -> torch.nn.Module:
        """The untrained network, on the CPU. Called once, after torch's generator is seeded."""
        ...

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        """The optimiser, with the learning rate that the schedule starts from."""
        ...

    def samples(self) -> Samples:
        """The training data."""
        ...

    def loss(self, network: torch.nn.Module, batch: Any) -> torch.Tensor:
        """() loss of one batch, already on the device: a mean over the samples, so that processes agree.

        What torch draws at random here (dropout) follows from the run's seed and the step.
        """
        ...

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        """Metrics on the validation patients, `metric` among them. The network is in evaluation mode,
        without gradients; its parameters say on which device."""
        ...

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        """What goes into the model file beside the weights, given the metrics of the network's validation."""
        ...
