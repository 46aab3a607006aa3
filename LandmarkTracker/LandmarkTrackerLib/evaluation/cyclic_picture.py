"""Figure 4 of Frueh et al. 2022 for any images: where patches are found again, and where the method knew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.evaluation.cyclic import ErrorMap
from LandmarkTrackerLib.evaluation.overview import BACKGROUND, PANEL, TEXT
from LandmarkTrackerLib.field import normalised
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 4
BINS = 8


def draw_trust(path: Path, cases: Sequence[tuple[str, sitk.Image, ErrorMap, ErrorMap]]) -> None:
    """A row an image: the image; template error, its sigma, mean and SD of the cyclic error; error by sigma.

    Args:
        cases: name, image, template matching, cyclic error. The first four are shown.
    """
    from matplotlib.figure import Figure

    cases = cases[:SHOWN]
    figure = Figure(figsize=(16.0, 3.1 * len(cases) + 0.5), facecolor=BACKGROUND, layout="constrained")
    rows = np.reshape(figure.subplots(len(cases), 6, width_ratios=(1, 1, 1, 1, 1, 1.1)), (-1, 6))
    for axes, (name, image, template, cyclic) in zip(rows, cases, strict=True):
        end = scale_end(cyclic.mean[cyclic.body])
        aspect = image.GetSpacing()[1] / image.GetSpacing()[0]
        axes[0].imshow(normalised(pixels(image)[0]), cmap="gray", aspect=aspect)
        axes[0].set_ylabel(name, color=TEXT, fontsize=8)
        maps = (
            ("template error", template.mean),
            ("sigma of template", template.mean_sigma),
            ("cyclic error, mean", cyclic.mean),
            ("cyclic error, SD", cyclic.sd),
        )
        for ax, (title, values) in zip(axes[1:5], maps, strict=True):
            shown = ax.imshow(values, cmap="turbo", vmin=0, vmax=end, aspect=aspect)
            ax.set_title(f"{title} (mm)", color=TEXT, fontsize=9)
        bar = figure.colorbar(shown, ax=axes[4], shrink=0.85)
        bar.ax.tick_params(colors=TEXT, labelsize=7)
        for ax in axes[:5]:
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_facecolor(PANEL)
        draw_error_by_sigma(axes[5], cyclic)
        axes[5].set_box_aspect(1)
    figure.savefig(path, dpi=100, facecolor=BACKGROUND, format="png")


def scale_end(values: Array) -> float:
    """A round number of mm, 1, 2 or 5 times a power of ten, that nine tenths of the values stay below."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 1.0
    wanted = max(float(np.quantile(finite, 0.9)), 1e-3)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(n * power for n in (1, 2, 5, 10) if n * power >= wanted))


def error_by_sigma(errors: ErrorMap) -> tuple[Array, Array]:
    """Mean sigma and mean error (mm) of as many pixels in each of `BINS`, from the most certain on."""
    error, sigma = (values[:, errors.body].ravel() for values in (errors.errors, errors.sigma))
    known = np.isfinite(error) & np.isfinite(sigma)
    order = np.argsort(sigma[known])
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    pair = [(sigma[known][part].mean(), error[known][part].mean()) for part in parts]
    return np.array([s for s, _ in pair]), np.array([e for _, e in pair])


def draw_error_by_sigma(ax: Axes, errors: ErrorMap) -> None:
    """What the method expected against what happened; on the line both are alike."""
    sigma, error = error_by_sigma(errors)
    ax.set_facecolor(PANEL)
    ax.plot(sigma, error, "o-", color="#56B4E9", ms=4, lw=1.2)
    if len(sigma):
        end = 1.1 * max(float(sigma.max()), float(error.max()))
        # The mean distance of a Gaussian of two axes is 1.25 times its standard deviation.
        ax.plot([0, end], [0, 1.2533 * end], color=TEXT, lw=0.7, ls=":")
        ax.set_xlim(0, end)
        ax.set_ylim(0, end)
    ax.set_xlabel("stated sigma (mm)", color=TEXT, fontsize=8)
    ax.set_ylabel("cyclic error (mm)", color=TEXT, fontsize=8)
    ax.tick_params(colors=TEXT, labelsize=7)
    for spine in ax.spines.values():
        spine.set_color("#3a3f48")
