"""One picture of the points that two scans share, for a person to judge them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.overview import BACKGROUND, TEXT, edge_letters
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.warping import checkerboard, warp

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = 3  # of a volume
PANEL_INCHES = 4.4


@dataclass(frozen=True)
class Level:
    """What of the two scans is shown side by side.

    Attributes:
        fixed, moving: slice numbers.
        rows: of the pairs, that lie near both slices.
    """

    fixed: int
    moving: int
    rows: np.ndarray


def draw_pairs(fixed: sitk.Image, moving: sitk.Image, pairs: LandmarkPairs, path: Path, title: str) -> None:
    """Write the overview as PNG.

    Points of a pair have the same colour, which changes smoothly over the fixed scan: where a colour is out
    of place in the moving scan, its pair is wrong. The checkerboards show both scans before and after the
    moving one is warped by the pairs. Of a volume, three levels are shown.
    """
    from matplotlib.figure import Figure

    levels = telling_levels(Grid.of(fixed), Grid.of(moving), pairs)
    figure = Figure(
        figsize=(4 * PANEL_INCHES, len(levels) * PANEL_INCHES + 0.5),
        facecolor=BACKGROUND,
        layout="constrained",
    )
    figure.suptitle(title, color=TEXT, fontsize=12)
    boards = _boards(fixed, moving, pairs)
    colours = colours_by_place(Grid.of(fixed), pairs.fixed)
    panels = np.atleast_2d(figure.subplots(len(levels), 4))
    here, there = grey_window(fixed), grey_window(moving)
    for row, level in zip(panels, levels, strict=True):
        some = colours[level.rows]
        _draw_scan(row[0], fixed, level.fixed, here, pairs.fixed[level.rows], some)
        _draw_scan(row[1], moving, level.moving, there, pairs.moving[level.rows], some)
        for ax, board in zip(row[2:], boards, strict=True):
            _draw_slice(ax, board, level.fixed, here)
    counts = [f"{len(level.rows)} of {len(pairs)} pairs" if len(levels) > 1 else "" for level in levels]
    for ax, name in zip(
        panels[0], ("fixed", "moving", "both, as they are", "both, warped by the pairs"), strict=True
    ):
        ax.set_title(name, color=TEXT, fontsize=10)
    for ax, count in zip(panels[:, 0], counts, strict=True):
        ax.set_xlabel(count, color=TEXT, fontsize=8)
    figure.savefig(path, dpi=100, facecolor=BACKGROUND)


def telling_levels(fixed: Grid, moving: Grid, pairs: LandmarkPairs) -> list[Level]:
    """The slices to show, each with the pairs within a few mm of it in both scans."""
    k_fixed, k_moving = fixed.to_index(pairs.fixed)[:, 2], moving.to_index(pairs.moving)[:, 2]
    if fixed.is_slice:
        return [Level(0, 0, np.arange(len(pairs)))]
    slab = max(fixed.spacing[2], moving.spacing[2], 4.0)
    levels = []
    for k in np.quantile(k_fixed, np.linspace(0, 1, LEVELS + 2)[1:-1]).round():
        near = np.abs(k_fixed - k) * fixed.spacing[2] <= slab
        partner = float(np.median(k_moving[near])) if near.any() else k_moving.mean()
        near &= np.abs(k_moving - partner) * moving.spacing[2] <= 2 * slab
        levels.append(Level(int(k), round(partner), np.flatnonzero(near)))
    return levels


def colours_by_place(grid: Grid, points: Array) -> Array:
    """(N, 3) red, green, blue: the hue goes around the middle of the points, and is pale there."""
    across = grid.to_index(points)[:, :2] * np.array(grid.spacing[:2])
    across = across - across.mean(axis=0)
    far = np.linalg.norm(across, axis=1)
    hue = np.arctan2(across[:, 1], across[:, 0]) / (2 * np.pi) % 1.0
    pale = far / max(float(far.max()), 1e-9)
    return np.array([colorsys.hsv_to_rgb(h, 0.25 + 0.75 * s, 1.0) for h, s in zip(hue, pale, strict=True)])


def _boards(fixed: sitk.Image, moving: sitk.Image, pairs: LandmarkPairs) -> tuple[sitk.Image, sitk.Image]:
    """Checkerboards of the scans as they lie, and warped as far as the pairs allow it."""
    low = float(pixels(moving).min())
    as_it_lies = sitk.Resample(moving, fixed, sitk.Transform(), sitk.sitkLinear, low, sitk.sitkFloat32)
    if Grid.of(fixed).is_slice:
        as_it_lies = _laid_on(fixed, moving, low)
    try:
        warped = warp(fixed, moving, pairs)
    except InputError:
        warped = as_it_lies
    return checkerboard(fixed, as_it_lies), checkerboard(fixed, warped)


def _laid_on(fixed: sitk.Image, moving: sitk.Image, low: float) -> sitk.Image:
    """A slice laid on another one middle on middle: their planes need not meet in space."""
    here, there = Grid.of(fixed), Grid.of(moving)
    centred = sitk.GetImageFromArray(pixels(moving))
    origin = -(np.array(there.size) - 1) / 2 * np.array(there.spacing)
    centred.SetSpacing(there.spacing)
    centred.SetOrigin(origin.tolist())
    target = sitk.Image(here.size, sitk.sitkFloat32)
    target.SetSpacing((*here.spacing[:2], there.spacing[2]))
    target.SetOrigin((-(np.array(here.size) - 1) / 2 * np.array(here.spacing)).tolist())
    laid = sitk.Resample(centred, target, sitk.Transform(), sitk.sitkLinear, low)
    laid.CopyInformation(fixed)
    return laid


def _draw_scan(
    ax: Axes, image: sitk.Image, k: int, window: tuple[float, float], points: Array, colours: Array
) -> None:
    _draw_slice(ax, image, k, window)
    index = Grid.of(image).to_index(points)
    ax.scatter(index[:, 0], index[:, 1], s=9, c=colours, linewidths=0)


def grey_window(image: sitk.Image) -> tuple[float, float]:
    """Grey values to show as black and white: from the background to nearly all of what is bright.

    The very lowest value is what scanners write where they did not measure.
    """
    values = pixels(image)
    values = values[values > values.min()] if np.ptp(values) else values
    low = float(np.percentile(values, 5))
    bright = values[values > values.mean()]
    high = float(np.percentile(bright, 97)) if bright.size else low
    return low, max(high, low + 1e-6)


def _draw_slice(ax: Axes, image: sitk.Image, k: int, window: tuple[float, float]) -> None:
    grid, values = Grid.of(image), pixels(image)[k]
    aspect = grid.spacing[1] / grid.spacing[0]
    ax.imshow(values, cmap="gray", vmin=window[0], vmax=window[1], aspect=aspect)
    ax.set_xlim(-0.5, values.shape[1] - 0.5)
    ax.set_ylim(values.shape[0] - 0.5, -0.5)
    ax.set_xticks([])
    ax.set_yticks([])
    edge_letters(ax, grid)
