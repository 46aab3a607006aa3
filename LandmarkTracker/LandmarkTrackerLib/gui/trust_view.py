"""Section Where clicks can be trusted: an overlay on the chosen image, made without any label."""

from __future__ import annotations

from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Choices, offer, put, silent
from LandmarkTrackerLib.scene.sections.reliability_map import POINTS
from LandmarkTrackerLib.scene.workbench import Workbench

DETAILS = tuple(POINTS)


class TrustView:
    """The image and the volumes that are ticked in Inputs; here is the rest."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._models, self._details = Choices(ui.trustModelSelector), Choices(ui.trustDetailSelector)
        self._details.show([_("Coarse"), _("Medium"), _("Fine")])
        ui.trustModelSelector.currentIndexChanged.connect(self._choose)
        ui.trustDetailSelector.currentIndexChanged.connect(self._choose)
        ui.trustLimitSpinBox.valueChanged.connect(self._limit)
        ui.trustButton.clicked.connect(self._start)
        ui.trustShowCheckBox.toggled.connect(self._show)

    def refresh(self) -> None:
        """Show what is chosen, and what can be done."""
        trust = self.bench.reliability_map
        choices, chosen = trust.choices(), trust.chosen
        self._models.show([choice.label for choice in choices], choices.index(chosen))
        put(self.ui.trustModelSelector, toolTip=chosen.title)
        self._details.show([_("Coarse"), _("Medium"), _("Fine")], DETAILS.index(trust.detail))
        offer(
            self.ui.trustButton,
            self.bench.obstacle_busy or trust.obstacle,
            _("Seek points of the image in the ticked volumes, and what is found there in the image again."),
        )
        offer(self.ui.trustShowCheckBox, trust.obstacle_show, _("Lay it over the image, or take it away."))
        put(self.ui.trustLegendLabel, text=trust.legend)
        with silent(self.ui.trustShowCheckBox), silent(self.ui.trustLimitSpinBox):
            put(self.ui.trustShowCheckBox, checked=trust.shown)
            put(self.ui.trustLimitSpinBox, value=trust.limit_mm)

    def _choose(self, _index=None) -> None:
        choices = self.bench.reliability_map.choices()
        if 0 <= self._models.index < len(choices):
            model, detail = choices[self._models.index].name, DETAILS[max(0, self._details.index)]
            self.bench.reliability_map.choose(model, detail)

    def _limit(self, mm: float) -> None:
        self.bench.reliability_map.limit(mm)

    def _start(self, _checked=False) -> None:
        self.bench.reliability_map.start()

    def _show(self, on: bool) -> None:
        self.bench.reliability_map.show(on)
