"""Do 90 % confidence ellipses hold 90 % of the true positions?

Of the expert's contours only the distance across counts. Points that were reported missing state nothing and
are left out, and so are methods that state no uncertainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tracking_picture import OTHER, STYLES

# What is drawn, and of which rows of `tracking.py` it consists.
PARTS = {
    "expert contours of the heart": ("cardiac",),
    "known motion": ("simulated",),
    "known motion, harder": ("noise", "fading", "brightness drift", "faster breath"),
}
LEVELS = np.linspace(0, 1, 51)
PRINTED = (0.5, 0.68, 0.9, 0.95)

# From a row and a method to the level that each point's truth reached, see `metrics.level_reached`.
Reached = Mapping[tuple[str, str], np.ndarray]


def held(level: np.ndarray, nominal: float) -> float:
    """Share of the truths within the ellipses that should hold `nominal` of them."""
    return float((level[np.isfinite(level)] <= nominal).mean())


def joined(reached: Reached) -> dict[tuple[str, str], np.ndarray]:
    """The same by part and method, of the methods that state an uncertainty."""
    methods = dict.fromkeys(method for (_, method), level in reached.items() if np.isfinite(level).any())
    return {
        (part, method): np.concatenate([reached[row, method] for row in rows if (row, method) in reached])
        for part, rows in PARTS.items()
        for method in methods
        if any((row, method) in reached for row in rows)
    }


def table(reached: Reached) -> list[dict[str, str]]:
    """Rows of text, as printed and as written."""
    return [
        {
            "on": part,
            "method": method,
            "points found": f"{np.isfinite(level).sum()} of {len(level)}",
            **{f"{100 * p:.0f} % ellipses hold": f"{100 * held(level, p):.0f} %" for p in PRINTED},
        }
        for (part, method), level in joined(reached).items()
    ]


def draw(reached: Reached, path: Path) -> None:
    """Write the reliability plot as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 5.8), layout="constrained")
    lines = {}
    for ax, part in zip(figure.subplots(1, len(PARTS)), PARTS, strict=True):
        lines["as stated"] = ax.plot([0, 100], [0, 100], color="#999999", ls=":")[0]
        here = {method: level for (of, method), level in joined(reached).items() if of == part}
        for method, level in here.items():
            colour, line = STYLES.get(method, OTHER)
            share = [100 * held(level, p) for p in LEVELS]
            lines[method] = ax.plot(100 * LEVELS, share, color=colour, ls=line)[0]
        ax.axvline(90, color="#cccccc", lw=0.8)
        ax.set(xlabel="ellipses should hold (%)", ylabel="truth that they hold (%)")
        ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        shares = ", ".join(f"{method} {100 * held(level, 0.9):.0f} %" for method, level in here.items())
        ax.set_title(f"{part}\n90 % ellipses hold: {shares}", fontsize=10)
        ax.grid(alpha=0.3)
    figure.suptitle(
        "Below the diagonal a method is surer than it is right, above it more cautious than need be"
    )
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=len(lines), frameon=False)
    figure.savefig(path, dpi=90)
