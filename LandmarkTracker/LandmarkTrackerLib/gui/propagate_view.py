"""Section Propagate: through the cine, and to the volumes of other subjects."""

from __future__ import annotations

from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import offer
from LandmarkTrackerLib.scene.workbench import Workbench


class PropagateView:
    """The two buttons; directions and limits follow the parameter node."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        ui.propagateButton.clicked.connect(self.propagate)
        ui.findButton.clicked.connect(self._find)

    def refresh(self) -> None:
        """Show what can run."""
        propagation, wait = self.bench.propagation, self.bench.obstacle_busy
        purpose = _("Find the landmarks in the other frames (Ctrl+Shift+P).")
        offer(self.ui.propagateButton, wait or propagation.obstacle, purpose)
        offer(
            self.ui.findButton,
            wait or propagation.obstacle_across,
            _("Find the landmarks in other subjects."),
        )

    def propagate(self, _checked=False) -> None:
        """Begin, from the button or the keyboard."""
        self.bench.propagation.start()

    def _find(self, _checked=False) -> None:
        self.bench.propagation.start_across()
