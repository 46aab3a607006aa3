"""What is done to widgets in more than one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import qt

from LandmarkTrackerLib.scene.actions import File


def put(widget, **properties) -> None:
    """Set Qt properties by name: `put(label, text="12 of 20")`."""
    for name, value in properties.items():
        widget.setProperty(name, value)


@contextmanager
def silent(widget) -> Iterator[None]:
    """What the panel itself sets is not the user's choice."""
    blocked = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(blocked)


def ask_for_file(parent, file: File) -> Path | None:
    """The file that the user picks, or None."""
    pattern = f"{file.kind} ({' '.join(f'*{suffix}' for suffix in file.suffixes)})"
    answer = qt.QFileDialog.getOpenFileName(parent, file.title, "", pattern)
    # PySide also returns the chosen filter.
    path = answer[0] if isinstance(answer, tuple) else answer
    return Path(path) if path else None
