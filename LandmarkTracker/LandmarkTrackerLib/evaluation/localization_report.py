"""What an evaluation leaves to look at: tables, the cumulative plot and the worst cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.evaluation.localization import (
    RADII,
    Localization,
    Summary,
    landmark_table,
    summarise,
    write_errors,
)
from LandmarkTrackerLib.evaluation.montage import draw_cumulative, draw_worst
from LandmarkTrackerLib.landmarks import LandmarkSet

REPORT_FILES = ("report.md", "errors.csv", "cumulative.png", "worst.png")
WORST = 8


def write_report(
    folder: Path,
    title: str,
    result: Localization,
    images: Mapping[str, Callable[[], sitk.Image]],
    radii: Sequence[float] = RADII,
) -> Summary:
    """Write `REPORT_FILES` into `folder` and return the summary.

    Args:
        images: how to read each of the result's images, for the pictures of the worst.
        radii: mm, of the outliers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary = summarise(result, radii)
    (folder / "report.md").write_text(report(title, result, summary, radii), encoding="utf-8")
    write_errors(folder / "errors.csv", result)
    draw_cumulative(folder / "cumulative.png", [(title, result.image_errors)])
    draw_worst(folder / "worst.png", [_case(result, m, images) for m in worst_images(result)])
    return summary


def report(title: str, result: Localization, summary: Summary, radii: Sequence[float] = RADII) -> str:
    """Markdown."""
    values = asdict(summary)
    outliers = ", ".join(
        f"{count} beyond {radius:g} mm ({count / max(summary.points, 1):.1%})"
        for radius, count in zip(radii, values["outliers"], strict=True)
    )
    images = "\n".join(
        f"| {name} | {error:.2f} |"
        for name, error in sorted(
            zip(result.images, result.image_errors, strict=True),
            key=lambda row: -np.nan_to_num(row[1], nan=1e9),
        )
    )
    return f"""# {title}

{len(result.images)} images, {summary.points} landmarks. Errors are Euclidean distances in mm; an image file
that carries no spacing counts as 1 mm a pixel.

- point-to-point error of all landmarks, also of those that are reported missing:
  median {summary.median:.2f}, mean {summary.mean:.2f} ± {summary.sd:.2f} mm
- reported as found: {summary.found:.1%}; their mean error {summary.mean_found:.2f} mm
- outliers: {outliers}
- identification rate (closest to its own landmark, within 20 mm): {summary.identification_rate:.1%}
- reported missing though there: {summary.missed}; reported found though not there: {summary.invented}
- errors within the stated 90 % region: {summary.within_sigma:.1%}

## Landmarks (mm)

{landmark_table(result, radii)}

## Images (mean error, mm)

| image | error |
| --- | ---: |
{images}
"""


def worst_images(result: Localization) -> list[int]:
    """Rows of the images with the largest mean error, the worst first; those with nothing found lead."""
    order = np.argsort(-np.nan_to_num(result.image_errors, nan=np.inf), kind="stable")
    return [int(row) for row in order[:WORST]]


def _case(
    result: Localization, m: int, images: Mapping[str, Callable[[], sitk.Image]]
) -> tuple[str, sitk.Image, LandmarkSet, LandmarkSet, float]:
    def landmarks(positions: np.ndarray) -> LandmarkSet:
        return LandmarkSet(result.landmarks, positions, defined=np.isfinite(positions).all(axis=1))

    name = result.images[m]
    return (
        name,
        images[name](),
        landmarks(result.truth[m]),
        landmarks(result.found[m]),
        float(result.image_errors[m]),
    )
