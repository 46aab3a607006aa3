"""A map of errors in mm, laid over an image: a volume of its own, from green to red, and where it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.sequences import nodes_of
from LandmarkTrackerLib.scene.nodes.slice_views import Layers, fit, show, slice_views
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume, image_of

VOLUME = "vtkMRMLScalarVolumeNode"
# From the overlay to the image that it is of, so that a saved scene still knows.
OVER, FRAME = "LandmarkTracker.Over", "LandmarkTracker.Frame"
OPACITY = 0.45
# Green, yellow, red that also those tell apart who do not see all colours: they differ in brightness too.
COLOURS = np.array([(0, 158, 115), (240, 228, 66), (190, 45, 20)]) / 255
SHADES = 256


@dataclass(frozen=True)
class Overlay:
    """The volume, which shows no pixel below 0."""

    volume: Any

    @classmethod
    def add(cls, source, title: str) -> Overlay:
        """A new one, still empty, of an image: a browser or a volume."""
        scene = source.GetScene()
        volume = scene.AddNewNodeByClass(VOLUME, title)
        volume.SetNodeReferenceID(OVER, source.GetID())
        volume.CreateDefaultDisplayNodes()
        display = volume.GetDisplayNode()
        display.SetAndObserveColorNodeID(_colours(scene).GetID())
        # Between a pixel that is not shown and one that is, there is no error to interpolate.
        display.SetInterpolate(False)
        display.SetAutoWindowLevel(False)
        display.SetAutoThreshold(False)
        display.SetThreshold(0, 1e6)
        display.SetApplyThreshold(True)
        legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(volume)
        legend.SetTitleText(_("error (mm)"))
        legend.SetLabelFormat("%.0f")
        legend.SetNumberOfLabels(3)
        # Its text is as large as this leaves room for.
        legend.SetSize(0.045, 0.3)
        for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
            text.SetFontFamilyToArial()
        return cls(volume)

    @property
    def frame(self) -> int:
        """Of the cine that it is of."""
        return int(self.volume.GetAttribute(FRAME) or 0)

    @property
    def content(self) -> tuple[int, sitk.Image]:
        """Frame and errors, as `fill` takes them."""
        return self.frame, image_of(self.volume)

    def fill(self, frame: int, errors: sitk.Image) -> None:
        """Show these errors, mm, below 0 for none."""
        self.volume.SetAttribute(FRAME, str(frame))
        fill_volume(self.volume, errors)

    def limit(self, mm: float) -> None:
        """Show this error in red."""
        display = self.volume.GetDisplayNode()
        if display.GetWindowLevelMax() != mm:
            display.SetWindowLevelMinMax(0, mm)

    def remove(self) -> None:
        """Out of the scene, with what displays it."""
        scene, displays = (
            self.volume.GetScene(),
            [self.volume.GetNthDisplayNode(n) for n in range(self.volume.GetNumberOfDisplayNodes())],
        )
        for node in (self.volume, *displays):
            scene.RemoveNode(node)


def is_overlay(volume) -> bool:
    """Whether this is one."""
    return volume.GetNodeReferenceID(OVER) is not None


def overlay_of(source) -> Overlay | None:
    """That of an image, or None."""
    scene = source.GetScene()
    volumes = nodes_of(scene, VOLUME) if scene is not None else []
    found = [volume for volume in volumes if volume.GetNodeReferenceID(OVER) == source.GetID()]
    return Overlay(found[0]) if found else None


def bring_up(scene, volume) -> None:
    """Show a slice in all views, in its own plane, if none shows it."""
    views = slice_views(scene)
    if all(composite.GetBackgroundVolumeID() != volume.GetID() for _view, composite in views):
        for view, composite in views:
            show(composite, Layers(volume))
            fit(view, volume, True)


def lay_over(scene, volume, overlay) -> None:
    """Let every view that shows this volume show the overlay on it; None for none. Other overlays vanish."""
    overlays = {node.GetID(): node for node in nodes_of(scene, VOLUME) if is_overlay(node)}
    for _view, composite in slice_views(scene):
        below, above = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
        mine = volume is not None and below == volume.GetID() and (above is None or above in overlays)
        wanted = overlay if mine else None
        if above != (wanted.GetID() if wanted is not None else None) and (mine or above in overlays):
            show(composite, Layers(scene.GetNodeByID(below or ""), wanted, OPACITY))
            for node in overlays.values():
                # A legend does not hear by itself which volumes a view shows.
                node.GetNthDisplayNode(1).Modified()


def _colours(scene):
    """The colour table, made once in a scene."""
    table = slicer.vtkMRMLColorTableNode()
    table.SetName(_("Reliability"))
    table.SetSingletonTag("LandmarkTrackerReliability")
    table.SetTypeToUser()
    table.SetNumberOfColors(SHADES)
    at = np.linspace(0, len(COLOURS) - 1, SHADES)
    shades = np.column_stack([np.interp(at, range(len(COLOURS)), channel) for channel in COLOURS.T])
    for n, shade in enumerate(shades.tolist()):
        table.SetColor(n, *shade, 1.0)
    return scene.AddNode(table)
