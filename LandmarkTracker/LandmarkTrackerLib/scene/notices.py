"""What the front ends are told: that something changed, what could not be done, what was done."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import vtk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.i18n import _


class Notices:
    """
    Attributes:
        changed: a vtkObject; its ModifiedEvent says that there is something new to show.
        problem: what the last action could not do, in a sentence; empty if it could.
        report: what the last action did, where that is not seen in the views.
        before: called before the front ends hear of a change: what they show is brought up to date here.
    """

    def __init__(self) -> None:
        self.changed = vtk.vtkObject()
        self.problem = self.report = ""
        self.before: list[Callable[[], None]] = []

    def notify(self) -> None:
        """Tell the front ends."""
        for refresh in self.before:
            refresh()
        self.changed.Modified()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """While an action of the user's is done: what it cannot do becomes the problem."""
        self.problem = self.report = ""
        try:
            yield
        except InputError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = _("{file}: {reason}; choose another folder or file").format(
                file=error.filename, reason=error.strerror
            )
        finally:
            self.notify()


def reported(action: Callable[..., None]) -> Callable[..., None]:
    """An action of a section, which has its `Context` as `context`."""

    @functools.wraps(action)
    def run(section: Any, *args: Any, **kwargs: Any) -> None:
        with section.context.notices.acting():
            action(section, *args, **kwargs)

    return run
