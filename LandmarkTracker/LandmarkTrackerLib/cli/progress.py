"""Progress with a count and an estimate on stderr, under tqdm or, as inside Slicer, without it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from LandmarkTrackerLib.step import Step

T = TypeVar("T")


def progress(
    steps: Iterable[Step[T]], what: str, state: Callable[[Step[T]], str] | None = None
) -> Iterator[Step[T]]:
    """Pass `steps` through while showing how much is done and how long the rest will take.

    What was finished before the first step says nothing of how fast it goes on, and does not count.

    Args:
        what: is done, for the line.
        state: of the work after a step, to show behind the estimate.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        yield from _plain(steps, what)
        return
    # tqdm is silent when stderr is a file only if told so; a log is kept short by a long interval.
    pause = 0.2 if sys.stderr.isatty() else 5.0
    with tqdm(desc=what, unit="", file=sys.stderr, mininterval=pause) as bar:
        for step in steps:
            if bar.total is None:
                bar.total, bar.initial = step.total, max(step.done - 1, 0)
                bar.n = bar.last_print_n = bar.initial
            bar.total = step.total
            if state is not None:
                bar.set_postfix_str(state(step), refresh=False)
            bar.update(step.done - bar.n)
            yield step


def say(line: str) -> None:
    """A line on stderr that does not damage the progress."""
    try:
        from tqdm import tqdm
    except ImportError:
        print(line, file=sys.stderr, flush=True)
    else:
        tqdm.write(line, file=sys.stderr)


def _plain(steps: Iterable[Step[T]], what: str) -> Iterator[Step[T]]:
    print(f"{what}: preparing", file=sys.stderr, flush=True)
    began, shown, first = time.monotonic(), 0.0, -1
    for step in steps:
        first = max(step.done - 1, 0) if first < 0 else first
        yield step
        elapsed = time.monotonic() - began
        if step.done > first and (step.done == step.total or elapsed - shown > 2):
            shown, left = elapsed, elapsed / (step.done - first) * (step.total - step.done)
            print(
                f"{what}: {step.done} of {step.total}, about {left:.0f} s left", file=sys.stderr, flush=True
            )
