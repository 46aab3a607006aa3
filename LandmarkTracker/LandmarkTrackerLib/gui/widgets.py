"""What several sections do to their widgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import qt


def put(widget, **properties) -> None:
    """Set Qt properties by name: `put(label, text="12 of 20")`."""
    for name, value in properties.items():
        widget.setProperty(name, value)


def offer(button, obstacle: str, purpose: str) -> None:
    """Enable a button, or say in its tool tip why it is not."""
    put(button, enabled=not obstacle, toolTip=obstacle or purpose)


@contextmanager
def silent(widget) -> Iterator[None]:
    """What the view itself sets is no wish of the user's."""
    blocked = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(blocked)


class Choices:
    """A combo box whose items come and go; what the user chose stays chosen as long as it is there."""

    def __init__(self, combo) -> None:
        self._combo = combo
        self._titles: list[str] = []

    @property
    def index(self) -> int:
        """The chosen item; -1 for none."""
        return int(self._combo.property("currentIndex"))

    def show(self, titles: Sequence[str], chosen: int | None = None) -> None:
        """Offer these; `chosen` is the index to choose, the present title if not given."""
        with silent(self._combo):
            if list(titles) != self._titles:
                kept = self._titles[self.index] if 0 <= self.index < len(self._titles) else ""
                self._combo.clear()
                for title in titles:
                    self._combo.addItem(title)
                self._titles = list(titles)
                if kept in self._titles:
                    put(self._combo, currentIndex=self._titles.index(kept))
            if chosen is not None:
                put(self._combo, currentIndex=chosen)


class Table:
    """A table that is filled anew only when its content changes."""

    def __init__(self, table, widest: int) -> None:
        """
        Args:
            widest: the column that takes the width that the others leave.
        """
        self._table = table
        self._rows: list[tuple[str, ...]] = []
        put(table.verticalHeader(), visible=False)
        put(table.verticalHeader(), defaultSectionSize=22)
        header = table.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(widest, qt.QHeaderView.Stretch)

    def show(self, rows: Sequence[tuple[str, ...]], editable: int | None = None) -> None:
        """Show these rows; the column `editable` can be typed into."""
        if list(rows) == self._rows:
            return
        self._rows = list(rows)
        with silent(self._table):
            put(self._table, rowCount=len(self._rows))
            for r, row in enumerate(self._rows):
                for c, text in enumerate(row):
                    item = qt.QTableWidgetItem(text)
                    flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
                    item.setFlags(flags | qt.Qt.ItemIsEditable if c == editable else flags)
                    self._table.setItem(r, c, item)

    def forget(self) -> None:
        """What is shown was changed by the user: fill it anew the next time."""
        self._rows = []


def ask_for_file(parent, title: str, pattern: str) -> Path | None:
    """The file that the user picks, or None."""
    answer = qt.QFileDialog.getOpenFileName(parent, title, "", pattern)
    # PySide also returns the chosen filter.
    path = answer[0] if isinstance(answer, tuple) else answer
    return Path(path) if path else None
