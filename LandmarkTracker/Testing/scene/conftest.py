"""Slicer's own scene, from `slicer-core`."""

from __future__ import annotations

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
if not hasattr(slicer, "vtkMRMLScene"):
    pytest.skip("PyPI's `slicer` is another package; install slicer-core", allow_module_level=True)


class App:
    """A scene, and the logics that Slicer runs on it: Markups places points, Sequences plays and saves."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        self.modules = [slicer.vtkSlicerMarkupsLogic(), slicer.vtkSlicerSequencesLogic()]
        for module in self.modules:
            module.SetMRMLApplicationLogic(self.logic)
            module.SetMRMLScene(self.scene)

    def point_list(self, name="Landmarks", **points):
        """A new point list; positions are RAS mm."""
        node = self.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        for label, position in points.items():
            node.AddControlPoint(*position, label)
        return node


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def scene(app):
    return app.scene
