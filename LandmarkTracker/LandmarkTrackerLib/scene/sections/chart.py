"""Displacement over time: a curve a landmark; of one or two with uncertainty."""

from __future__ import annotations

import itertools

import numpy as np

from LandmarkTrackerLib.scene.actions import Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.plot import COLOURS, Line, Plot
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.review import Displacement, Review


class Chart:
    """Made when it is first shown, and kept up to date from then on.

    Attributes:
        landmark: the one to draw; empty for all.
    """

    landmark = Parameter("chartLandmark", "")

    def __init__(self, context: Context, inputs: Inputs, review: Review) -> None:
        self.context, self.inputs, self.review = context, inputs, review
        self._plot: Plot | None = None
        self._shown: tuple[Record, str] | None = None

    def rows(self) -> list[Row]:
        """What is drawn."""
        tip = _("The landmarks that the chart shows.")
        return [[Setting(_("Chart"), self, "landmark", tip, self._landmarks)]]

    def _landmarks(self) -> list[Choice]:
        subject = self.inputs.subject
        names = subject.record.placed_names() if subject is not None else ()
        return [Choice("", _("All landmarks")), *(Choice(name, name) for name in names)]

    @property
    def node(self):
        """The vtkMRMLPlotChartNode; None until it is first shown."""
        return self._plot.chart if self._plot is not None else None

    def show(self):
        """The chart of the chosen cine, as a vtkMRMLPlotChartNode."""
        if self._plot is None:
            self._plot = Plot(self.context.scene, "")
        self.refresh()
        return self.node

    def curves(self) -> list[Displacement]:
        """Those that are drawn: one if the user chose one that there is, else all."""
        curves = self.review.displacements()
        return [curve for curve in curves if curve.name == self.landmark] or curves

    def refresh(self) -> None:
        """Draw what has changed."""
        subject = self.inputs.subject
        if self._plot is None or subject is None or (subject.record, self.landmark) == self._shown:
            return
        self._shown = (subject.record, self.landmark)
        self._plot.chart.SetYAxisTitle(subject.cine.length_unit)
        curves = self.curves()
        bands = len(curves) <= 2
        title = (
            _("Distance from where it was placed, ± 1 SD")
            if bands
            else _("Distance from where it was placed")
        )
        lines = []
        for curve, colour in zip(curves, itertools.cycle(COLOURS), strict=False):
            lines.append(Line(curve.name, curve.mm, colour, True))
            # The bands of many landmarks hide their curves.
            if bands:
                low, high = np.maximum(curve.mm - curve.sigma_mm, 0), curve.mm + curve.sigma_mm
                lines += [Line(f"{curve.name} - SD", low, colour), Line(f"{curve.name} + SD", high, colour)]
        times = np.array(subject.cine.times, dtype=float)
        self._plot.draw(title, (_("time ({unit})").format(unit=subject.cine.time_unit), times), lines)

    def forget(self) -> None:
        """The scene was closed."""
        self._plot, self._shown = None, None
