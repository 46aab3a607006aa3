"""Figures 5 and 6: error by patch size, and by the number of examples."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reproduce_tmn import paper
from reproduce_tmn.paper import Figures
from reproduce_tmn.result import Result
from reproduce_tmn.tables import METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The paper's colours of Fig. 6, from Wong's palette.
COLOURS = {
    "tmn": "#0072B2",
    "simclr": "#E69F00",
    "pretrained": "#009E73",
    "supervised": "#D55E00",
    "same-place": "#888888",
}
PANELS = (("template", "template matching"), ("cyclic", "cross-image matching"), ("", "landmark matching"))


def by_patch(figures: Mapping[int, Figures]) -> bytes:
    """Fig. 5 as PNG, from the side of the patch (px) to its figures."""
    figure, panels = _figure(3)
    sides = sorted(figures)
    for ax, (kind, title) in zip(panels, PANELS, strict=True):
        key = f"{kind}_mean" if kind else "mean"
        known = [side for side in sides if key in figures[side]]
        ax.plot(known, [figures[side][key] for side in known], "o-", color=COLOURS["tmn"], ms=5, lw=1.6)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("side of the patch (px)")
        ax.set_xticks(sides)
        ax.set_ylim(0, 1.15 * max((figures[side][key] for side in known), default=1.0))
    panels[0].set_ylabel("mean error (px)")
    return _png(figure)


def by_examples(methods: Mapping[str, Result], counts: Sequence[int], side: int) -> bytes:
    """Fig. 6 as PNG. In shares of the image's side, as the paper's images are of another size."""
    figure, (ax,) = _figure(1)
    for method, result in methods.items():
        colour = COLOURS[method]
        found = {count: result.figures(count) for count in counts}
        known = [count for count in counts if found[count]]
        mean, low, high = (
            [100 * found[count][key] / side for count in known] for key in ("mean", "lowest", "highest")
        )
        ax.plot(known, mean, "o-", color=colour, ms=5, lw=1.6, label=METHODS[method])
        ax.fill_between(known, low, high, color=colour, alpha=0.15, lw=0)
        theirs = {count: value for (name, count), value in paper.EXAMPLES.items() if name == method}
        ax.plot(
            list(theirs),
            [100 * value / paper.SIDE for value in theirs.values()],
            ls="none",
            marker="D",
            ms=5,
            mfc="none",
            mec=colour,
        )
    ax.plot([], [], ls="none", marker="D", ms=5, mfc="none", mec="#555555", label="the paper, chest X-ray")
    ax.set_xscale("log")
    ticks = sorted({*counts, *(count for _, count in paper.EXAMPLES)})
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set_xlabel("examples")
    ax.set_ylabel("mean error (% of the image's side)")
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8, frameon=False)
    return _png(figure)


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.0) if panels > 1 else (7.0, 4.0), layout="constrained")
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    for ax in axes:
        ax.grid(color="#dddddd", lw=0.5)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, dpi=110, format="png")
    return file.getvalue()
