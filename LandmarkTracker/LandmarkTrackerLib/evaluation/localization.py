"""How well a Detector places landmarks (Payer et al. 2019, section 3.2), in mm."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import Array, LandmarkSet

RADII = (2.0, 4.0, 10.0)


@dataclass(frozen=True)
class Localization:
    """Truth and answers of a set of images, all with the same landmarks.

    Attributes:
        images: M names.
        landmarks: N names.
        truth: (M, N, 3) LPS mm; NaN where the landmark is not in the image.
        found: (M, N, 3) LPS mm; where the detector has a place for every landmark, also of those that it
            reports missing, as the paper's metrics ask; NaN where it has none.
        sigma: (M, N) mm, root mean square over the axes; NaN where there is no answer.
        scale: (M,) factor of each image's errors, equation (5); 1 where millimetres are known.
        searched: along how many axes the detector looks: 2 in slices, 3 in volumes.
        reported: (M, N) which landmarks the detector reports; None if all that have an answer.
    """

    images: tuple[str, ...]
    landmarks: tuple[str, ...]
    truth: Array
    found: Array
    sigma: Array
    scale: Array
    searched: int = 2
    reported: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls, answers: Sequence[tuple[str, LandmarkSet, LandmarkSet]], reported: ArrayLike | None = None
    ) -> Localization:
        """From (image name, truth, found); the found landmarks say which are compared.

        Args:
            reported: (M, N) which of them the detector reports; all that have a place, if it is not given.

        Raises:
            InputError: there is no image, or one whose truth shares no landmark with the answer.
        """
        if not answers:
            raise InputError("there is no annotated image to evaluate on")
        names = answers[0][2].names
        for image, truth, _ in answers:
            if not set(names) & set(truth.names):
                raise InputError(
                    f"{image} has none of the landmarks that the model finds ({', '.join(names)}); "
                    "check the names of its control points"
                )
        return cls(
            tuple(image for image, _, _ in answers),
            names,
            np.stack([truth.select(names).positions for _, truth, _ in answers]),
            np.stack([found.positions for _, _, found in answers]),
            np.stack([found.sigma_mm for _, _, found in answers]),
            np.ones(len(answers)),
            int(max((np.nan_to_num(found.sigmas) != 0).sum(axis=1).max() for _, _, found in answers)),
            None if reported is None else np.asarray(reported, dtype=bool),
        )

    def normalised(self, first: str, second: str, mm: float) -> Localization:
        """With every image scaled so that two of its landmarks lie `mm` apart (equation 5).

        The hand radiographs: 50 mm between landmarks 1 and 5, counted from 0, in the SCN authors' script;
        others take 0 and 4, and their millimetres are about 7 % off these.
        """
        rows = [self.landmarks.index(name) for name in (first, second)]
        distance = np.linalg.norm(self.truth[:, rows[0]] - self.truth[:, rows[1]], axis=1)
        return replace(self, scale=mm / distance)

    @property
    def errors(self) -> Array:
        """(M, N) point-to-point error, equation (5); NaN where the landmark is not there or has no answer."""
        return np.asarray(np.linalg.norm(self.truth - self.found, axis=2) * self.scale[:, None])

    @property
    def present(self) -> NDArray[np.bool_]:
        """(M, N) whether the landmark is in the image."""
        return np.asarray(np.isfinite(self.truth).all(axis=2))

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(M, N) whether the detector says that it found the landmark."""
        there = np.isfinite(self.found).all(axis=2)
        return np.asarray(there if self.reported is None else there & self.reported)

    def outliers(self, radius: float) -> int:
        """#O_r, equation (6). A landmark that is there and has no answer is an outlier of every radius."""
        with np.errstate(invalid="ignore"):
            return int((self.present & ~(self.errors <= radius)).sum())

    @property
    def image_errors(self) -> Array:
        """(M,) mean error of each image's landmarks, equation (7); NaN where none has an answer."""
        counts = np.isfinite(self.errors).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(counts > 0, np.nansum(self.errors, axis=1) / counts, np.nan))

    def identified(self, radius: float = 20.0) -> NDArray[np.bool_]:
        """(M, N) equation (8): within `radius`, and no other landmark's true place is closer."""
        between = np.linalg.norm(self.found[:, :, None] - self.truth[:, None], axis=3)
        between = np.where(np.isnan(between), np.inf, between)
        nearest = between.argmin(axis=2) == np.arange(len(self.landmarks))
        with np.errstate(invalid="ignore"):
            return np.asarray(nearest & (self.errors <= radius))


@dataclass(frozen=True)
class Summary:
    """PE_all and what was not found, over all landmarks of all images.

    Attributes:
        points: landmarks that are in their images.
        median, mean, sd: mm, of all of them that have an answer, whether it is reported or not.
        outliers: #O_r for every radius.
        found: share of `points` that the detector reports.
        mean_found: mm, mean of those.
        identification_rate: share of `points` identified within 20 mm.
        missed: present landmarks reported missing.
        invented: absent landmarks reported found.
        within_sigma: share of the errors of what is reported within the 90 % region of its own uncertainty.
    """

    points: int
    median: float
    mean: float
    sd: float
    outliers: tuple[int, ...]
    found: float
    mean_found: float
    identification_rate: float
    missed: int
    invented: int
    within_sigma: float


def summarise(result: Localization, radii: Sequence[float] = RADII) -> Summary:
    errors = result.errors[np.isfinite(result.errors)]
    points = int(result.present.sum())
    # A Gaussian of d axes holds 90 % within this many standard deviations.
    reach = {2: 2.146, 3: 2.500}.get(result.searched, np.nan)
    said = result.answered & np.isfinite(result.errors)
    inside = (np.linalg.norm(result.truth - result.found, axis=2) <= reach * result.sigma)[said]
    none = not len(errors)
    median, mean, sd = (np.nan if none else float(f(errors)) for f in (np.median, np.mean, np.std))
    return Summary(
        points,
        median,
        mean,
        sd,
        tuple(result.outliers(radius) for radius in radii),
        int((result.present & result.answered).sum()) / max(points, 1),
        float(result.errors[said].mean()) if said.any() else np.nan,
        float(result.identified().sum() / max(points, 1)),
        int((result.present & ~result.answered).sum()),
        int((~result.present & result.answered).sum()),
        float(inside.mean()) if said.any() else np.nan,
    )


def write_errors(path: Path, result: Localization) -> None:
    """One row an image and landmark: error and sigma in mm, empty where there is none."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "landmark", "error_mm", "sigma_mm", "present", "found"])
        for m, image in enumerate(result.images):
            for n, landmark in enumerate(result.landmarks):
                error, sigma = result.errors[m, n], result.sigma[m, n]
                rows.writerow(
                    [
                        image,
                        landmark,
                        "" if np.isnan(error) else f"{error:.4f}",
                        "" if np.isnan(sigma) else f"{sigma:.4f}",
                        int(result.present[m, n]),
                        int(result.answered[m, n]),
                    ]
                )


def landmark_table(result: Localization, radii: Sequence[float] = RADII) -> str:
    """One line a landmark, as Markdown: median, mean, SD, worst (mm), outliers, not found."""
    header = ["landmark", "median", "mean", "SD", "worst", *(f"> {r:g} mm" for r in radii), "missed"]
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " ---: |" * (len(header) - 1)]
    for n, name in enumerate(result.landmarks):
        errors = result.errors[:, n]
        found = errors[np.isfinite(errors)]
        cells = [f(found) for f in (np.median, np.mean, np.std, np.max)] if len(found) else [np.nan] * 4
        present = result.present[:, n]
        over = [int((present & ~(errors <= r)).sum()) for r in radii]
        missed = int((present & ~result.answered[:, n]).sum())
        lines.append(
            f"| {name} | "
            + " | ".join(f"{c:.2f}" for c in cells)
            + " | "
            + " | ".join(str(c) for c in (*over, missed))
            + " |"
        )
    return "\n".join(lines)
