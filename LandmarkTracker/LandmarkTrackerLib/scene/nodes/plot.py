"""A chart of the scene, its table and its lines: Slicer's own plot nodes. A view: not saved, not undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import slicer

from LandmarkTrackerLib.landmarks import Array

# Readable on white and distinguishable for everybody (Okabe and Ito 2008).
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))


@dataclass(frozen=True)
class Line:
    """One line of a chart; `main` for a curve, not for the edge of its band."""

    name: str
    values: Array
    colour: tuple[int, int, int]
    main: bool = False


class Plot:
    """Lines over one axis.

    Attributes:
        chart: vtkMRMLPlotChartNode.
    """

    def __init__(self, scene, y_title: str) -> None:
        self._scene = scene
        self._table, self.chart = (self._new(f"vtkMRML{kind}Node") for kind in ("Table", "PlotChart"))
        self._series: list = []
        self.chart.SetYAxisTitle(y_title)
        self.chart.SetLegendVisibility(True)

    def draw(self, title: str, x: tuple[str, Array], lines: Sequence[Line]) -> None:
        """Show these lines instead of what was shown.

        Args:
            x: the title of the axis, and (T,) the places of the lines' (T,) values on it.
        """
        self.chart.SetTitle(title)
        self.chart.SetXAxisTitle(x[0])
        if lines:
            columns = (x[1], *(line.values for line in lines))
            slicer.util.updateTableFromArray(self._table, columns, ["x", *(line.name for line in lines)])
        while len(self._series) < len(lines):
            self._series.append(self._new("vtkMRMLPlotSeriesNode"))
        self.chart.RemoveAllPlotSeriesNodeIDs()
        for series, line in zip(self._series, lines, strict=False):
            series.SetName(line.name)
            series.SetAndObserveTableNodeID(self._table.GetID())
            series.SetXColumnName("x")
            series.SetYColumnName(line.name)
            series.SetPlotType(series.PlotTypeScatter)
            series.SetMarkerStyle(series.MarkerStyleNone)
            series.SetLineStyle(series.LineStyleSolid if line.main else series.LineStyleDot)
            series.SetLineWidth(2 if line.main else 1)
            series.SetColor(*(c / 255 for c in line.colour))
            self.chart.AddAndObservePlotSeriesNodeID(series.GetID())

    def _new(self, class_name: str):
        node = self._scene.CreateNodeByClass(class_name)
        node.UnRegister(None)
        node.SetName("LandmarkTracker")
        node.SetSaveWithScene(False)
        node.SetHideFromEditors(True)
        return self._scene.AddNode(node)
