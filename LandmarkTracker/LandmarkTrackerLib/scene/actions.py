"""What a user can do and choose, said once: the panel in Slicer and the page in a browser both draw it.

To add something that a user can do is to add an `Action` to the rows of a section; to add something that a
user can choose, a `Setting`. Each has a name of its own, by which front ends and tests find what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from LandmarkTrackerLib.scene.notices import Notices
from LandmarkTrackerLib.scene.parameters import Parameter

Text = str | Callable[[], str]
# flag: yes or no. choice: one of several. choices: any of several. node: one of the scene.
Kind = Literal["flag", "number", "slider", "text", "folder", "choice", "choices", "node"]


def text_of(text: Text) -> str:
    """A text that may change, as it is now."""
    return text() if callable(text) else text


def _nothing() -> str:
    return ""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class File:
    """An action asks for a file first.

    Attributes:
        title: of the dialog.
        holds: what is in it.
        kind: what such files are called.
        suffixes: how their names end.
    """

    title: str
    holds: Literal["landmarks", "model"]
    kind: str
    suffixes: tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """Something that a user can do.

    Attributes:
        label: on its button.
        tip: what it does, in a sentence.
        run: does it; takes the path if a file is asked for.
        obstacle: why it cannot be done now, in a sentence; empty if it can.
        key: the letter that does the same: alone on the page, with Ctrl+Shift in Slicer.
        on: for a button that stays pressed, whether it is.
        file: what file it asks for.
        offered: whether there is a button at all.
        main: the one that a section is for.
    """

    name: str
    label: Text
    tip: str
    run: Callable[..., object]
    obstacle: Callable[[], str] = _nothing
    key: str = ""
    on: Callable[[], bool] | None = None
    file: File | None = None
    offered: Callable[[], bool] = _always
    main: bool = False


@dataclass(frozen=True)
class Choice:
    """One of the values of a setting; `tip` says more about it than its title."""

    value: Any
    title: str
    tip: str = ""


@dataclass(frozen=True)
class Setting:
    """Something that a user can choose.

    Attributes:
        label: before its field, or beside its box.
        section, attribute: where it is kept: an attribute of a section, mostly a `Parameter`.
        tip: what it means, in a sentence.
        choices: the values there are, for one that has no fixed ones; `several` if any of them can be chosen.
        limits: least and largest now, for a slider.
        step: from one number to the next.
        unit: behind a number.
        least: what the least number means, in words.
        choose: is called with a new value, if it is not to be set simply.
        obstacle: why it cannot be chosen now, in a sentence; empty if it can.
        name: that of its parameter, or of its attribute, if not given.
    """

    label: str
    section: Any
    attribute: str
    tip: Text = ""
    choices: Callable[[], Sequence[Choice]] | None = None
    several: bool = False
    limits: Callable[[], tuple[float, float]] | None = None
    step: float = 1
    unit: str = ""
    least: str = ""
    choose: Callable[[Any], object] | None = None
    obstacle: Callable[[], str] = _nothing
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            name = self.parameter.name if self.parameter is not None else self.attribute
            object.__setattr__(self, "name", name)

    @property
    def parameter(self) -> Parameter | None:
        """What it is kept in, if that is the parameter node."""
        there = getattr(type(self.section), self.attribute, None)
        return there if isinstance(there, Parameter) else None

    @property
    def kind(self) -> Kind:
        if self.choices is not None or (self.parameter is not None and self.parameter.choices is not None):
            several: Kind = "choices" if self.several else "choice"
            return "node" if self.parameter is not None and self.parameter.nodes else several
        if self.limits is not None:
            return "slider"
        kinds: dict[type, Kind] = {bool: "flag", int: "number", float: "number", str: "text"}
        return kinds.get(type(self.value), "folder")

    @property
    def value(self) -> Any:
        return getattr(self.section, self.attribute)

    def set(self, value: Any) -> None:
        """Choose this. What cannot be chosen is said as a problem."""
        if self.choose is not None:
            self.choose(value)
        else:
            notices: Notices = self.section.context.notices
            with notices.acting():
                setattr(self.section, self.attribute, value)

    def offered(self) -> list[Choice]:
        """The values that there are."""
        if self.choices is not None:
            return list(self.choices())
        fixed = self.parameter.choices if self.parameter is not None else None
        return [Choice(value, title) for value, title in (fixed or {}).items()]

    def range(self) -> tuple[float, float]:
        """Least and largest number."""
        if self.limits is not None:
            return self.limits()
        assert self.parameter is not None
        assert self.parameter.limits is not None
        return self.parameter.limits
