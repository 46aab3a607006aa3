"""One picture of a track: frames with their points, and displacement over time with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.geometry import Grid, anatomical
from LandmarkTrackerLib.images import Cine, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Wong's palette: distinct for colour-blind readers, and bright on grey images.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2", "#FFFFFF")
BACKGROUND, PANEL, TEXT = "#1b1d21", "#24272d", "#d7dae0"
IN_IMAGE = ("the right edge", "the lower edge", "the last slice")
SHOWN_FRAMES = 6
WIDTH = 13.0  # inches
BAND = 1.645  # 90 % of a normal distribution lies within this many standard deviations


def draw_track(cine: Cine, track: Track, path: Path, clicked: int, title: str) -> None:
    """Write the overview as PNG.

    Args:
        cine: the images.
        track: frames that were visited, `numbers` saying which.
        path: the file to write.
        clicked: number of the frame in which the landmarks were shown.
        title: one line: what ran on what.
    """
    from matplotlib.figure import Figure

    axes = searched_axes(cine.grid)
    rows = telling_frames(track, clicked)
    view = left, right, top, bottom = common_view(cine.grid, track)
    tall = (bottom - top) * cine.grid.spacing[1] / ((right - left) * cine.grid.spacing[0])
    heights = (min(WIDTH / len(rows) * tall, 6.0) + 0.5, 2.0 * len(axes) + 0.4)
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), facecolor=BACKGROUND, layout="constrained")
    halves = figure.add_gridspec(2, 1, height_ratios=heights)
    upper, lower = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    for part in (upper, lower):
        part.set_facecolor(BACKGROUND)
    figure.suptitle(title, color=TEXT, fontsize=12)
    for ax, row in zip(np.atleast_1d(upper.subplots(1, len(rows))), rows, strict=True):
        number = track.numbers[row]
        draw_landmarks(ax, cine[number], track[row], view, sigma=number != clicked)
        mark = "  (clicked)" if number == clicked else ""
        ax.set_title(f"frame {number}{mark}", color=TEXT, fontsize=9)
    charts = np.atleast_1d(lower.subplots(len(axes), 1, sharex=True))
    for ax, axis in zip(charts, axes, strict=True):
        draw_displacement(ax, cine.grid, track, clicked, axis)
    unit = {"s": "time (s)", "ms": "time (ms)", "%": "phase (%)"}.get(track.time_unit, "frame")
    charts[-1].set_xlabel(unit, color=TEXT)
    charts[0].legend(
        loc="upper left",
        bbox_to_anchor=(1.005, 1.0),
        fontsize=8,
        facecolor=PANEL,
        labelcolor=TEXT,
        edgecolor=PANEL,
    )
    figure.savefig(path, dpi=110, facecolor=BACKGROUND)


def searched_axes(grid: Grid) -> tuple[int, ...]:
    """The image axes along which points can move: two in a slice, three in a volume."""
    return (0, 1) if grid.is_slice else (0, 1, 2)


def telling_frames(track: Track, clicked: int) -> list[int]:
    """Rows of the frames to show, in order: the clicked one, the farthest moved, others evenly spread."""
    home = track.numbers.index(clicked)
    with np.errstate(invalid="ignore"):
        moved = np.nan_to_num(np.linalg.norm(track.positions - track[home].positions, axis=2)).mean(axis=1)
    even = np.linspace(0, len(track) - 1, min(SHOWN_FRAMES, len(track))).round().astype(int).tolist()
    wanted = dict.fromkeys([home, int(moved.argmax()), *even])
    return sorted(list(wanted)[:SHOWN_FRAMES])


def common_view(grid: Grid, track: Track, margin: float = 0.22) -> tuple[int, int, int, int]:
    """Columns and rows (left, right, top, bottom) that hold every point of the track with room around it."""
    index = grid.to_index(track.positions.reshape(-1, 3))[:, :2]
    index = index[np.isfinite(index).all(axis=1)]
    size = np.array(grid.size[:2])
    if not len(index):
        return (0, int(size[0]), 0, int(size[1]))
    room = margin * size.max() * min(grid.spacing[:2]) / np.array(grid.spacing[:2])
    low = np.clip(np.floor(index.min(axis=0) - room), 0, size).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + room), 0, size).astype(int)
    return (int(low[0]), int(high[0]), int(low[1]), int(high[1]))


def draw_landmarks(
    ax: Axes,
    image: sitk.Image,
    landmarks: LandmarkSet,
    view: tuple[int, int, int, int] | None = None,
    sigma: bool = True,
    colours: Sequence[str] = COLOURS,
) -> None:
    """One slice with its points, their 90 % ellipses and the anatomical directions at the edges.

    Of a volume the slice through the landmarks' median is shown. Missing points are listed, never drawn.
    """
    from matplotlib.patches import Ellipse

    grid, volume = Grid.of(image), pixels(image)
    index = grid.to_index(landmarks.positions)
    there = landmarks.defined
    k = (
        int(np.clip(np.rint(np.median(index[there, 2])), 0, grid.size[2] - 1))
        if there.any()
        else grid.size[2] // 2
    )
    left, right, top, bottom = view or (0, grid.size[0], 0, grid.size[1])
    shown = volume[k]
    low, high = np.percentile(shown, (1, 99.5))
    ax.imshow(
        shown, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=grid.spacing[1] / grid.spacing[0]
    )
    for n, name in enumerate(landmarks.names):
        if not there[n]:
            continue
        colour = colours[n % len(colours)]
        ax.plot(*index[n, :2], marker="+", color=colour, markersize=9, markeredgewidth=1.6, label=name)
        if sigma and np.isfinite(landmarks.sigmas[n]).all():
            # 2.146 = radius that holds 90 % of a normal distribution in the plane
            width, height = 2 * 2.146 * landmarks.sigmas[n, :2] / np.array(grid.spacing[:2])
            ax.add_patch(
                Ellipse(tuple(index[n, :2]), width, height, fill=False, color=colour, lw=0.8, alpha=0.8)
            )
    ax.set_xlim(left - 0.5, right - 0.5)
    ax.set_ylim(bottom - 0.5, top - 0.5)
    ax.set_xticks([])
    ax.set_yticks([])
    edge_letters(ax, grid)
    lost = [name for name, ok in zip(landmarks.names, there, strict=True) if not ok]
    if lost:
        text = "missing: " + (", ".join(lost) if len(lost) <= 4 else f"{len(lost)} of {len(landmarks)}")
        ax.set_xlabel(text, color="#ff8f6b", fontsize=8)


def edge_letters(ax: Axes, grid: Grid) -> None:
    style: dict[str, Any] = {
        "color": "#9aa3b2",
        "fontsize": 7,
        "ha": "center",
        "va": "center",
        "transform": ax.transAxes,
    }
    across, down = anatomical(grid.axes[:, 0]), anatomical(grid.axes[:, 1])
    opposite = {
        "left": "R",
        "right": "L",
        "anterior": "P",
        "posterior": "A",
        "superior": "I",
        "inferior": "S",
    }
    ax.text(0.96, 0.5, across[0].upper(), **style)
    ax.text(0.04, 0.5, opposite[across], **style)
    ax.text(0.5, 0.03, down[0].upper(), **style)
    ax.text(0.5, 0.97, opposite[down], **style)


def along(grid: Grid, positions: Array, axis: int) -> Array:
    """Positions (..., 3) in mm along one axis of the image, from its first pixel."""
    return np.asarray(grid.to_index(positions)[..., axis] * grid.spacing[axis])


def draw_displacement(ax: Axes, grid: Grid, track: Track, clicked: int, axis: int) -> None:
    """Displacement of every landmark from the clicked frame along one image axis, with its 90 % band."""
    home = track.numbers.index(clicked)
    travelled = along(grid, track.positions, axis) - along(grid, track[home].positions, axis)
    band = BAND * np.stack([frame.sigmas[:, axis] for frame in track])
    times = track.times if track.time_unit != "frame" else np.array(track.numbers)
    for n, name in enumerate(track.names):
        colour = COLOURS[n % len(COLOURS)]
        ax.plot(
            times,
            travelled[:, n],
            color=colour,
            lw=1.4,
            marker="." if len(track) < 80 else None,
            ms=3,
            label=name,
        )
        ax.fill_between(
            times, travelled[:, n] - band[:, n], travelled[:, n] + band[:, n], color=colour, alpha=0.16, lw=0
        )
    ax.axvline(times[home], color=TEXT, lw=0.7, ls=":")
    ax.set_facecolor(PANEL)
    ax.grid(color="#3a3f48", lw=0.5)
    ax.tick_params(colors=TEXT, labelsize=8)
    for spine in ax.spines.values():
        spine.set_color("#3a3f48")
    # Pixels lie in no patient.
    where = anatomical(grid.axes[:, axis]) if track.length_unit == "mm" else IN_IMAGE[axis]
    ax.set_ylabel(f"toward {where} ({track.length_unit})", color=TEXT, fontsize=9)
