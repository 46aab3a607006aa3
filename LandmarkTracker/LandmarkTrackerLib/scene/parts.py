"""What a section of a front end consists of: rows of parts, drawn by the panel and by the page alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from LandmarkTrackerLib.scene.actions import Action, Setting


@dataclass(frozen=True)
class Line:
    """A row of a table.

    Attributes:
        key: what it stands for.
        marked: it deserves a look.
        frame: that it is about, if it is about one.
    """

    key: Any
    cells: tuple[str, ...]
    marked: bool = False
    frame: int | None = None


@dataclass(frozen=True)
class Table:
    """Rows to look at, to click and to select.

    Attributes:
        lines: the same list as long as nothing changes.
        click: a row was clicked; takes its key.
        selected: keys of the selected rows; None if rows are not selected.
        select: other rows were selected; takes their keys.
        several: whether more than one can be selected.
        rename: another text was typed into the first cell; takes the key and the text.
    """

    name: str
    columns: tuple[str, ...]
    lines: Callable[[], Sequence[Line]]
    tip: str = ""
    click: Callable[[Any], object] | None = None
    selected: Callable[[], Sequence[Any]] | None = None
    select: Callable[[Sequence[Any]], object] | None = None
    several: bool = False
    rename: Callable[[Any, str], object] | None = None


@dataclass(frozen=True)
class Note:
    """A text that says how things are; `label` before it."""

    name: str
    text: Callable[[], str]
    label: str = ""


@dataclass(frozen=True)
class Heading:
    """The title of the rows that follow."""

    title: str
    name: str = ""


@dataclass(frozen=True)
class Progress:
    """How far something is: steps done, and steps in all."""

    name: str
    progress: Callable[[], tuple[int, int]]


@dataclass(frozen=True)
class Log:
    """The last lines that something said."""

    name: str
    lines: Callable[[], Sequence[str]]
    tip: str = ""


Part = Action | Setting | Table | Note | Heading | Progress | Log
Row = Sequence[Part]


@dataclass(frozen=True)
class Section:
    """A titled part of a front end that can be folded."""

    name: str
    title: str
    rows: Sequence[Row]
    folded: bool = False

    @property
    def parts(self) -> Iterator[Part]:
        for row in self.rows:
            yield from row
