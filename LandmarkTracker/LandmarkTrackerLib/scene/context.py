"""What every section works with, beside the other sections that it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from LandmarkTrackerLib.scene.history import History
from LandmarkTrackerLib.scene.notices import Notices
from LandmarkTrackerLib.scene.parameters import Parameters
from LandmarkTrackerLib.scene.watch import Watch
from LandmarkTrackerLib.scene.work import Runner


@dataclass(frozen=True)
class Context:
    """
    Attributes:
        scene: vtkMRMLScene.
        parameters: what the user chose.
        history: where a change leaves how it is undone.
        runner: does long work.
        notices: what the user is told.
        watch: the observers of nodes.
    """

    scene: Any
    parameters: Parameters
    history: History
    runner: Runner
    notices: Notices
    watch: Watch
