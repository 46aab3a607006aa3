"""The panel: the sections of the workbench, the timers that drive long work, and the keys."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import qt
import slicer
import vtk

from LandmarkTrackerLib.gui.drawing import PREFIX, Button, PartWidget, draw
from LandmarkTrackerLib.gui.install import install_pytorch
from LandmarkTrackerLib.gui.shortcuts import Shortcuts
from LandmarkTrackerLib.gui.widgets import put
from LandmarkTrackerLib.scene.actions import Action
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.parts import Part, Section
from LandmarkTrackerLib.scene.workbench import Workbench

POLL_MS = 1000


class Panel:
    """Shows a workbench. It decides nothing.

    Args:
        ui: the widgets of `LandmarkTracker.ui`, by name. What is missing there is made.
    """

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._drawn: list[PartWidget] = []
        self._image = None
        self._busy, self._next_full = False, 0.0
        extra = self._extra_parts()
        for section in bench.sections:
            self._draw(section, extra)
        self._cancel = Button(bench.cancel_action, bench.do, ui.cancelButton)
        self._drawn.append(Button(bench.undo_action, bench.do, ui.undoButton))
        self.shortcuts = Shortcuts(
            {f"{PREFIX}{action.key}": partial(bench.do, action) for action in bench.actions if action.key}
        )
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
        # Long work goes on most of the time; what is slow to draw is drawn the rest.
        begin, busy = time.perf_counter(), self.bench.busy
        if not busy or busy != self._busy or begin >= self._next_full:
            self._busy = busy
            for drawn in self._drawn:
                drawn.refresh()
            self._show_image()
            now = time.perf_counter()
            self._next_full = now + 5 * (now - begin)
        put(self.ui.statusLabel, text=self.bench.status)
        done, total = self.bench.progress
        put(self.ui.progressBar, maximum=max(total, 1), value=done)
        self._cancel.refresh()
        if busy:
            self._timer.start()
        if self.bench.learning.running and not self._poll.property("active"):
            self._poll.start()

    def _extra_parts(self) -> Mapping[str, Sequence[Part]]:
        """What only the panel has, by the name of the part that it stands beside."""
        bench = self.bench
        why = _("Trained models run on PyTorch, which is not installed yet.")
        return {
            "runsOn": [
                Action(
                    "install",
                    _("Install PyTorch"),
                    why,
                    self._install,
                    offered=lambda: bench.models.torch_missing,
                )
            ],
            "chartLandmark": [
                Action(
                    "chart",
                    _("Show chart"),
                    _("Distance from where each landmark was placed, with ± 1 SD for one or two."),
                    lambda: _show_chart(bench.chart.show()),
                    lambda: bench.review.obstacle,
                )
            ],
            "trainingLog": [
                Action(
                    "loss",
                    _("Show loss curve"),
                    _("Loss and error over the steps."),
                    lambda: _show_chart(bench.learning.show_chart()),
                    lambda: bench.learning.obstacle_chart,
                )
            ],
        }

    def _draw(self, section: Section, extra: Mapping[str, Sequence[Part]]) -> None:
        """Fill a section's form from top to bottom: what the file has is there already."""
        frame = getattr(self.ui, f"{section.name}CollapsibleButton")
        put(frame, text=section.title, collapsed=section.folded)
        form, n = frame.layout(), 0
        for row in section.rows:
            parts = [p for part in row for p in (part, *extra.get(part.name, ()))]
            for group in _groups([draw(part, self.bench.do, self._given) for part in parts]):
                self._drawn += group
                first = group[0]
                if first.given:
                    if first.label:
                        form.setWidget(n, qt.QFormLayout.LabelRole, qt.QLabel(first.label))
                else:
                    field = first.widget if len(group) == 1 else _beside_each_other(group)
                    form.insertRow(n, *([first.label] if first.label else []), field)
                n += 1

    def _given(self, name: str):
        return getattr(self.ui, name, None)

    def _show_image(self) -> None:
        """Bring an image into the slice views when it is chosen; a single slice in its own plane."""
        subject = self.bench.inputs.subject
        node = subject.node if subject is not None else None
        if node is not self._image:
            self._image = node
            # Slicer runs without slice views in its own tests and in batch mode.
            if subject is not None and slicer.app.layoutManager() is not None:
                slicer.util.setSliceViewerLayers(
                    background=subject.volume, fit=True, rotateToVolumePlane=subject.cine.grid.is_slice
                )

    def _install(self) -> None:
        install_pytorch()
        self.bench.notify()

    def _look(self) -> None:
        if not self.bench.learning.poll():
            self._poll.stop()

    def _advance(self) -> None:
        with slicer.util.tryWithErrorDisplay(_("The landmarks could not be found.")):
            self.bench.advance()


def _show_chart(chart) -> None:
    slicer.modules.plots.logic().ShowChartInLayout(chart)


def _groups(row: Sequence[PartWidget]) -> Iterator[list[PartWidget]]:
    """What stands in one line of a form: a field with its label and what follows it, or buttons."""
    group: list[PartWidget] = []
    for drawn in row:
        if group and (drawn.label or drawn.alone or group[-1].alone):
            yield group
            group = []
        group.append(drawn)
    if group:
        yield group


def _beside_each_other(group: Sequence[PartWidget]):
    line = qt.QHBoxLayout()
    for drawn in group:
        if drawn.widget.property("wordWrap"):
            put(drawn.widget, wordWrap=False)
        line.addWidget(drawn.widget)
    return line
