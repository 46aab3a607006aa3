"""The networks that can be trained: one table, which says where each task and its file are described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from LandmarkTrackerLib.training.config import read_config

if TYPE_CHECKING:
    from LandmarkTrackerLib.training.task import Task


@dataclass(frozen=True)
class TrainingKind:
    """What `landmark-tracker train NAME FILE` needs to know. torch is imported only when it is asked.

    Attributes:
        config: "module:class" of the training file.
        task: "module:class" that takes the training file.
        test: "module:function" that measures a model on the test subjects; "" where `landmark-tracker
            evaluate` does.
    """

    config: str
    task: str
    test: str = ""

    def read(self, path: Path) -> Any:
        """The training file. Raises as `read_config`."""
        return read_config(path, _named(self.config))

    def make(self, config: Any) -> Task:
        """The task; reads the images.

        Raises:
            InputError: the data cannot be used.
        """
        task: Task = _named(self.task)(config)
        return task

    @property
    def measure(self) -> Callable[..., dict[str, float]] | None:
        """(config, model) to metrics on the test subjects."""
        return _named(self.test) if self.test else None


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


_HERE = "LandmarkTrackerLib.training"
TASKS = {
    "correspondence": TrainingKind(
        f"{_HERE}.correspondence:CorrespondenceConfig", f"{_HERE}.correspondence:CorrespondenceTask"
    ),
    "scn": TrainingKind(f"{_HERE}.heatmap_config:HeatmapTraining", f"{_HERE}.heatmap_task:HeatmapTask"),
    "tmn": TrainingKind(f"{_HERE}.tmn_data:TmnConfig", f"{_HERE}.tmn:TmnTask", f"{_HERE}.tmn:test_metrics"),
    "tracker": TrainingKind(f"{_HERE}.tracker:TrackerConfig", f"{_HERE}.tracker:TrackerTask"),
}
