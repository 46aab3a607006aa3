"""Section Export: files, and pairs of points for registration."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.gui.widgets import Choices, offer
from LandmarkTrackerLib.scene.workbench import Workbench


class ExportView:
    """What to write is in the parameter node; `parameters` returns it."""

    def __init__(self, ui, bench: Workbench, parameters) -> None:
        self.ui, self.bench, self.parameters = ui, bench, parameters
        self._fixed, self._moving = Choices(ui.fixedSelector), Choices(ui.movingSelector)
        for program in EXPORTS:
            item = qt.QListWidgetItem(program)
            item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Unchecked)
            ui.programsList.addItem(item)
        ui.exportButton.clicked.connect(self._export)
        ui.pairsButton.clicked.connect(self._export_pairs)
        ui.addPairsButton.clicked.connect(self._add_pairs)

    def refresh(self) -> None:
        """Show the places between which pairs can be made, and what can be written."""
        exports = self.bench.exports
        titles = [place.title for place in exports.places()]
        self._fixed.show(titles)
        self._moving.show(titles)
        if len(titles) > 1 and self._fixed.index == self._moving.index:
            self._moving.show(titles, (self._fixed.index + 1) % len(titles))
        offer(self.ui.exportButton, exports.obstacle, _("Write what is ticked into the folder."))
        offer(
            self.ui.pairsButton,
            exports.obstacle_pairs,
            _("Write the landmarks that both share into the folder."),
        )
        offer(
            self.ui.addPairsButton, exports.obstacle_pairs, _("Two point lists, for registration in Slicer.")
        )

    def _export(self, _checked=False) -> None:
        chosen = self.parameters()
        kinds = {
            "table": chosen.exportTable,
            "sequence": chosen.exportSequence,
            "frames": chosen.exportFrames,
            "subjects": chosen.exportSubjects,
        }
        ticked = {kind for kind, on in kinds.items() if on}
        self.bench.exports.write(chosen.exportFolder, ticked, chosen.overwrite)

    def _export_pairs(self, _checked=False) -> None:
        chosen = self.parameters()
        programs = [
            program
            for n, program in enumerate(EXPORTS)
            if self.ui.programsList.item(n).checkState() == qt.Qt.Checked
        ]
        self.bench.exports.write_pairs(*self._pair(), chosen.exportFolder, chosen.overwrite, programs)

    def _add_pairs(self, _checked=False) -> None:
        self.bench.exports.add_pairs(*self._pair())

    def _pair(self):
        places = self.bench.exports.places()
        return places[self._fixed.index], places[self._moving.index]
