"""What the user chose, kept once: in the scene's parameter node, from which it is saved with the scene.

Values are written there as Slicer's `parameterNodeWrapper` writes them, so that the panel's widgets, scripts
and the page all read and change the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import slicer

MODULE = "LandmarkTracker"
CLASS = "vtkMRMLScriptedModuleNode"

T = TypeVar("T")


class Parameters:
    """The parameter node of a scene; made when it is not there."""

    def __init__(self, scene) -> None:
        self.scene = scene

    @property
    def node(self):
        """As `ScriptedLoadableModuleLogic.getParameterNode` finds it."""
        node = self.scene.GetSingletonNode(MODULE, CLASS)
        if node is None:
            node = self.scene.CreateNodeByClass(CLASS)
            node.UnRegister(None)
            node.SetSingletonTag(MODULE)
            node.SetAttribute("ModuleName", MODULE)
            node.SetName(MODULE)
            node = self.scene.AddNode(node)
        return node


class Parameter(Generic[T]):
    """An attribute of a section, whose value is in the parameter node: `section.context.parameters`.

    Its type is that of the default: bool, int, float, str, Path, or a tuple of str.
    """

    def __init__(
        self,
        name: str,
        default: T,
        *,
        limits: tuple[float, float] | None = None,
        choices: Mapping[T, str] | None = None,
        nodes: tuple[str, ...] = (),
    ) -> None:
        """
        Args:
            name: in the node.
            limits: least and largest of a number; what lies outside becomes one of them.
            choices: title of each value there may be, if there are only these.
            nodes: it is a node of one of these classes; the default is None.
        """
        self.name, self.default, self.limits = name, default, limits
        self.choices, self.nodes = choices, nodes

    @overload
    def __get__(self, section: None, owner: type) -> Parameter[T]: ...
    @overload
    def __get__(self, section: object, owner: type) -> T: ...
    def __get__(self, section: Any, owner: type) -> Any:
        return self if section is None else self.read(section.context.parameters.node)

    def __set__(self, section: Any, value: T) -> None:
        self.write(section.context.parameters.node, value)

    def read(self, node) -> Any:
        """The value; the default if the node holds none, or one that is none of ours."""
        if self.nodes:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name) if node.HasParameter(self.name) else None
        try:
            return self.default if text is None else self._read(text)
        except (ValueError, KeyError):
            return self.default

    def write(self, node, value: Any) -> None:
        """
        Raises:
            ValueError: it is none of the choices.
        """
        with slicer.util.NodeModify(node):
            if self.nodes:
                # Slicer takes a reference without a parameter of its name for one that was never set.
                node.SetParameter(self.name, "")
                node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            else:
                node.SetParameter(self.name, self._text(value))

    def raw(self, node) -> str | None:
        """What the node holds, to see whether it has changed."""
        return node.GetNodeReferenceID(self.name) if self.nodes else self._text(self.read(node))

    def _read(self, text: str) -> Any:
        if self.choices is not None:
            return {self._text(value): value for value in self.choices}[text]
        kind: Any = type(self.default)
        if kind is bool:
            return text == "True"
        if kind is tuple:
            return tuple(text.splitlines())
        return Path(text) if isinstance(self.default, Path) else kind(text)

    def _text(self, value: Any) -> str:
        if self.choices is not None:
            if value not in self.choices:
                raise ValueError(f"{self.name} is one of {tuple(self.choices)}, not {value!r}")
            # Slicer keeps an enumeration by the names of its members.
            return str(value).upper()
        if self.limits is not None:
            value = type(self.default)(min(max(value, self.limits[0]), self.limits[1]))  # type: ignore[call-arg]
        return "\n".join(value) if isinstance(value, tuple) else str(value)


def parameters_of(*sections: type) -> Iterator[Parameter]:
    """Every parameter of these classes, each once."""
    found = {
        value.name: value
        for section in sections
        for value in vars(section).values()
        if isinstance(value, Parameter)
    }
    yield from found.values()
