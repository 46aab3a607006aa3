"""Draws a chart of the scene off screen, from its plot nodes, as Slicer's plot view does."""

from __future__ import annotations

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

BOTTOM, LEFT = vtk.vtkAxis.BOTTOM, vtk.vtkAxis.LEFT


def draw_chart(chart, size: tuple[int, int]) -> np.ndarray:
    """(rows, columns, 3) uint8 of a vtkMRMLPlotChartNode."""
    view, plot = vtk.vtkContextView(), vtk.vtkChartXY()
    view.GetRenderWindow().SetOffScreenRendering(1)
    view.GetRenderWindow().SetSize(*size)
    view.GetRenderer().SetBackground(1, 1, 1)
    view.GetScene().AddItem(plot)
    plot.SetTitle(chart.GetTitle())
    plot.SetShowLegend(chart.GetLegendVisibility())
    plot.GetLegend().SetHorizontalAlignment(vtk.vtkChartLegend.LEFT)
    plot.GetAxis(BOTTOM).SetTitle(chart.GetXAxisTitle())
    plot.GetAxis(LEFT).SetTitle(chart.GetYAxisTitle())
    for n in range(chart.GetNumberOfPlotSeriesNodes()):
        _add(plot, chart.GetNthPlotSeriesNode(n))
    view.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(view.GetRenderWindow())
    grab.ReadFrontBufferOff()
    grab.Update()
    pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars())
    return pixels.reshape(size[1], size[0], -1)[::-1, :, :3].copy()


def _add(plot, series) -> None:
    table = series.GetTableNode().GetTable()
    line = plot.AddPlot(vtk.vtkChart.LINE)
    line.SetInputData(table, series.GetXColumnName(), series.GetYColumnName())
    line.SetLabel(series.GetName())
    line.GetPen().SetColorF(*series.GetColor())
    line.SetWidth(series.GetLineWidth())
    solid = series.GetLineStyle() == series.LineStyleSolid
    line.GetPen().SetLineType(vtk.vtkPen.SOLID_LINE if solid else vtk.vtkPen.DOT_LINE)
