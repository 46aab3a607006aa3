"""Slicer's scene and the logics that work on it, all real, as Slicer's application sets them up."""

from __future__ import annotations

import tempfile

import slicer
import vtk


class Mrml:
    """A scene with everything that reads, plays, places and displays in it.

    Attributes:
        scene: vtkMRMLScene.
        logic: vtkSlicerApplicationLogic; it owns the selection and interaction nodes.
        colours, markups, sequences, plots: the module logics.
    """

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self._read_bundles()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.colours = slicer.vtkSlicerColorLogic()
        self.colours.SetMRMLApplicationLogic(self.logic)
        self.colours.SetMRMLScene(self.scene)
        self.markups = slicer.vtkSlicerMarkupsLogic()
        self.sequences = slicer.vtkSlicerSequencesLogic()
        self.plots = slicer.vtkSlicerPlotsLogic()
        for name, module in (("Markups", self.markups), ("Sequences", self.sequences), ("Plots", self.plots)):
            module.SetMRMLApplicationLogic(self.logic)
            module.SetMRMLScene(self.scene)
            self.logic.SetModuleLogic(name, module)

    def point_list(self, name="Landmarks", **points):
        """A new point list; positions are RAS mm."""
        node = self.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        for label, position in points.items():
            node.AddControlPoint(*position, label)
        return node

    def close(self) -> None:
        """Take the scene down in the order in which Slicer does."""
        self.scene.Clear(1)
        for module in (self.plots, self.sequences, self.markups, self.colours, self.logic):
            module.SetMRMLScene(None)
        # Whoever still observes is garbage with the scene, and must not hear of its end from the collector.
        self.scene.RemoveAllObservers()
        self._cache_folder.cleanup()

    def _read_bundles(self) -> None:
        """Slicer unpacks .mrb files into its cache."""
        self._cache_folder = tempfile.TemporaryDirectory()
        cache, manager = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
        cache.SetRemoteCacheDirectory(self._cache_folder.name)
        cache.SetMRMLScene(self.scene)
        manager.SetCacheManager(cache)
        self.scene.SetCacheManager(cache)
        self.scene.SetDataIOManager(manager)
