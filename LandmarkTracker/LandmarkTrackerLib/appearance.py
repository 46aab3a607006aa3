"""How images of different subjects differ before anything is compared: size, spacing, axes, brightness.

An image whose axes are stored in another order or direction is turned like the example's. Only whole axes are
swapped and reversed: no pixel changes its value or its place in the world. Size and spacing are the methods'
business, who work in mm, and so is brightness, which they normalise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import PERCENTILES
from LandmarkTrackerLib.geometry import Grid, anatomical
from LandmarkTrackerLib.images import is_calibrated, length_unit, pixels
from LandmarkTrackerLib.landmarks import LandmarkSet

# Two slices whose normals differ by more than this many degrees do not show the same plane of the body.
SAME_PLANE = 50.0


@dataclass(frozen=True)
class Turn:
    """How the axes of an image are to be stored.

    Attributes:
        order: which axis of the image becomes the first, the second and the third.
        reverse: whether each of these, as they are then, runs the other way.
    """

    order: tuple[int, int, int] = (0, 1, 2)
    reverse: tuple[bool, bool, bool] = (False, False, False)

    @property
    def is_none(self) -> bool:
        return self == Turn()

    def __call__(self, image: sitk.Image) -> sitk.Image:
        """The same pixels in the same place, stored in this order."""
        if self.is_none:
            return image
        turned = sitk.PermuteAxes(image, self.order)
        return turned[tuple(slice(None, None, -1 if r else 1) for r in self.reverse)]

    def back(self, found: LandmarkSet) -> LandmarkSet:
        """Landmarks of the turned image as those of the image as it was: sigma follows the axes."""
        order = np.argsort(self.order)
        return replace(found, sigmas=found.sigmas[:, order])


def turn_like(grid: Grid, reference: Grid) -> Turn:
    """What brings the axes of an image nearest to those of the reference.

    Raises:
        InputError: they are slices of different planes of the body.
    """
    directions, wanted = (np.reshape(g.direction, (3, 3)) for g in (grid, reference))
    agreement = wanted.T @ directions
    orders = [order for order in permutations(range(3)) if not grid.is_slice or order[2] == 2]
    best = max(orders, key=lambda order: sum(abs(agreement[n, axis]) for n, axis in enumerate(order)))
    along = [agreement[n, axis] for n, axis in enumerate(best)]
    if grid.is_slice and reference.is_slice and abs(along[2]) < np.cos(np.radians(SAME_PLANE)):
        across, before = (anatomical(g.axes[:, 2]) for g in (grid, reference))
        raise InputError(
            f"the slice faces {across} where the example faces {before}; give slices of the same plane"
        )
    # The side from which a slice is seen is its in-plane axes' business; its only pixel has no direction.
    reverse = tuple(bool(a < 0) and not (grid.is_slice and n == 2) for n, a in enumerate(along))
    return Turn(best, reverse)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Appearance:
    """What of an image differs from subject to subject.

    Attributes:
        grid: of the image as it is stored.
        window: its darkest and brightest value, without the last percent.
        unit: of its spacing: "mm", or "px" if it is not calibrated.
    """

    grid: Grid
    window: tuple[float, float]
    unit: str = "mm"

    @classmethod
    def of(cls, image: sitk.Image) -> Appearance:
        low, high = np.percentile(pixels(image), PERCENTILES)
        return cls(Grid.of(image), (float(low), float(high)), length_unit(is_calibrated(image)))

    def unlike(self, example: Appearance) -> str:
        """What differs from the example and is corrected for; "" if nothing does."""
        mine, theirs = self.grid, example.grid
        parts = []
        same = mine.size == theirs.size and np.allclose(mine.spacing, theirs.spacing, rtol=0.01)
        if not same or self.unit != example.unit:
            parts.append(f"{_pixels(self)}, the example {_pixels(example)}")
        turn = turn_like(mine, theirs)
        if turn.order != (0, 1, 2):
            parts.append("axes stored in another order")
        if any(turn.reverse):
            parts.append("axes stored in the other direction")
        spans = [high - low for low, high in (self.window, example.window)]
        if max(spans) > 1.5 * min(spans) or abs(self.window[0] - example.window[0]) > 0.5 * max(spans):
            parts.append(f"brightness {_range(self.window)}, the example {_range(example.window)}")
        return "; ".join(parts)


def _pixels(seen: Appearance) -> str:
    grid = seen.grid
    axes = 2 if grid.is_slice else 3
    size = " x ".join(str(n) for n in grid.size[:axes])
    if seen.unit == "px":
        return f"{size} pixels of an unknown size"
    return f"{size} pixels of {' x '.join(f'{mm:.3g}' for mm in grid.spacing[:axes])} mm"


def _range(window: tuple[float, float]) -> str:
    return f"{window[0]:.4g} to {window[1]:.4g}"
