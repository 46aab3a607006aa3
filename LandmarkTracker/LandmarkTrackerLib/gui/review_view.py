"""Section Review: scrub, look at what is uncertain, see how far it moved."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Choices, Table, offer, put, silent
from LandmarkTrackerLib.scene.workbench import Workbench


class ReviewView:
    """The frame in view, the findings, and the chart."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._table = Table(ui.findingsTable, widest=1)
        self._findings: list | None = None
        ui.frameSlider.valueChanged.connect(self._scrub)
        ui.previousButton.clicked.connect(self.previous_uncertain)
        ui.nextButton.clicked.connect(self.next_uncertain)
        ui.findingsTable.cellClicked.connect(self._go_to_row)
        ui.chartButton.clicked.connect(self._show_chart)
        self._charted = Choices(ui.chartSelector)
        ui.chartSelector.currentIndexChanged.connect(self._choose_chart)

    def refresh(self) -> None:
        """Show the frame in view and what deserves a look."""
        subject, review = self.bench.inputs.subject, self.bench.review
        length = len(subject.cine) if subject is not None else 1
        with silent(self.ui.frameSlider):
            frame = subject.frame if subject is not None else 0
            put(self.ui.frameSlider, maximum=length - 1, value=frame, enabled=length > 1)
        put(self.ui.frameLabel, text=review.frame_text)
        findings = review.findings()
        if findings is not self._findings:
            self._findings = findings
            self._table.show([(str(f.frame), f.name, f.sigma_text, f.score_text) for f in findings])
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
            _("Distance from where each landmark was placed, with ± 1 SD for one or two."),
        )
        names = ("", *self._names())
        charted = names.index(self.bench.chart.landmark) if self.bench.chart.landmark in names else 0
        self._charted.show([_("All landmarks"), *names[1:]], charted)

    def next_uncertain(self, _checked=False) -> None:
        """From the button or the keyboard."""
        self.bench.review.next_uncertain()

    def previous_uncertain(self, _checked=False) -> None:
        """From the button or the keyboard."""
        self.bench.review.previous_uncertain()

    def _scrub(self, frame: int) -> None:
        self.bench.review.go_to(frame)

    def _go_to_row(self, row: int, _column: int) -> None:
        self.bench.review.go_to(self.bench.review.findings()[row].frame)

    def _names(self) -> tuple[str, ...]:
        subject = self.bench.inputs.subject
        return subject.record.placed_names() if subject is not None else ()

    def _choose_chart(self, _index=None) -> None:
        n = self._charted.index
        self.bench.chart.choose(self._names()[n - 1] if n > 0 else "")

    def _show_chart(self, _checked=False) -> None:
        slicer.modules.plots.logic().ShowChartInLayout(self.bench.chart.show())
