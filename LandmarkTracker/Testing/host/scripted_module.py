"""What the documentation of `slicer.ScriptedLoadableModule` promises, as far as the module uses it."""

from __future__ import annotations

import pathlib
import unittest

import slicer


class ScriptedLoadableModule:
    """Describes a module to the application, which gives `parent`."""

    def __init__(self, parent) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """A module's panel; `parent` is the widget in the application's dock."""

    def __init__(self, parent=None) -> None:
        self.parent = parent
        self.layout = parent.layout()
        self.moduleName = type(self).__name__.removesuffix("Widget")

    def resourcePath(self, filename: str) -> str:
        return str(pathlib.Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def setup(self) -> None:
        """For the module to extend."""

    def cleanup(self) -> None:
        """For the module to extend."""


class ScriptedLoadableModuleLogic:
    """A module's work; one parameter node a scene."""

    def __init__(self, parent=None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self):
        scene = slicer.mrmlScene
        node = scene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.UnRegister(None)
            node.SetSingletonTag(self.moduleName)
            node.SetAttribute("ModuleName", self.moduleName)
            node.SetName(self.moduleName)
            node = scene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Runs every method with "test" in its name."""

    def delayDisplay(self, message: str, *_args) -> None:
        """A message to somebody who watches; nobody does here."""

    def runTest(self) -> None:
        for name in dir(self):
            if name.startswith("test") and callable(getattr(self, name)):
                self.setUp()
                getattr(self, name)()
                self.tearDown()
