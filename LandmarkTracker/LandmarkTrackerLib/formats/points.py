"""What the landmark formats share: points as they are read, and the way between LPS and RAS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import Array, LandmarkSet

# What takes a position in the named system to LPS, and back.
TO_LPS = {"LPS": np.array([1.0, 1.0, 1.0]), "RAS": np.array([-1.0, -1.0, 1.0])}
NOWHERE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Point:
    """One row of a landmark file.

    Attributes:
        position: (3,) in the file's coordinate system; None where the landmark is missing.
        sigma: mm, one number or (3,) along the image's axes; 0 for a point that was clicked.
    """

    name: str
    position: ArrayLike | None
    sigma: ArrayLike = 0.0
    score: float = 1.0


def landmark_set(path: Path, points: Sequence[Point], system: str = "LPS") -> LandmarkSet:
    """The landmarks of a file.

    Raises:
        InputError: naming the file: it holds no landmark, two of one name, or one at no finite position.
    """
    if not points:
        raise InputError(f"{path} holds no landmark; place at least one control point and save it again")
    positions = np.array([NOWHERE if p.position is None else p.position for p in points], dtype=float)
    try:
        return LandmarkSet(
            tuple(p.name for p in points),
            positions * TO_LPS[system],
            np.array([np.broadcast_to(p.sigma, 3) for p in points], dtype=float),
            np.array([p.score for p in points], dtype=float),
            np.array([p.position is not None for p in points], dtype=bool),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def in_system(position: Array, system: str) -> list[float]:
    """An LPS position (3,) in the named system; zeros without a sign, as people write them."""
    return [float(x) + 0.0 for x in position * TO_LPS[system]]


def coordinate_system(path: Path, text: str) -> str:
    """ "LPS" or "RAS", from these words or from the numbers that old files hold.

    Raises:
        InputError: it is neither.
    """
    system = {"0": "RAS", "1": "LPS"}.get(text.strip(), text.strip().upper())
    if system not in TO_LPS:
        raise InputError(f"{path} is in coordinate system '{text.strip()}'; save it in LPS or RAS")
    return system
