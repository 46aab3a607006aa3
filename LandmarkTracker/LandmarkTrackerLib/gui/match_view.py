"""Section Match two scans: pairs, and the moving scan warped by them."""

from __future__ import annotations

from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Choices, Table, offer, put, silent
from LandmarkTrackerLib.scene.sections.matching import Pair
from LandmarkTrackerLib.scene.workbench import Workbench

LOOKS = ("pairs", "checkerboard", "blend")


class MatchView:
    """The selectors of the two volumes follow the parameter node; here is the rest."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._table, self._rows = Table(ui.pairsTable, widest=0), list[Pair]()
        self._looks = Choices(ui.lookSelector)
        self._looks.show([_("Both scans"), _("Checkerboard"), _("Blend")])
        ui.matchButton.clicked.connect(self._match)
        ui.warpButton.clicked.connect(self._warp)
        ui.pairsTable.cellClicked.connect(self._look_at)
        ui.removePairsButton.clicked.connect(self._remove)
        ui.lookSelector.currentIndexChanged.connect(self._choose_look)
        ui.rockSlider.valueChanged.connect(self._rock)

    def refresh(self) -> None:
        """Show the pairs, and what can be done with them."""
        matching, comparison = self.bench.matching, self.bench.comparison
        wait = self.bench.obstacle_busy
        purpose = _("Find the points that both scans share.")
        offer(self.ui.matchButton, wait or matching.obstacle, purpose)
        offer(
            self.ui.warpButton,
            wait or comparison.obstacle_warp,
            _("Warp the moving scan onto the fixed one."),
        )
        rows = matching.rows()
        if rows is not self._rows:
            self._rows = rows
            self._table.show([(row.name, row.score) for row in rows])
        nothing = "" if rows else _("There are no pairs.")
        offer(self.ui.removePairsButton, nothing, _("Remove the selected pairs from both scans."))
        self._looks.show([_("Both scans"), _("Checkerboard"), _("Blend")], LOOKS.index(comparison.look))
        offer(
            self.ui.lookSelector,
            comparison.obstacle_look,
            _("Both scans, or the fixed and the warped one in one."),
        )
        blend = comparison.obstacle_look or ("" if comparison.look == "blend" else _("Choose Blend first."))
        offer(
            self.ui.rockSlider,
            blend,
            _("From the fixed scan to the warped one and back: what moves is wrong."),
        )
        with silent(self.ui.rockSlider):
            put(self.ui.rockSlider, value=round(100 * comparison.share))

    def _match(self, _checked=False) -> None:
        self.bench.matching.start()

    def _warp(self, _checked=False) -> None:
        self.bench.comparison.warp()

    def _look_at(self, row: int, _column: int) -> None:
        self.bench.comparison.look_at(self._rows[row].name)

    def _remove(self, _checked=False) -> None:
        chosen = sorted({item.row() for item in self.ui.pairsTable.selectedItems()})
        if chosen:
            self.bench.matching.remove([self._rows[row].name for row in chosen])

    def _choose_look(self, _index=None) -> None:
        self.bench.comparison.choose_look(LOOKS[max(0, self._looks.index)])

    def _rock(self, value: int) -> None:
        self.bench.comparison.rock(value / 100)
