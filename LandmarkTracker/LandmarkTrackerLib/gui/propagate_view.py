"""Section Propagate: through the cine, and to the volumes of other subjects."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import offer, put, silent
from LandmarkTrackerLib.scene.workbench import Workbench


class PropagateView:
    """Buttons, progress, and the list of other subjects."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._volumes: list = []
        self._titles: list[str] = []
        ui.propagateButton.clicked.connect(self.propagate)
        ui.cancelButton.clicked.connect(self._cancel)
        ui.findButton.clicked.connect(self._find)
        ui.othersList.itemChanged.connect(self._choose_others)

    def refresh(self) -> None:
        """Show what can run and how far it is."""
        propagation, running = self.bench.propagation, self.bench.busy
        wait = _("Wait until this has finished, or cancel it.") if running else ""
        purpose = _("Find the landmarks in the other frames (Ctrl+Shift+P).")
        offer(self.ui.propagateButton, wait or propagation.obstacle, purpose)
        offer(
            self.ui.findButton,
            wait or propagation.obstacle_across,
            _("Find the landmarks in other subjects."),
        )
        offer(
            self.ui.cancelButton, "" if running else _("Nothing is running."), _("Stop; what is done stays.")
        )
        done, total = self.bench.progress
        put(self.ui.progressBar, maximum=max(total, 1), value=done)
        self._show_volumes()

    def propagate(self, _checked=False) -> None:
        """Begin, from the button or the keyboard."""
        self.bench.propagation.start()

    def _cancel(self, _checked=False) -> None:
        self.bench.cancel()

    def _find(self, _checked=False) -> None:
        self.bench.propagation.start_across()

    def _show_volumes(self) -> None:
        volumes = self.bench.inputs.volumes()
        titles = [volume.GetName() for volume in volumes]
        if titles == self._titles and volumes == self._volumes:
            return
        self._volumes, self._titles = volumes, titles
        chosen = [other.node for other in self.bench.inputs.others]
        with silent(self.ui.othersList):
            self.ui.othersList.clear()
            for volume, title in zip(volumes, titles, strict=True):
                item = qt.QListWidgetItem(title)
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
                item.setCheckState(qt.Qt.Checked if volume in chosen else qt.Qt.Unchecked)
                self.ui.othersList.addItem(item)

    def _choose_others(self, _item=None) -> None:
        ticked = [
            volume
            for n, volume in enumerate(self._volumes)
            if self.ui.othersList.item(n).checkState() == qt.Qt.Checked
        ]
        self.bench.inputs.choose_others(ticked)
