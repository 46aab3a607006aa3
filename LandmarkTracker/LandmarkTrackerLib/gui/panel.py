"""The panel: its sections, the timer that drives long work, and the keys."""

from __future__ import annotations

import time

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.export_view import ExportView
from LandmarkTrackerLib.gui.inputs_view import InputsView
from LandmarkTrackerLib.gui.landmarks_view import LandmarksView
from LandmarkTrackerLib.gui.match_view import MatchView
from LandmarkTrackerLib.gui.propagate_view import PropagateView
from LandmarkTrackerLib.gui.review_view import ReviewView
from LandmarkTrackerLib.gui.sets_view import SetsView
from LandmarkTrackerLib.gui.shortcuts import Shortcuts
from LandmarkTrackerLib.gui.trust_view import TrustView
from LandmarkTrackerLib.gui.widgets import offer, put
from LandmarkTrackerLib.scene.workbench import Workbench

POLL_MS = 1000


class Panel:
    """Shows a workbench. It decides nothing.

    Args:
        ui: the widgets of `LandmarkTracker.ui`, by name.
        parameters: returns the module's parameter node.
    """

    def __init__(self, ui, bench: Workbench, parameters) -> None:
        self.ui, self.bench = ui, bench
        landmarks, review = LandmarksView(ui, bench), ReviewView(ui, bench)
        self._propagate = PropagateView(ui, bench)
        self._sections = (
            InputsView(ui, bench),
            landmarks,
            self._propagate,
            review,
            SetsView(ui, bench, parameters),
            TrustView(ui, bench),
            MatchView(ui, bench),
            ExportView(ui, bench, parameters),
        )
        self._next_full = 0.0
        self.shortcuts = Shortcuts(
            {
                "Ctrl+Shift+L": landmarks.toggle,
                "Ctrl+Shift+P": self._propagate.propagate,
                "Ctrl+Shift+N": review.next_uncertain,
                "Ctrl+Shift+B": review.previous_uncertain,
                "Ctrl+Shift+Z": self.undo,
            }
        )
        ui.undoButton.clicked.connect(self.undo)
        ui.cancelButton.clicked.connect(self._cancel)
        # One frame, then Slicer's own events, then the next frame.
        self._timer = qt.QTimer()
        put(self._timer, singleShot=True, interval=0)
        self._timer.timeout.connect(self._advance)
        # Another process, which is looked at now and then.
        self._poll = qt.QTimer()
        put(self._poll, interval=POLL_MS)
        self._poll.timeout.connect(self._look)
        self._observer = bench.changed.AddObserver(vtk.vtkCommand.ModifiedEvent, self.refresh)

    def close(self) -> None:
        """Show the workbench no longer."""
        self._timer.stop()
        self._poll.stop()
        self.shortcuts.remove()
        self.bench.changed.RemoveObserver(self._observer)

    def refresh(self, _caller=None, _event=None) -> None:
        """Show the workbench as it is now."""
        # Long work goes on most of the time; its tables are drawn the rest.
        begin = time.perf_counter()
        if not self.bench.busy or begin >= self._next_full:
            for section in self._sections:
                section.refresh()
            now = time.perf_counter()
            self._next_full = now + 5 * (now - begin)
        else:
            self._propagate.refresh()
        put(self.ui.statusLabel, text=self.bench.status)
        done, total = self.bench.progress
        put(self.ui.progressBar, maximum=max(total, 1), value=done)
        offer(self.ui.cancelButton, self.bench.obstacle_cancel, _("Stop; what is done stays."))
        label = self.bench.history.label
        put(self.ui.undoButton, text=_("Undo: {change}").format(change=label) if label else _("Undo"))
        offer(self.ui.undoButton, self.bench.obstacle_undo, _("Take back the last change (Ctrl+Shift+Z)."))
        if self.bench.busy:
            self._timer.start()
        if self.bench.learning.running and not self._poll.property("active"):
            self._poll.start()

    def undo(self, _checked=False) -> None:
        """From the button or the keyboard."""
        self.bench.undo()

    def _cancel(self, _checked=False) -> None:
        self.bench.cancel()

    def _look(self) -> None:
        if not self.bench.learning.poll():
            self._poll.stop()

    def _advance(self) -> None:
        with slicer.util.tryWithErrorDisplay(_("The landmarks could not be found.")):
            self.bench.advance()
