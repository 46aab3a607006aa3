"""Section Review: scrub, look at what is uncertain, see how far it moved."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Table, offer, put, silent
from LandmarkTrackerLib.scene.workbench import Workbench


class ReviewView:
    """The frame in view, the findings, and the chart."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._table = Table(ui.findingsTable)
        ui.frameSlider.valueChanged.connect(self.bench.review.go_to)
        ui.previousButton.clicked.connect(self.previous_uncertain)
        ui.nextButton.clicked.connect(self.next_uncertain)
        ui.findingsTable.cellClicked.connect(self._go_to_row)
        ui.chartButton.clicked.connect(self._show_chart)

    def refresh(self) -> None:
        """Show the frame in view and what deserves a look."""
        subject, review = self.bench.inputs.subject, self.bench.review
        length = len(subject.cine) if subject is not None else 1
        with silent(self.ui.frameSlider):
            frame = subject.frame if subject is not None else 0
            put(self.ui.frameSlider, maximum=length - 1, value=frame, enabled=length > 1)
        put(self.ui.frameLabel, text=review.frame_text)
        self._table.show([(str(f.frame), f.name, f.sigma_text, f.score_text) for f in review.findings()])
        offer(
            self.ui.previousButton,
            review.obstacle_uncertain,
            _("Go to the uncertain frame before (Ctrl+Shift+B)."),
        )
        offer(
            self.ui.nextButton, review.obstacle_uncertain, _("Go to the next uncertain frame (Ctrl+Shift+N).")
        )
        offer(
            self.ui.chartButton,
            review.obstacle,
            _("Distance from where each landmark was placed, with ± 1 SD."),
        )

    def next_uncertain(self, _checked=False) -> None:
        """From the button or the keyboard."""
        self.bench.review.next_uncertain()

    def previous_uncertain(self, _checked=False) -> None:
        """From the button or the keyboard."""
        self.bench.review.previous_uncertain()

    def _go_to_row(self, row: int, _column: int) -> None:
        self.bench.review.go_to(self.bench.review.findings()[row].frame)

    def _show_chart(self, _checked=False) -> None:
        slicer.modules.plots.logic().ShowChartInLayout(self.bench.chart.show())
