"""The parts of a section as Qt widgets: `draw` makes the one for a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import qt

from LandmarkTrackerLib.gui.fields import FIELDS
from LandmarkTrackerLib.gui.widgets import ask_for_file, put, silent
from LandmarkTrackerLib.scene.actions import Action, Setting, text_of
from LandmarkTrackerLib.scene.parts import Heading, Line, Log, Note, Part, Progress, Table

PREFIX = "Ctrl+Shift+"
TABLE_HEIGHTS, LOG_HEIGHT, ROW_HEIGHT = (100, 160), 80, 22

Do = Callable[..., None]


class PartWidget(Protocol):
    """A part in the panel.

    Attributes:
        label: before the widget.
        given: the panel's file has the widget, in its place.
        alone: nothing else stands in its line.
    """

    widget: Any
    label: str
    given: bool
    alone: bool

    def refresh(self) -> None: ...


class Button:
    """An action."""

    label, given, alone = "", False, False

    def __init__(self, action: Action, do: Do, widget=None) -> None:
        self.action, self._do = action, do
        self.widget = qt.QPushButton() if widget is None else widget
        put(self.widget, objectName=f"{action.name}Button", checkable=action.on is not None)
        self.widget.clicked.connect(self._clicked)

    def refresh(self) -> None:
        action, obstacle = self.action, self.action.obstacle()
        put(self.widget, text=text_of(action.label), visible=action.offered())
        put(self.widget, enabled=not obstacle, toolTip=obstacle or self._purpose())
        if action.on is not None:
            with silent(self.widget):
                put(self.widget, checked=action.on())

    def _purpose(self) -> str:
        key = self.action.key
        return f"{self.action.tip.removesuffix('.')} ({PREFIX}{key})." if key else self.action.tip

    def _clicked(self, _checked=False) -> None:
        if self.action.file is None:
            self._do(self.action)
        elif (path := ask_for_file(self.widget, self.action.file)) is not None:
            self._do(self.action, path)


class Label:
    """A note, or a heading."""

    given, alone = False, False

    def __init__(self, part: Note | Heading) -> None:
        self.part, self.widget, self.label = part, qt.QLabel(), ""
        put(self.widget, wordWrap=True)
        if isinstance(part, Heading):
            put(self.widget, text=f"<b>{part.title}</b>")
        else:
            put(self.widget, objectName=f"{part.name}Label")
            self.label = f"{part.label}:" if part.label else ""

    def refresh(self) -> None:
        if isinstance(self.part, Note):
            text = self.part.text()
            put(self.widget, text=text, visible=bool(text or self.label))


class ProgressBar:
    """A progress."""

    label, given, alone = "", False, True

    def __init__(self, progress: Progress) -> None:
        self.progress, self.widget = progress, qt.QProgressBar()
        put(self.widget, objectName=f"{progress.name}ProgressBar", textVisible=False)

    def refresh(self) -> None:
        done, total = self.progress.progress()
        put(self.widget, maximum=max(total, 1), value=done)


class LogView:
    """A log, scrolled to its end."""

    label, given, alone = "", False, True

    def __init__(self, log: Log) -> None:
        self.log, self.widget = log, qt.QPlainTextEdit()
        self._shown: list[str] = []
        put(self.widget, objectName=log.name, readOnly=True, maximumHeight=LOG_HEIGHT, toolTip=log.tip)

    def refresh(self) -> None:
        if list(self.log.lines()) != self._shown:
            self._shown = list(self.log.lines())
            put(self.widget, plainText="\n".join(self._shown))
            scroll = self.widget.verticalScrollBar()
            put(scroll, value=scroll.property("maximum"))


class TableView:
    """A table, which is filled anew only when its content changes."""

    label, given, alone = "", False, True

    def __init__(self, table: Table) -> None:
        self.table, self.widget = table, qt.QTableWidget()
        self._shown: Sequence[Line] = []
        view, widget = qt.QAbstractItemView, self.widget
        put(widget, objectName=f"{table.name}Table", columnCount=len(table.columns), toolTip=table.tip)
        put(widget, minimumHeight=TABLE_HEIGHTS[0], maximumHeight=TABLE_HEIGHTS[1])
        widget.setHorizontalHeaderLabels(list(table.columns))
        put(widget, selectionBehavior=view.SelectRows)
        put(widget, selectionMode=view.ExtendedSelection if table.several else view.SingleSelection)
        rows, header = widget.verticalHeader(), widget.horizontalHeader()
        put(rows, visible=False)
        put(rows, defaultSectionSize=ROW_HEIGHT)
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(len(table.columns) // 2, qt.QHeaderView.Stretch)
        if table.rename is not None:
            widget.itemChanged.connect(self._typed)
        else:
            put(widget, editTriggers=view.NoEditTriggers)
        if table.click is not None:
            widget.cellClicked.connect(self._clicked)
        if table.select is not None:
            widget.itemSelectionChanged.connect(self._selected)

    def refresh(self) -> None:
        lines = self.table.lines()
        selected = self.table.selected() if self.table.selected is not None else ()
        if lines is not self._shown and list(lines) != list(self._shown):
            self._shown = lines
            with silent(self.widget):
                self._fill()
                for n, line in enumerate(lines):
                    self._select(n, line.key in selected)
        elif self.table.selected is not None and sorted(map(str, selected)) != sorted(map(str, self._keys())):
            with silent(self.widget):
                for n, line in enumerate(lines):
                    self._select(n, line.key in selected)

    def _fill(self) -> None:
        put(self.widget, rowCount=len(self._shown))
        for n, line in enumerate(self._shown):
            for column, text in enumerate(line.cells):
                item = qt.QTableWidgetItem(text)
                flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
                editable = column == 0 and self.table.rename is not None
                item.setFlags(flags | qt.Qt.ItemIsEditable if editable else flags)
                self.widget.setItem(n, column, item)

    def _select(self, row: int, on: bool) -> None:
        for column in range(len(self.table.columns)):
            self.widget.item(row, column).setSelected(on)

    def _keys(self) -> list:
        rows = sorted({item.row() for item in self.widget.selectedItems()})
        return [self._shown[row].key for row in rows if row < len(self._shown)]

    def _selected(self) -> None:
        assert self.table.select is not None
        self.table.select(self._keys())

    def _clicked(self, row: int, _column: int) -> None:
        assert self.table.click is not None
        self.table.click(self._shown[row].key)

    def _typed(self, item) -> None:
        if item.column() == 0 and item.row() < len(self._shown):
            assert self.table.rename is not None
            key, self._shown = self._shown[item.row()].key, []
            self.table.rename(key, item.text().strip())


def draw(part: Part, do: Do, given: Callable[[str], Any]) -> PartWidget:
    """A part as a widget.

    Args:
        do: does an action.
        given: takes a name, returns the widget of this name that the panel's file has, or None.
    """
    if isinstance(part, Action):
        return Button(part, do)
    if isinstance(part, Setting):
        field = FIELDS[part.kind]
        return field(part, given(part.name + field.suffix))
    if isinstance(part, Table):
        return TableView(part)
    if isinstance(part, Progress):
        return ProgressBar(part)
    return LogView(part) if isinstance(part, Log) else Label(part)
