"""The one shape of progress: what every job yields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Step(Generic[T]):
    """`done` of `total` equal parts of the work are finished.

    Attributes:
        result: what this step finished (a frame, a subject, a pair, a map); None if it finished nothing.
    """

    done: int
    total: int
    result: T | None = None


def results(steps: Iterable[Step[T]]) -> Iterator[T]:
    """What the steps finished, for callers that do not show progress."""
    for step in steps:
        if step.result is not None:
            yield step.result
