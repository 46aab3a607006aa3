"""Several images with their landmarks in one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.evaluation.overview import BACKGROUND, COLOURS, TEXT
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 12
SHOWN_EXAMPLES = 2
COLUMNS = 4
# Names beside the points are readable for so many.
LABELLED = 12

Tile = tuple[str, Callable[[], sitk.Image], LandmarkSet]


def draw_detections(path: Path, found: Sequence[Tile], examples: Sequence[Tile] = ()) -> None:
    """Up to twelve images, evenly chosen, with what was found in them; the first examples lead.

    Args:
        found, examples: name, how to read the image, landmarks.
    """
    shown = list(examples[:SHOWN_EXAMPLES])
    room = min(SHOWN - len(shown), len(found))
    rows = np.linspace(0, len(found) - 1, room).round().astype(int)
    tiles = shown + [found[row] for row in rows]

    def draw(ax: Axes, number: int) -> None:
        name, read, landmarks = tiles[number]
        example = number < len(shown)
        draw_points(ax, read(), landmarks)
        _caption(ax, f"{name} (example)" if example else name, "" if example else _missing(landmarks))

    _picture(path, len(tiles), draw)


def draw_worst(path: Path, cases: Sequence[tuple[str, sitk.Image, LandmarkSet, LandmarkSet, float]]) -> None:
    """Images with truth (circles) and answers (crosses), joined by lines.

    Args:
        cases: name, image, truth, found, image-specific error in mm.
    """

    def draw(ax: Axes, number: int) -> None:
        name, image, truth, found, error = cases[number]
        draw_points(ax, image, found, truth)
        _caption(
            ax, name + (f": {error:.2f} mm" if np.isfinite(error) else ": nothing found"), _missing(found)
        )

    _picture(path, len(cases), draw)


def draw_points(ax: Axes, image: sitk.Image, found: LandmarkSet, truth: LandmarkSet | None = None) -> None:
    """A slice, or of a volume its brightest values along the axis on which its landmarks spread least.

    Found landmarks are crosses, with a circle of two standard deviations; true ones are rings.
    """
    grid, volume = Grid.of(image), pixels(image)
    index = grid.to_index(found.positions)
    true_index = None if truth is None else grid.to_index(truth.select(found.names).positions)
    across, down, through = _view(grid, index)
    plane = volume.transpose(2, 1, 0).max(axis=through)
    plane = plane.T if across < down else plane
    low, high = np.percentile(plane, (1, 99.5))
    ax.imshow(
        plane,
        cmap="gray",
        vmin=low,
        vmax=max(high, low + 1e-6),
        aspect=grid.spacing[down] / grid.spacing[across],
    )
    for n, name in enumerate(found.names):
        colour: dict[str, Any] = {"color": COLOURS[n % len(COLOURS)]}
        here = index[n, [across, down]]
        if true_index is not None:
            there = true_index[n, [across, down]]
            ax.plot(*there, marker="o", markersize=5, markerfacecolor="none", markeredgewidth=0.8, **colour)
            ax.plot(*zip(here, there, strict=True), lw=0.7, **colour)
        ax.plot(*here, marker="+", markersize=6, markeredgewidth=1.1, **colour)
        if truth is None and found.defined[n]:
            _circle(ax, here, 2 * found.sigma_mm[n] / grid.spacing[across], colour)
        if len(found) <= LABELLED and found.defined[n]:
            ax.annotate(name, tuple(here), xytext=(4, 4), textcoords="offset points", fontsize=5.5, **colour)
    shown = index if true_index is None else np.vstack([index, true_index])
    pitch = np.array(grid.spacing)[[across, down]]
    (left, top), (right, bottom) = _window(shown[:, [across, down]], np.array(plane.shape[::-1]), pitch)
    ax.set_xlim(left, right)
    # The slices of a volume run upwards.
    ax.set_ylim(*((top, bottom) if down == 2 else (bottom, top)))


def draw_cumulative(path: Path, curves: Sequence[tuple[str, Array]], unit: str = "mm") -> None:
    """The share of images below an image-specific error (figures 5 to 9 of the SCN paper).

    Args:
        curves: label and (M,) image-specific errors; NaN where nothing was found counts as never reached.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    ax = figure.subplots()
    finite = np.concatenate([errors[np.isfinite(errors)] for _, errors in curves])
    end = float(finite.max()) * 1.05 if len(finite) else 1.0
    for n, (label, errors) in enumerate(curves):
        reached = np.sort(errors[np.isfinite(errors)])
        share = np.arange(len(reached) + 1) / max(len(errors), 1)
        colour = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")[n % 5]
        ax.step([0, *reached, end], [*share, share[-1]], where="post", label=label, color=colour)
    ax.set_xlabel(f"image-specific point-to-point error ({unit})")
    ax.set_ylabel("share of images")
    ax.set_ylim(0, 1.02)
    ax.set_xlim(0, end)
    ax.grid(color="#dddddd", lw=0.5)
    if len(curves) > 1:
        ax.legend()
    figure.savefig(path, dpi=110, format="png")


def _view(grid: Grid, index: Array) -> tuple[int, int, int]:
    """Image axes that run across, down and through the picture."""
    if grid.is_slice:
        return 0, 1, 2
    spread = np.nanstd(index, axis=0) if np.isfinite(index).any() else np.array([1.0, 1.0, 0.0])
    through = int(np.argmin(spread * np.array(grid.spacing)))
    across, down = (axis for axis in range(3) if axis != through)
    return across, down, through


def _window(index: Array, size: Array, pitch: Array) -> tuple[Array, Array]:
    """First and last corner of what is shown: a square (mm) that holds the landmarks with room around them.

    Args:
        index: (N, 2); NaN where missing. All is shown if all are.
        size: (2,) pixels of the picture.
        pitch: (2,) mm.
    """
    index = index[np.isfinite(index).all(axis=1)]
    if not len(index):
        return np.full(2, -0.5), size - 0.5
    low, high = index.min(axis=0), index.max(axis=0)
    half = max(2.2 * float(((high - low) * pitch).max()), 0.3 * float((size * pitch).max())) / 2
    middle = (low + high) / 2
    return np.maximum(middle - half / pitch, -0.5), np.minimum(middle + half / pitch, size - 0.5)


def _missing(landmarks: LandmarkSet) -> str:
    lost = [n for n, ok in zip(landmarks.names, landmarks.defined, strict=True) if not ok]
    some = ", ".join(lost) if len(lost) <= 3 else f"{len(lost)} of {len(landmarks)}"
    return f"missing: {some}" if lost else ""


def _circle(ax: Axes, centre: Array, radius: float, colour: dict[str, Any]) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(
        Circle((float(centre[0]), float(centre[1])), radius, fill=False, lw=0.6, alpha=0.8, **colour)
    )


def _caption(ax: Axes, title: str, below: str) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(title, color=TEXT, fontsize=7)
    ax.set_xlabel(below, color="#ff8f6b", fontsize=7)


def _picture(path: Path, count: int, draw: Callable[[Axes, int], None]) -> None:
    from matplotlib.figure import Figure

    columns = min(COLUMNS, max(count, 1))
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(3.2 * columns, 3.3 * rows), facecolor=BACKGROUND, layout="constrained")
    for number, ax in enumerate(np.atleast_1d(figure.subplots(rows, columns)).flat):
        if number < count:
            draw(ax, number)
        else:
            ax.axis("off")
    figure.savefig(path, dpi=120, facecolor=BACKGROUND, format="png")
