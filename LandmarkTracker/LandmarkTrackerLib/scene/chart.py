"""Displacement over time as Slicer's own plot nodes: a curve a landmark; of one or two with uncertainty."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.record import Record
from LandmarkTrackerLib.scene.reporting import reported

if TYPE_CHECKING:
    from LandmarkTrackerLib.scene.workbench import Workbench

# Readable on white and distinguishable for everybody (Okabe and Ito 2008).
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))
NODES = ("vtkMRMLTableNode", "vtkMRMLPlotChartNode")


@dataclass(frozen=True)
class Line:
    """One line of the chart; `main` for a landmark's curve, not for the edge of its band."""

    name: str
    values: Array
    colour: tuple[int, int, int]
    main: bool = False


class Chart:
    """Made when it is first shown, and kept up to date from then on. It is a view: not saved, not undone.

    Attributes:
        landmark: the one to draw; empty for all.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.landmark = ""
        self.node: Any = None
        self._table: Any = None
        self._series: list = []
        self._shown: tuple[Record, str] | None = None

    def show(self):
        """The chart of the chosen cine, as a vtkMRMLPlotChartNode."""
        if self.node is None:
            self._table, self.node = (self._new(name) for name in NODES)
            self.node.SetYAxisTitle(_("mm"))
            self.node.SetLegendVisibility(True)
        self.refresh()
        return self.node

    @reported
    def choose(self, landmark: str) -> None:
        """Draw this landmark alone; an empty name for all."""
        self.landmark = landmark

    def refresh(self) -> None:
        """Draw what has changed."""
        subject = self.bench.inputs.subject
        if self.node is None or subject is None or (subject.record, self.landmark) == self._shown:
            return
        self._shown = (subject.record, self.landmark)
        self.node.SetXAxisTitle(_("time ({unit})").format(unit=subject.cine.time_unit))
        curves = [curve for curve in self.bench.review.displacements() if self.landmark in ("", curve.name)]
        bands = len(curves) <= 2
        self.node.SetTitle(
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
        if curves:
            columns = (curves[0].times, *(line.values for line in lines))
            names = ["time", *(line.name for line in lines)]
            slicer.util.updateTableFromArray(self._table, columns, names)
        self._draw(lines)

    def forget(self) -> None:
        """The scene was closed."""
        self.node, self._table, self._series, self._shown = None, None, [], None

    def _draw(self, lines: Sequence[Line]) -> None:
        while len(self._series) < len(lines):
            self._series.append(self._new("vtkMRMLPlotSeriesNode"))
        self.node.RemoveAllPlotSeriesNodeIDs()
        for series, line in zip(self._series, lines, strict=False):
            series.SetName(line.name)
            series.SetAndObserveTableNodeID(self._table.GetID())
            series.SetXColumnName("time")
            series.SetYColumnName(line.name)
            series.SetPlotType(series.PlotTypeScatter)
            series.SetMarkerStyle(series.MarkerStyleNone)
            series.SetLineStyle(series.LineStyleSolid if line.main else series.LineStyleDot)
            series.SetLineWidth(2 if line.main else 1)
            series.SetColor(*(c / 255 for c in line.colour))
            self.node.AddAndObservePlotSeriesNodeID(series.GetID())

    def _new(self, class_name: str):
        node = self.bench.scene.CreateNodeByClass(class_name)
        node.UnRegister(None)
        node.SetName("LandmarkTracker")
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        return self.bench.scene.AddNode(node)
