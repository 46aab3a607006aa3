"""What the sections keep in the parameter node, as a class of Slicer's `parameterNodeWrapper`."""

from __future__ import annotations

import enum
import pathlib
from typing import Annotated, Any

import slicer
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from LandmarkTrackerLib.scene.parameters import MODULE, Parameter
from LandmarkTrackerLib.scene.workbench import PARAMETERS


def _enumeration(parameter: Parameter) -> type[enum.Enum]:
    """The choices, named as they are kept; Slicer shows what `label` returns."""
    assert parameter.choices is not None
    titles = dict(parameter.choices)
    members = enum.Enum(parameter.name, {str(value).upper(): value for value in titles})  # type: ignore[misc]
    members.label = lambda member: titles[member.value]  # type: ignore[attr-defined]
    return members


def _typed(parameter: Parameter) -> tuple[Any, Any]:
    """Type and default, as the wrapper wants them."""
    if parameter.nodes:
        # A union of classes would be kept under other names than the parameter's.
        single = len(parameter.nodes) == 1
        return getattr(slicer, parameter.nodes[0] if single else "vtkMRMLNode"), None
    if parameter.choices is not None:
        members = _enumeration(parameter)
        return members, members(parameter.default)
    if parameter.limits is not None:
        return Annotated[type(parameter.default), WithinRange(*parameter.limits)], parameter.default
    if isinstance(parameter.default, pathlib.Path):
        return pathlib.Path, parameter.default
    return type(parameter.default), parameter.default


def _wrapper() -> type:
    typed = {p.name: _typed(p) for p in PARAMETERS if not isinstance(p.default, tuple)}
    body = {name: default for name, (_kind, default) in typed.items() if default is not None}
    body["__annotations__"] = {name: kind for name, (kind, _default) in typed.items()}
    body["__doc__"] = "What the user chose, saved with the scene; each parameter is described in its section."
    return parameterNodeWrapper(type(f"{MODULE}ParameterNode", (), {**body, "__module__": __name__}))


LandmarkTrackerParameterNode = _wrapper()
