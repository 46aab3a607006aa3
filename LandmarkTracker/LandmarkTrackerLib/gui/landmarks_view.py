"""Section Landmarks: place, name, load a protocol, remove."""

from __future__ import annotations

from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Table, ask_for_file, offer, put, silent
from LandmarkTrackerLib.scene.workbench import Workbench

NAME = 0


class LandmarksView:
    """The table shows the landmarks as they are in the frame in view."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._table = Table(ui.landmarksTable, widest=1)
        ui.placeButton.toggled.connect(self._place)
        ui.protocolButton.clicked.connect(self._load_protocol)
        ui.removeButton.clicked.connect(self._remove)
        ui.landmarksTable.itemChanged.connect(self._rename)

    def refresh(self) -> None:
        """Show what is placed, and whether a click places."""
        placement = self.bench.placement
        with silent(self.ui.placeButton):
            put(self.ui.placeButton, checked=placement.active)
        purpose = _("Click landmarks in a slice view (Ctrl+Shift+L); press again to end.")
        offer(self.ui.placeButton, placement.obstacle, purpose)
        offer(
            self.ui.protocolButton,
            placement.obstacle,
            _("Load landmark names from a file, then click them in order."),
        )
        rows = [(row.name, row.state) for row in placement.rows()]
        self._table.show(rows, editable=NAME)
        nothing = "" if rows else _("There is no landmark.")
        offer(self.ui.removeButton, nothing, _("Remove the selected landmark from every frame."))

    def toggle(self) -> None:
        """Begin or end to place, from the keyboard."""
        self._place(not self.bench.placement.active)

    def _place(self, on: bool) -> None:
        if on:
            self.bench.placement.start()
        else:
            self.bench.placement.stop()

    def _load_protocol(self, _checked=False) -> None:
        pattern = _("Landmarks") + " (*.mrk.json *.fcsv *.csv)"
        path = ask_for_file(self.ui.protocolButton, _("Load landmark protocol"), pattern)
        if path is not None:
            self.bench.placement.load_protocol(path)

    def _remove(self, _checked=False) -> None:
        row = self.ui.landmarksTable.currentRow()
        rows = self.bench.placement.rows()
        if 0 <= row < len(rows):
            self.bench.placement.remove(rows[row].name)

    def _rename(self, item) -> None:
        rows = self.bench.placement.rows()
        if item.column() == NAME and item.row() < len(rows):
            self._table.forget()
            self.bench.placement.rename(rows[item.row()].name, item.text().strip())
