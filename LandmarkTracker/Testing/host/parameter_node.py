"""What the documentation of `slicer.parameterNodeWrapper` promises, as far as the module uses it.

Parameters are typed attributes stored in a vtkMRMLScriptedModuleNode; `connectGui` joins them to the widgets
that carry their name in the dynamic property SlicerParameterName.
"""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from dataclasses import dataclass

import slicer


@dataclass(frozen=True)
class WithinRange:
    """A number's limits."""

    minimum: float
    maximum: float


def parameterNodeWrapper(cls):
    """Class decorator: annotations become parameters."""
    hints = typing.get_type_hints(cls, include_extras=True)
    parameters = {name: Parameter(name, hint, getattr(cls, name, None)) for name, hint in hints.items()}
    for parameter in parameters.values():
        setattr(cls, parameter.name, property(parameter.read, parameter.write))
    members = {"__init__": _init, "connectGui": _connect, "disconnectGui": _disconnect}
    for name, member in {**members, "_parameters": parameters}.items():
        setattr(cls, name, member)
    for name in ("AddObserver", "RemoveObserver", "StartModify", "EndModify"):
        setattr(cls, name, _forwarded(name))
    return cls


class Parameter:
    """One typed value in a node."""

    def __init__(self, name: str, hint, default) -> None:
        self.name, self.range = name, None
        if typing.get_origin(hint) is typing.Annotated:
            hint, self.range = typing.get_args(hint)
        union = typing.get_origin(hint) in (typing.Union, types.UnionType)
        self.types = typing.get_args(hint) if union else (hint,)
        self.is_node = issubclass(self.types[0], slicer.vtkMRMLNode)
        self.default = default

    def read(self, wrapper):
        node = wrapper.parameterNode
        if self.is_node:
            return node.GetNodeReference(self.name)
        text, kind = node.GetParameter(self.name), self.types[0]
        if issubclass(kind, enum.Enum):
            return kind[text]
        return text == "True" if kind is bool else kind(text)

    def write(self, wrapper, value) -> None:
        if value is not None and not isinstance(
            value, (*self.types, *((int,) if self.types[0] is float else ()))
        ):
            raise ValueError(f"{self.name} is {self.types}, not {value!r}")
        if self.range is not None and not self.range.minimum <= value <= self.range.maximum:
            raise ValueError(f"{self.name} is {value}, outside {self.range}")
        node = wrapper.parameterNode
        if self.is_node:
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        else:
            node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))


def _init(self, node) -> None:
    self.parameterNode, self._connections, self._writing = node, {}, False
    for parameter in self._parameters.values():
        if not parameter.is_node and not node.HasParameter(parameter.name):
            parameter.write(self, parameter.default)


def _connect(self, gui) -> int:
    joined = []
    for widget in vars(gui).values():
        name = widget.property("SlicerParameterName")
        if name:
            connector = _connector(widget, self._parameters[name])
            joined.append((name, connector))
            connector.show(getattr(self, name))
    for name, connector in joined:
        connector.listen(lambda name=name, connector=connector: _from_gui(self, name, connector))
    tag = max(self._connections, default=-1) + 1
    observer = self.parameterNode.AddObserver("ModifiedEvent", lambda *_: _to_gui(self, joined))
    self._connections[tag] = (joined, observer)
    return tag


def _disconnect(self, tag) -> None:
    joined, observer = self._connections.pop(tag, ((), None))
    for _name, connector in joined:
        connector.ignore()
    if observer is not None:
        self.parameterNode.RemoveObserver(observer)


def _from_gui(self, name, connector) -> None:
    if not self._writing:
        setattr(self, name, connector.value())


def _to_gui(self, joined) -> None:
    if self._writing:
        return
    self._writing = True
    try:
        for name, connector in joined:
            connector.show(getattr(self, name))
    finally:
        self._writing = False


def _forwarded(name: str):
    return lambda self, *args: getattr(self.parameterNode, name)(*args)


class Connector:
    """A widget's value, its setter and its signal."""

    def __init__(self, widget, signal: str, get, put) -> None:
        self.widget, self.value, self.show = widget, get, put
        self._signal, self._slot = getattr(widget, signal), None

    def listen(self, slot) -> None:
        self._slot = lambda *_: slot()
        self._signal.connect(self._slot)

    def ignore(self) -> None:
        self._signal.disconnect(self._slot)


def _connector(widget, parameter: Parameter) -> Connector:
    kind, name = parameter.types[0], type(widget).__name__
    if name == "QComboBox" and issubclass(kind, enum.Enum):
        members = list(kind)
        widget.clear()
        widget.addItems([kind.label(member) for member in members])
        return Connector(
            widget,
            "currentIndexChanged",
            lambda: members[widget.currentIndex()],
            lambda value: widget.setCurrentIndex(members.index(value)),
        )
    if name in ("QSpinBox", "QDoubleSpinBox"):
        widget.setRange(parameter.range.minimum, parameter.range.maximum)
        return Connector(widget, "valueChanged", widget.value, widget.setValue)
    if name == "QLineEdit":
        return Connector(widget, "textChanged", widget.text, widget.setText)
    if name == "QCheckBox":
        return Connector(widget, "toggled", widget.isChecked, widget.setChecked)
    if name == "ctkDirectoryButton":
        return Connector(
            widget,
            "directoryChanged",
            lambda: pathlib.Path(widget.property("directory")),
            lambda value: widget.setDirectory(str(value)),
        )
    if name == "qMRMLNodeComboBox":
        widget.setProperty("nodeTypes", [t.__name__ for t in parameter.types if t is not type(None)])
        return Connector(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)
    raise RuntimeError(f"no way to join {parameter.name} to a {name}")
