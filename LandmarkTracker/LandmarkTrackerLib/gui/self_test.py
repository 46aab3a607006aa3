"""What the in-app test does: a user's work in a running Slicer, on the simulated cine and without PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import slicer

from LandmarkTrackerLib.gui.sample_data import draw
from LandmarkTrackerLib.simulation.phantom import Phantom


class SelfTest:
    """
    Args:
        say: shows what is done.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        slicer.mrmlScene.Clear()
        slicer.util.selectModule("LandmarkTracker")
        widget = slicer.modules.landmarktracker.widgetRepresentation().self()
        self._say, self.bench = say, widget.logic.workbench
        self.phantom = Phantom()
        self.parameters = widget.logic.getParameterNode()
        self.parameters.image = draw()
        self.parameters.model = "ncc"

    def click_propagate_correct_undo(self) -> None:
        self._say("Click, propagate, scrub")
        self._click("lesion", 5)
        self.bench.propagation.start()
        self._finish()
        for frame in (0, 30, 59):
            assert self._error("lesion", frame) < 5
        self._say("Correct one frame and undo it")
        self.bench.review.go_to(30)
        before = self._shown("lesion")
        self.parameters.landmarks.SetNthControlPointPositionWorld(0, *(before + (0, 0, 8)))
        assert "lesion" in self.bench.inputs.subject.record.placed()[30]
        self.bench.undo()
        assert abs(self._shown("lesion") - before).max() < 1e-6

    def live_and_cancel(self) -> None:
        self._say("Propagate as soon as the click lands, and cancel")
        self.parameters.live = True
        self._click("vertebra", 20)
        assert self.bench.busy
        for _step in range(10):
            self.bench.advance()
        self.bench.cancel()
        assert len(self.bench.inputs.subject.record.frames) == 9

    def lost_landmarks_are_missing(self) -> None:
        self._say("A landmark that is too uncertain is missing, in the scene and in the files")
        self._click("lesion", 0)
        self.parameters.maxSigma = 0.1
        self.bench.propagation.start()
        self._finish()
        self.bench.review.go_to(10)
        node = self.parameters.landmarks
        assert node.GetNthControlPointPositionStatus(0) == node.PositionMissing
        assert not node.GetNthControlPointSelected(0)

    def _click(self, name: str, frame: int) -> None:
        """Place a landmark as Slicer's placement does."""
        self.bench.review.go_to(frame)
        self.bench.placement.start()
        left, posterior, superior = self.phantom.landmarks(frame)[name].position
        self.parameters.landmarks.AddControlPointWorld(-left, -posterior, superior, name)
        self.bench.placement.stop()

    def _finish(self) -> None:
        """Let the panel work until nothing runs."""
        while self.bench.busy:
            slicer.app.processEvents()

    def _shown(self, name: str) -> np.ndarray:
        """Where the user sees a landmark, RAS mm."""
        node = self.parameters.landmarks
        return np.array(node.GetNthControlPointPositionWorld(node.GetControlPointIndexByLabel(name)))

    def _error(self, name: str, frame: int) -> float:
        """Distance in mm between where the user sees a landmark and where it is."""
        self.bench.review.go_to(frame)
        there = self._shown(name) * (-1, -1, 1)
        return float(np.linalg.norm(there - self.phantom.landmarks(frame)[name].position))
