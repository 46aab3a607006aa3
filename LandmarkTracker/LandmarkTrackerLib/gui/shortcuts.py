"""Keys that work while the module is open, and only then."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt
import slicer

from LandmarkTrackerLib.gui.widgets import put


class Shortcuts:
    """Created in the module's `enter`, removed in its `exit`."""

    def __init__(self, actions: Mapping[str, Callable[[], object]]) -> None:
        self._actions = actions
        self._shortcuts: list = []

    def create(self, parent) -> None:
        """Let the keys act in Slicer's main window, or in `parent` where there is none."""
        if self._shortcuts:
            return
        for keys, action in self._actions.items():
            shortcut = qt.QShortcut(qt.QKeySequence(keys), slicer.util.mainWindow() or parent)
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)

    def remove(self) -> None:
        """Take the keys away again."""
        for shortcut in self._shortcuts:
            put(shortcut, enabled=False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []
