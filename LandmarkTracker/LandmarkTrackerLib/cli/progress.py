"""Progress with a count and an estimate on stderr, under tqdm or, as inside Slicer, without it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass `items` through while showing how many of `total` are done and how long the rest will take."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield from _plain(items, total, what)
    else:
        # tqdm is silent when stderr is a file only if told so; a log is kept short by a long interval.
        yield from tqdm(
            items,
            total=total,
            desc=what,
            unit="",
            file=sys.stderr,
            mininterval=0.2 if sys.stderr.isatty() else 5.0,
        )


def _plain(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    began, shown = time.monotonic(), 0.0
    for done, item in enumerate(items, start=1):
        yield item
        elapsed = time.monotonic() - began
        if done == total or elapsed - shown > 2:
            shown, left = elapsed, elapsed / done * (total - done)
            print(f"{what}: {done} of {total}, about {left:.0f} s left", file=sys.stderr, flush=True)
