"""The picture of `tracking.py`: errors, undetected failures, and what a frame costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cases import Result
    from cost import Cost
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Wong's palette, distinct for colour-blind readers; the methods that users compare most get the clearest.
STYLES = {
    "no motion": ("#999999", ":"),
    "NCC": ("#E69F00", "-"),
    "Lucas-Kanade": ("#CC79A7", "-"),
    "DIS flow": ("#56B4E9", "-"),
    "DIS flow, warm": ("#56B4E9", "--"),
    "DIS flow, chained": ("#56B4E9", ":"),
    "elastix": ("#009E73", "-"),
    "TMN": ("#0072B2", "-"),
    "tracker": ("#D55E00", "-"),
}
SHARES, TIMES = (0, 1, 3, 10, 30, 100), (1, 3, 10, 30, 100, 300, 1000, 3000)
OTHER = ("#000000", "-.")
# Rows whose distribution is drawn, with the largest error shown.
DRAWN = {
    "cardiac": (8, "cardiac cine", "mm to the expert's contour"),
    "simulated": (2, "simulated motion", "pixels"),
    "liver": (2, "liver cine", "mm, superior-inferior"),
    "chest CT, 3D": (6, "simulated motion of a chest CT, 3D", "mm"),
}


def draw(results: list[Result], costs: list[Cost], path: Path) -> None:
    """Write the picture as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(19, 10), layout="constrained")
    axes = figure.subplots(2, 4)
    for ax, row in zip(axes[0], DRAWN, strict=True):
        _distribution(ax, [result for result in results if result.row == row], row)
    _silent(axes[1, 0], results)
    _frames(axes[1, 1], costs)
    _by(axes[1, 2], costs, "count", "landmarks")
    _by(axes[1, 3], costs, "size", "pixels a side of the image")
    drawn = {line.get_label(): line for ax in axes[0] for line in ax.get_lines()}
    figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=len(drawn), frameon=False)
    figure.savefig(path, dpi=90)


def _style(method: str) -> dict[str, object]:
    colour, line = STYLES.get(method, OTHER)
    return {"color": colour, "ls": line, "lw": 2.6 if method == "tracker" else 1.5}


def _distribution(ax: Axes, results: list[Result], row: str) -> None:
    reach, title, unit = DRAWN[row]
    for result in results:
        errors = np.abs(result.judged.errors[~result.judged.gone])
        found = np.sort(errors[np.isfinite(errors)])
        share = 100 * np.arange(len(found) + 1) / max(len(errors), 1)
        ax.step([0, *found], share, where="post", label=result.method, **_style(result.method))
    ax.set(xlabel=f"error ({unit})", xlim=(0, reach), ylim=(0, 100))
    ax.set_ylabel("points found within this error (%)")
    ax.set_title(title, fontsize=11)
    ax.grid(alpha=0.3)


def _silent(ax: Axes, results: list[Result]) -> None:
    """How often each method was wrong, or made a landmark up, without saying so."""
    rows = list(dict.fromkeys(result.row for result in results))
    methods = list(dict.fromkeys(result.method for result in results))
    for result in results:
        count = len(result.judged.errors)
        share = 100 * (result.summary.gross + result.made_up) / max(count, 1)
        colour, line = STYLES.get(result.method, OTHER)
        marker = {"-": "o", "--": "D", ":": "x", "-.": "s"}[line]
        beside = 0.7 * (methods.index(result.method) / len(methods) - 0.4)
        size = 8 if result.method == "tracker" else 5
        ax.plot(share, rows.index(result.row) + beside, marker, color=colour, ms=size)
    ax.set_yticks(range(len(rows)), rows)
    ax.invert_yaxis()
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks(SHARES, map(str, SHARES))
    ax.set_xlim(-0.2, 110)
    for line in range(1, len(rows)):
        ax.axhline(line - 0.5, color="#dddddd", lw=0.8)
    ax.set_xlabel("answers (%)")
    ax.set_title("undetected: off by > 5 mm, or not there at all", fontsize=11)
    ax.grid(alpha=0.3, axis="x")


def _frames(ax: Axes, costs: list[Cost]) -> None:
    """Every frame's time at the usual setting."""
    from cost import COUNT, SIZE

    usual = [cost for cost in costs if (cost.size, cost.count) == (SIZE, COUNT)]
    usual = [cost for cost in usual if cost.method != "no motion"]
    boxes = ax.boxplot(
        [cost.ms for cost in usual],
        orientation="horizontal",
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
    )
    for box, cost in zip(boxes["boxes"], usual, strict=True):
        box.set_facecolor(STYLES.get(cost.method, OTHER)[0])
    ax.set_yticks(range(1, len(usual) + 1), [cost.method for cost in usual])
    ax.invert_yaxis()
    ax.set_xscale("log")
    _times(ax.xaxis)
    ax.set_xlabel("ms (box: quartiles, whiskers: 5 % to 95 %)")
    ax.set_title(f"time a frame, {SIZE} x {SIZE}, {COUNT} landmarks", fontsize=11)
    ax.grid(alpha=0.3, axis="x")


def _by(ax: Axes, costs: list[Cost], varied: str, label: str) -> None:
    from cost import COUNT, SIZE

    fixed, value = ("size", SIZE) if varied == "count" else ("count", COUNT)
    for method in dict.fromkeys(cost.method for cost in costs if cost.method != "no motion"):
        some = [cost for cost in costs if cost.method == method and getattr(cost, fixed) == value]
        some.sort(key=lambda cost: getattr(cost, varied))
        x, y = [getattr(cost, varied) for cost in some], [cost.median for cost in some]
        ax.plot(x, y, marker="o", ms=4, **_style(method))
    ax.set(xlabel=label, ylabel="ms a frame (median)", xscale="log", yscale="log")
    ax.set_xticks(x, [str(n) for n in x])
    ax.minorticks_off()
    _times(ax.yaxis)
    what = f"{SIZE} x {SIZE} pixels" if varied == "count" else f"{COUNT} landmarks"
    ax.set_title(f"time a frame, {what}", fontsize=11)
    ax.grid(alpha=0.3)


def _times(axis: Axis) -> None:
    """Ticks of a logarithmic axis of milliseconds that read as numbers."""
    low, high = axis.get_view_interval()
    axis.set_ticks([t for t in TIMES if low <= t <= high], labels=[str(t) for t in TIMES if low <= t <= high])
    axis.set_ticks([], minor=True)
