"""One person's work: a scene with Slicer's logics, its workbench, and the clock that drives both."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk
from trame_slicer.core import SlicerApp

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import is_landmark_file, read_points
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.workbench import workbench_of
from LandmarkTrackerLib.web.data_root import DataRoot
from LandmarkTrackerLib.web.loading import open_image, open_points

log = logging.getLogger(__name__)

# A cine whose times carry no unit is played at this rate; none is played faster than a page can follow.
FRAMES_A_SECOND, FASTEST = 12.0, 25.0
SECONDS = {"s": 1.0, "ms": 1e-3}


class Session:
    """What one server holds. It draws nothing: `redraw` is called whenever there is something new to show."""

    def __init__(self, root: DataRoot) -> None:
        self.root = root
        self.app = SlicerApp()
        # The application logic does not keep its modules alive.
        self._sequences = self.app.register_module_logic(
            slicer.vtkSlicerSequencesLogic(), logic_name="Sequences"
        )
        self.scene = self.app.scene
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
        self.bench = workbench_of(self.scene)
        self.context = self.bench.context
        self.bench.learning.images = root.folder / "annotated"
        self.bench.learning.folder = root.folder / "my landmarks"
        self.bench.exports.folder = root.folder / "results"
        self.playing = False
        self.redraw: Callable[[], None] = lambda: None
        self._worker: asyncio.Task | None = None
        self._player: asyncio.Task | None = None
        self._watcher: asyncio.Task | None = None
        self.bench.changed.AddObserver(vtk.vtkCommand.ModifiedEvent, self._on_change)

    @reported
    def open(self, path: Path, slice_name: str | None = None) -> None:
        """Open an image and choose it, or landmarks and put them on the chosen image.

        Problems become the workbench's.
        """
        inputs = self.bench.inputs
        if is_landmark_file(path):
            if inputs.subject is None:
                raise InputError(
                    _("Open the image on which the landmarks of {name} lie first.").format(name=path.name)
                )
            points = read_points(path)
            inputs.choose_points(open_points(self.scene, points, inputs.subject))
            self.bench.report = points.remark
        else:
            node, understood = open_image(self.scene, path, slice_name)
            inputs.choose_image(node)
            self.bench.report = understood

    def close(self) -> None:
        """End what runs, ready to go on another time."""
        self.bench.learning.close()
        self.bench.close()

    # Time

    def play(self, on: bool) -> None:
        """Show frame after frame at the speed of the cine, and begin again after the last."""
        self.playing = on
        if on and self._player is None:
            self._player = asyncio.get_running_loop().create_task(self._play())
        self.redraw()

    async def _play(self) -> None:
        shown, frame = time.perf_counter(), self.bench.review.frame
        while self.playing and self.bench.inputs.subject is not None:
            subject = self.bench.inputs.subject
            length = len(subject.cine)
            period = _period(subject.cine)
            await asyncio.sleep(max(0.001, shown + period - time.perf_counter()))
            now = time.perf_counter()
            # A slow machine leaves frames out: the heart still beats at its own speed.
            steps = max(1, round((now - shown) / period))
            shown = now
            # Who goes to another frame wants to see it.
            if length < 2 or subject.frame != frame:
                break
            frame = (frame + steps) % length
            self.bench.review.go_to(frame)
        self.playing, self._player = False, None
        self.redraw()

    # Long work

    async def _watch(self) -> None:
        """Another process trains: look once a second how far it is."""
        while self.bench.learning.poll():
            await asyncio.sleep(1)
        self._watcher = None

    def _on_change(self, _caller: Any, _event: str) -> None:
        if self.bench.busy and self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        if self.bench.learning.running and self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())
        self.redraw()

    async def _work(self) -> None:
        """One frame, then the page's own events, then the next frame."""
        while self.bench.busy:
            # Long enough for the page to show the last one.
            await asyncio.sleep(0.02)
            try:
                self.bench.advance()
            except Exception:
                log.exception("The work stopped")
                self.bench.problem = _("The landmarks could not be found; the server's log says more.")
        self._worker = None
        self.redraw()


def _period(cine: Cine) -> float:
    """Seconds from one frame to the next."""
    if cine.time_unit not in SECONDS or len(cine) < 2:
        return 1 / FRAMES_A_SECOND
    step = (cine.times[-1] - cine.times[0]) / (len(cine) - 1) * SECONDS[cine.time_unit]
    return max(step, 1 / FASTEST) if step > 0 else 1 / FRAMES_A_SECOND
