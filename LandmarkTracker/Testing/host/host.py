"""Opens the module's panel in a real window, on real MRML, as Slicer's application would."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import types
from functools import cached_property

import slicer
from host import parameter_node, qt_modules, scripted_module
from host.mrml import Mrml
from host.slice_view import SliceView
from PySide6 import QtWidgets

MODULE = pathlib.Path(__file__).parents[2] / "LandmarkTracker.py"


class Application:
    """`slicer.app`, as far as the module and `slicer.util` use it."""

    def __init__(self) -> None:
        self.connected: dict[str, list] = {}

    def connect(self, signal: str, slot) -> None:
        self.connected.setdefault(signal, []).append(slot)

    def processEvents(self) -> None:
        QtWidgets.QApplication.processEvents()

    def setOverrideCursor(self, cursor) -> None:
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def layoutManager(self):
        return self

    def testingEnabled(self) -> bool:
        return True


class Host:
    """One window with the panel, beside a slice view.

    Attributes:
        mrml: the scene and its logics.
        view: a slice view (real, off screen); made when it is first asked for, because it needs OpenGL.
        errors: what the application would have shown in an error dialog.
        shown: the volume that the module last asked to show in the slice views.
        module: the module file, as Slicer imports it.
        widget: the module's widget.
    """

    def __init__(self) -> None:
        self.qt_app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
        self.mrml = Mrml()
        self.errors: list[str] = []
        self.shown = None
        self._install()
        self.module = self._import()
        self.window = qt_modules.qMRMLWidget()
        self.window.setLayout(QtWidgets.QVBoxLayout())
        self.window.isEntered = False
        self.module.LandmarkTracker(types.SimpleNamespace(path=str(MODULE)))
        self.widget = self.module.LandmarkTrackerWidget(self.window)

    @cached_property
    def view(self) -> SliceView:
        return SliceView(self.mrml)

    def open(self):
        """The user selects the module. Returns its widgets by name."""
        if not hasattr(self.widget, "ui"):
            self.widget.setup()
        self.window.show()
        self.window.isEntered = True
        self.widget.enter()
        self.process()
        return self.widget.ui

    def leave(self) -> None:
        """The user selects another module."""
        self.window.isEntered = False
        self.widget.exit()

    def process(self, until=lambda: True, rounds: int = 2000) -> None:
        """Let the window live until something holds."""
        for _ in range(rounds):
            self.qt_app.processEvents()
            if until():
                return
        raise AssertionError("what was waited for did not happen")

    def close(self) -> None:
        """Slicer closes."""
        if hasattr(self.widget, "ui"):
            if self.window.isEntered:
                self.leave()
            self.widget.cleanup()
        self.window.close()
        self.window.deleteLater()
        self.qt_app.processEvents()
        if "view" in vars(self):
            self.view.close()
        self.mrml.close()

    def _install(self) -> None:
        qt, ctk = qt_modules.modules()
        i18n = types.ModuleType("slicer.i18n")
        i18n.tr = lambda text: text
        i18n.translate = lambda _context, text: text
        for name, module in {
            "qt": qt,
            "ctk": ctk,
            "slicer.i18n": i18n,
            "slicer.parameterNodeWrapper": parameter_node,
            "slicer.ScriptedLoadableModule": scripted_module,
        }.items():
            sys.modules[name] = module
        slicer.mrmlScene = self.mrml.scene
        slicer.app = Application()
        slicer.modules = types.SimpleNamespace(
            plots=types.SimpleNamespace(logic=lambda: self.mrml.plots),
            sequences=types.SimpleNamespace(logic=lambda: self.mrml.sequences),
            landmarktracker=types.SimpleNamespace(widgetRepresentation=lambda: self),
        )
        slicer.util.modulePath = lambda _name: str(MODULE)
        slicer.util.mainWindow = lambda: None
        slicer.util.childWidgetVariables = _by_name
        slicer.util.errorDisplay = lambda text, **_: self.errors.append(text)
        slicer.util.selectModule = lambda _name: self.open()
        slicer.util.setSliceViewerLayers = self._show

    def self(self):
        """What `widgetRepresentation().self()` returns in Slicer: the scripted widget."""
        return self.widget

    def _show(self, background=None, **_) -> None:
        self.shown = background
        if "view" in vars(self):
            self.view.show(background)

    def _import(self):
        spec = importlib.util.spec_from_file_location("LandmarkTracker", MODULE)
        module = importlib.util.module_from_spec(spec)
        sys.modules["LandmarkTracker"] = module
        spec.loader.exec_module(module)
        return module


def _by_name(widget):
    """`slicer.util.childWidgetVariables`: PySide has no attribute `name`."""
    named = {w.objectName(): w for w in widget.findChildren(QtWidgets.QWidget)}
    return types.SimpleNamespace(**{name: w for name, w in named.items() if name.isidentifier()})
