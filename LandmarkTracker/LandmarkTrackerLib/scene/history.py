"""Undo: every change that the module makes leaves behind how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from LandmarkTrackerLib.scene.i18n import _


@dataclass
class Change:
    """One thing that the user did, in their words, and the steps that take it back, first done first."""

    label: str
    steps: list[Callable[[], None]] = field(default_factory=list)

    def undo(self) -> None:
        while self.steps:
            self.steps.pop()()


def of(names: Sequence[str]) -> str:
    """Landmarks in a label: one or two by name, more by number."""
    return ", ".join(names) if len(names) < 3 else _("{count} landmarks").format(count=len(names))


class History:
    """The changes that can be taken back, the last one first."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def begin(self, label: str) -> Change:
        """A new change, to which the steps are added while it is made."""
        self._changes.append(Change(label))
        return self._changes[-1]

    @property
    def label(self) -> str:
        """What would be taken back; empty if there is nothing."""
        return self._changes[-1].label if self._changes else ""

    def undo(self) -> str:
        """Take back the last change and return what it was."""
        change = self._changes.pop()
        change.undo()
        return change.label

    def clear(self) -> None:
        self._changes.clear()
