"""Values of settings as the page holds them, and back: nodes by their ids, folders inside the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Setting
from LandmarkTrackerLib.web.data_root import DataRoot


def encoded(value: Any, root: DataRoot) -> Any:
    """For the page."""
    if isinstance(value, tuple):
        return [encoded(part, root) for part in value]
    if isinstance(value, Path):
        try:
            return root.relative(value)
        except InputError:
            return str(value)
    if value is None:
        return ""
    return value.GetID() if hasattr(value, "GetID") else value


def decoded(sent: Any, setting: Setting, root: DataRoot) -> Any:
    """What the page sent, for a setting.

    Raises:
        InputError: it leads outside the data folder.
        ValueError: it is no value, as a number is while it is typed; or it is not among the choices.
    """
    kind = setting.kind
    if kind in ("choice", "node"):
        return _chosen(setting, [sent], root)[0]
    if kind == "choices":
        return tuple(_chosen(setting, sent or [], root))
    if kind == "folder":
        return root.find(str(sent or ""))
    if kind == "flag":
        return bool(sent)
    if kind == "text":
        return str(sent or "")
    whole = isinstance(setting.value, int) and isinstance(setting.step, int)
    try:
        return int(sent) if whole else float(sent)
    except TypeError:
        raise ValueError(f"{sent!r} is no number") from None


def _chosen(setting: Setting, sent: list[Any], root: DataRoot) -> list[Any]:
    offered = {str(encoded(choice.value, root)): choice.value for choice in setting.offered()}
    if not {str(value) for value in sent} <= set(offered):
        raise ValueError(f"{setting.name} has no choice {sent!r}")
    return [offered[str(value)] for value in sent]
