"""Undo: every change that the module makes leaves behind how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

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


def what_changed(before, after, placed: Sequence[str]) -> str:
    """What the user did, in a few words."""
    if placed:
        return _("place {names}").format(names=of(placed))
    if len(after.names) < len(before.names):
        gone = [name for name in before.names if name not in after.names]
        return _("remove {names}").format(names=of(gone))
    if after.names != before.names:
        return _("name landmarks")
    return _("clear a position")


class History:
    """The changes that can be taken back, the last one first."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def begin(self, label: str) -> Change:
        """A new change, to which the steps are added while it is made."""
        self._changes.append(Change(label))
        return self._changes[-1]

    def change(self, subject, record, label: str) -> None:
        """Let a subject show another record, so that it can be undone."""
        self.begin(label).steps.append(partial(subject.show, subject.record))
        subject.show(record)

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
