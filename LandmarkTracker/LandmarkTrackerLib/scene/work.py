"""Long work that is done one step at a time, so that whoever shows it stays responsive."""

from __future__ import annotations

import time
from collections.abc import Iterator

from LandmarkTrackerLib.scene.i18n import _


class Task:
    """Work that is under way.

    Attributes:
        done: finished steps.
        total: steps in all.
    """

    def __init__(self, steps: Iterator[bool], total: int) -> None:
        """
        Args:
            steps: does a step whenever it is asked for the next value: True for a finished frame or image,
                False for preparation, which is not counted.
            total: how many values will be True.
        """
        self.done, self.total = 0, total
        self._steps = steps
        self._seconds = 0.0

    def advance(self) -> bool:
        """Do one step; False when there is none left. What the step raises comes through."""
        begin = time.perf_counter()
        counts = next(self._steps, None)
        if counts:
            self.done += 1
            self._seconds += time.perf_counter() - begin
        return counts is not None

    def cancel(self) -> None:
        """Stop; what is done stays."""
        self._steps.close()  # type: ignore[attr-defined]

    @property
    def text(self) -> str:
        """Count and estimate, for the user."""
        if not self.done:
            return _("Preparing")
        left = self._seconds / self.done * (self.total - self.done)
        return _("{done} of {total}, about {seconds} s left").format(
            done=self.done, total=self.total, seconds=max(1, round(left)) if self.done < self.total else 0
        )
