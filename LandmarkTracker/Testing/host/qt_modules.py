"""`qt` and `ctk` as Slicer's Python has them, made of PySide6, and the few widgets that the panel uses."""

from __future__ import annotations

import types

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets
from PySide6.QtCore import Property, QObject, Signal

HEADER = 24


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A section with a title; a click on the title folds it."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, HEADER, 0, 0)

    def _get_text(self) -> str:
        return self._text

    def _set_text(self, text: str) -> None:
        self._text = text
        self.update()

    text = Property(str, _get_text, _set_text)

    def _get_collapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        # What lies below the title is cut off.
        self._collapsed = collapsed
        self.setMaximumHeight(HEADER if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    collapsed = Property(bool, _get_collapsed, setCollapsed)

    def mousePressEvent(self, event) -> None:
        if event.position().y() < HEADER:
            self.setCollapsed(not self._collapsed)

    def paintEvent(self, event) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), HEADER)
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        painter.drawText(option.rect.adjusted(26, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, self._text)
        arrow = QtWidgets.QStyle.PrimitiveElement
        option.rect = QtCore.QRect(8, 6, 12, 12)
        painter.drawPrimitive(
            arrow.PE_IndicatorArrowRight if self._collapsed else arrow.PE_IndicatorArrowDown, option
        )


class ctkDirectoryButton(QtWidgets.QPushButton):
    """A button that shows a folder."""

    directoryChanged = Signal(str)

    def _get_directory(self) -> str:
        return self.text()

    def setDirectory(self, directory: str) -> None:
        if directory != self.text():
            self.setText(directory)
            self.directoryChanged.emit(directory)

    directory = Property(str, _get_directory, setDirectory)


class qMRMLWidget(QtWidgets.QWidget):
    """A widget that hands its scene to the widgets in it."""

    mrmlSceneChanged = Signal(object)

    def setMRMLScene(self, scene) -> None:
        self._scene = scene
        for child in self.findChildren(QtWidgets.QWidget):
            if hasattr(child, "setMRMLScene"):
                child.setMRMLScene(scene)
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self):
        return self._scene


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """A combo box of the scene's nodes of some classes, kept up to date; None and "Create new" if allowed."""

    currentNodeChanged = Signal(object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene, self._observers, self._nodes, self._current = None, [], [], None
        self._classes: list[str] = []
        self._box = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._on_activated)

    def _get_classes(self) -> list:
        return self._classes

    def _set_classes(self, classes) -> None:
        self._classes = list(classes)
        if self._scene is not None:
            self._fill()

    nodeTypes = Property("QStringList", _get_classes, _set_classes)

    def setMRMLScene(self, scene) -> None:
        for tag in self._observers:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndBatchProcessEvent)
        self._observers = [scene.AddObserver(event, self._on_scene) for event in events]
        self._fill()

    def currentNode(self):
        return self._current

    def setCurrentNode(self, node) -> None:
        if node is not self._current:
            self._current = node
            self._fill()
            self.currentNodeChanged.emit(node)

    def addNode(self):
        """What "Create new" does."""
        node = self._scene.AddNewNodeByClass(self._classes[0])
        self.setCurrentNode(node)
        return node

    def nodes(self) -> list:
        """What can be chosen."""
        return list(self._nodes)

    def _on_scene(self, *_args) -> None:
        if self._current is not None and self._current.GetScene() is not self._scene:
            self.setCurrentNode(None)
        self._fill()

    def _fill(self) -> None:
        found = [
            self._scene.GetNthNodeByClass(n, name)
            for name in self._classes
            for n in range(self._scene.GetNumberOfNodesByClass(name))
        ]
        self._nodes = [
            node for node in found if not node.GetHideFromEditors() and node.GetClassName() in self._classes
        ]
        items = (["None"] if self.property("noneEnabled") else []) + [node.GetName() for node in self._nodes]
        if self.property("addEnabled"):
            items.append("Create new")
        self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems(items)
        shown = self._nodes.index(self._current) + 1 if self._current in self._nodes else 0
        self._box.setCurrentIndex(shown - (0 if self.property("noneEnabled") else 1))
        self._box.blockSignals(False)

    def _on_activated(self, index: int) -> None:
        n = index - (1 if self.property("noneEnabled") else 0)
        if n == len(self._nodes):
            self.addNode()
        else:
            self.setCurrentNode(self._nodes[n] if n >= 0 else None)


STAND_INS = (ctkCollapsibleButton, ctkDirectoryButton, qMRMLWidget, qMRMLNodeComboBox)


class QUiLoader(QtUiTools.QUiLoader):
    """Knows the stand-ins, as Slicer's loader knows the widgets themselves."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        for widget in STAND_INS:
            self.registerCustomWidget(widget)


def modules() -> tuple[types.ModuleType, types.ModuleType]:
    """`qt`, flat, and `ctk`."""
    qt, ctk = types.ModuleType("qt"), types.ModuleType("ctk")
    for part in (QtCore, QtGui, QtWidgets):
        for name in dir(part):
            if not name.startswith("_"):
                setattr(qt, name, getattr(part, name))
    qt.QUiLoader = QUiLoader
    for widget in STAND_INS[:2]:
        setattr(ctk, widget.__name__, widget)
    return qt, ctk
