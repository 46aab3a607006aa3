"""Displacement over time as a drawing for the page; with uncertainty for one or two landmarks."""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence

import numpy as np

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.sections.review import Displacement

# Readable on black and distinguishable for everybody (Okabe and Ito 2008).
COLOURS = ("#56b4e9", "#e69f00", "#2fbf91", "#e39ac6", "#f0e442", "#d55e00", "#c8cdd2")
WIDTH, HEIGHT = 908, 170
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 26, 34


def places(times: Sequence[float] | Array) -> Array:
    """(T,) where each frame is on the drawing, as a part of its width."""
    since = np.asarray(times, float) - times[0]
    return (LEFT + since / max(since[-1], 1e-9) * (WIDTH - LEFT - RIGHT)) / WIDTH


def draw(curves: Sequence[Displacement], unit: str, length_unit: str = "mm") -> str:
    """The chart as SVG; empty if there is nothing to draw.

    Args:
        unit, length_unit: of times and of distances.
    """
    known = [curve for curve in curves if np.isfinite(curve.mm).any()]
    if not known:
        return ""
    bands = len(known) <= 2
    top = _nice(max(np.nanmax(c.mm + (c.sigma_mm if bands else 0)) for c in known), (1.5, 3, 6, 9, 15))
    across = places(known[0].times) * WIDTH

    def up(mm: Array) -> Array:
        return HEIGHT - BOTTOM - np.clip(mm, 0, top) / top * (HEIGHT - TOP - BOTTOM)

    parts = [_axes(known[0].times, unit, top)]
    for curve, colour in zip(known, itertools.cycle(COLOURS), strict=False):
        for run in _runs(curve.mm):
            x, y = across[run], curve.mm[run]
            if bands:
                low, high = up(y - curve.sigma_mm[run]), up(y + curve.sigma_mm[run])
                edge = _points(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]))
                parts.append(f'<polygon points="{edge}" fill="{colour}" opacity="0.22"/>')
            parts.append(
                f'<polyline points="{_points(x, up(y))}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
            )
            if len(x) == 1:
                parts.append(f'<circle cx="{x[0]:.1f}" cy="{up(y)[0]:.1f}" r="2.5" fill="{colour}"/>')
    parts.append(_legend([curve.name for curve in known], bands, length_unit))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" font-family="inherit" '
        f'font-size="11" fill="#aab3bd">{"".join(parts)}</svg>'
    )


def _axes(times: Array, unit: str, top: float) -> str:
    parts = []
    for mm in np.linspace(0, top, 4):
        y = HEIGHT - BOTTOM - mm / top * (HEIGHT - TOP - BOTTOM)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#2b3037"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mm:.3g}</text>')
    span = max(float(times[-1] - times[0]), 1e-9)
    step = _nice(span / 8)
    for time in np.arange(np.ceil(times[0] / step), np.floor(times[-1] / step) + 1) * step:
        x = LEFT + (time - times[0]) / span * (WIDTH - LEFT - RIGHT)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{time:g}</text>')
    middle, across = (LEFT + WIDTH - RIGHT) / 2, _("time ({unit})").format(unit=unit)
    parts.append(f'<text x="{middle}" y="{HEIGHT - 5}" text-anchor="middle">{html.escape(across)}</text>')
    return "".join(parts)


def _legend(names: Sequence[str], bands: bool, unit: str) -> str:
    title = _("Distance from where it was placed ({unit})").format(unit=unit)
    title += _(", ± 1 SD") if bands else ""
    parts, x = [f'<text x="{LEFT}" y="14" fill="#dfe3e8">{title}</text>'], LEFT + 300
    for name, colour in zip(names, itertools.cycle(COLOURS), strict=False):
        parts.append(f'<rect x="{x}" y="6" width="12" height="8" fill="{colour}"/>')
        parts.append(f'<text x="{x + 16}" y="14">{html.escape(name)}</text>')
        x += 32 + 7 * len(name)
    return "".join(parts)


def _nice(least: float, steps: Sequence[float] = (1, 2, 5, 10)) -> float:
    """The next number above of those that read well: these steps times a power of ten."""
    if not least > 0:
        return steps[0]
    size = 10 ** np.floor(np.log10(least))
    return float(next(step * size for step in steps if step * size >= least))


def _runs(values: Array) -> list[slice]:
    """Stretches without a gap: a line is not drawn where a landmark is missing."""
    there = np.flatnonzero(np.diff(np.concatenate([[0], np.isfinite(values), [0]])))
    return [slice(int(a), int(b)) for a, b in there.reshape(-1, 2)]


def _points(x: Array, y: Array) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
