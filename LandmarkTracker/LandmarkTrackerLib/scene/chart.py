"""Displacement over time as Slicer's own plot nodes: one curve a landmark, with its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import slicer

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.record import Record

if TYPE_CHECKING:
    from LandmarkTrackerLib.scene.workbench import Workbench

# Readable on white and distinguishable for everybody (Okabe and Ito 2008).
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))
NODES = ("vtkMRMLTableNode", "vtkMRMLPlotChartNode")


class Chart:
    """Made when it is first shown, and kept up to date from then on. It is a view: not saved, not undone."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.node: Any = None
        self._table: Any = None
        self._series: list = []
        self._shown: Record | None = None

    def show(self):
        """The chart of the chosen cine, as a vtkMRMLPlotChartNode."""
        if self.node is None:
            self._table, self.node = (self._new(name) for name in NODES)
            self.node.SetTitle(_("Distance from where it was placed, ± 1 SD"))
            self.node.SetYAxisTitle(_("mm"))
            self.node.SetLegendVisibility(True)
        self.refresh()
        return self.node

    def refresh(self) -> None:
        """Draw what has changed."""
        subject = self.bench.inputs.subject
        if self.node is None or subject is None or subject.record is self._shown:
            return
        self._shown = subject.record
        self.node.SetXAxisTitle(_("time ({unit})").format(unit=subject.cine.time_unit))
        curves = self.bench.review.displacements()
        columns, names = [], ["time"]
        for curve in curves:
            columns += [curve.mm, curve.mm - curve.sigma_mm, curve.mm + curve.sigma_mm]
            names += [curve.name, f"{curve.name} - SD", f"{curve.name} + SD"]
        if curves:
            slicer.util.updateTableFromArray(self._table, (curves[0].times, *columns), names)
        self._draw(names[1:])

    def forget(self) -> None:
        """The scene was closed."""
        self.node, self._table, self._series, self._shown = None, None, [], None

    def _draw(self, names: list[str]) -> None:
        while len(self._series) < len(names):
            self._series.append(self._new("vtkMRMLPlotSeriesNode"))
        self.node.RemoveAllPlotSeriesNodeIDs()
        for n, (series, name) in enumerate(zip(self._series, names, strict=False)):
            main = n % 3 == 0
            series.SetName(name)
            series.SetAndObserveTableNodeID(self._table.GetID())
            series.SetXColumnName("time")
            series.SetYColumnName(name)
            series.SetPlotType(series.PlotTypeScatter)
            series.SetMarkerStyle(series.MarkerStyleNone)
            series.SetLineStyle(series.LineStyleSolid if main else series.LineStyleDot)
            series.SetLineWidth(2 if main else 1)
            series.SetColor(*(c / 255 for c in COLOURS[n // 3 % len(COLOURS)]))
            self.node.AddAndObservePlotSeriesNodeID(series.GetID())

    def _new(self, class_name: str):
        node = self.bench.scene.CreateNodeByClass(class_name)
        node.UnRegister(None)
        node.SetName("LandmarkTracker")
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        return self.bench.scene.AddNode(node)
