"""Long work that is done one step at a time, so that whoever shows it stays responsive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.notices import Notices


class Work:
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


class Runner:
    """Does one work at a time.

    Attributes:
        work: what is under way, or None.
        then: called when it has ended by itself; cancelled with it.
    """

    def __init__(self, notices: Notices) -> None:
        self.notices = notices
        self.work: Work | None = None
        self.then: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work to advance."""
        return self.work is not None

    @property
    def obstacle(self) -> str:
        """Why no other work can begin; empty if it can."""
        return _("Wait until this has finished, or cancel it.") if self.busy else ""

    @property
    def obstacle_cancel(self) -> str:
        """Why nothing can be cancelled; empty if something can."""
        return "" if self.busy else _("Nothing is running.")

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and steps in all; (0, 0) if nothing runs."""
        return (self.work.done, self.work.total) if self.work is not None else (0, 0)

    def start(self, steps: Iterator[bool], total: int) -> None:
        """Begin long work; see `Work`. What ran before is cancelled."""
        self.cancel()
        self.work = Work(steps, total)

    def expect(self, total: int) -> None:
        """The work that is under way turns out to take this many steps."""
        if self.work is not None:
            self.work.total = total

    def advance(self) -> bool:
        """Do one step of the work, for as long as one frame takes; False when there is none left."""
        if self.work is None:
            return False
        try:
            if not self.work.advance():
                self.work = None
                self.go_on()
        except InputError as error:
            self.notices.problem, self.work = str(error), None
        except BaseException:
            self.work = None
            raise
        finally:
            self.notices.notify()
        return self.busy

    def go_on(self) -> None:
        """Do what comes next, if nothing is under way."""
        if self.then is not None and not self.busy:
            then, self.then = self.then, None
            then()

    def cancel(self) -> None:
        """Stop the work and what would follow; what is done stays, and can be undone."""
        self.then = None
        if self.work is not None:
            self.work.cancel()
            self.work = None
            self.notices.notify()
