"""Normalised cross-correlation of a patch around each landmark: the classical way, and the one to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of, trust

Volume = NDArray[np.float32]


@dataclass(frozen=True)
class NccLocator:
    """2D on slices, 3D on volumes. Radii are in pixels.

    Attributes:
        patch: radius of the template, within a slice.
        patch_3d: radius of the template in a volume.
        search: radius of the search around the position in the neighbouring frame.
        sharpness: how fast probability falls with correlation; sets sigma from the correlation's peak.
        max_sigma_mm: see `Locator`.
    """

    patch: int = 12
    patch_3d: int = 6
    search: int = 10
    sharpness: float = 40.0
    max_sigma_mm: float = 6.0

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        grid, volume = Grid.of(image), pixels(image)
        radii = self._patch_radii(grid)
        index = grid.to_index(landmarks.positions)
        centres = np.rint(index).astype(int)
        patches = [_cut(volume, centre[::-1], radii) for centre in centres]
        return (
            Example(
                landmarks, dict(zip(landmarks.names, zip(patches, index - centres, strict=True), strict=True))
            ),
        )

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        grid, volume = Grid.of(image), pixels(image)
        names = names_of(examples)
        answers = []
        for name in names:
            shown = [example for example in examples if name in example.landmarks]
            near = prior if prior is not None and name in prior and prior[name].status != "missing" else None
            guess = (near or shown[-1].landmarks)[name].position
            candidates = [self._search(volume, grid, e.features[name], grid.to_index(guess)) for e in shown]
            # Several examples: the one that correlates best here.
            answers.append(max(candidates, key=lambda answer: answer[2]))
        positions = grid.to_world(np.array([a[0] for a in answers]))
        sigmas = np.array([a[1] for a in answers]) * np.array(grid.spacing)
        found = LandmarkSet(names, positions, sigmas)
        correlation = np.clip([a[2] for a in answers], 0.0, 1.0)
        return LandmarkSet(names, positions, sigmas, trust(found.sigma_mm) * correlation)

    def _patch_radii(self, grid: Grid) -> tuple[int, int, int]:
        """(k, j, i)"""
        return (0, self.patch, self.patch) if grid.is_slice else (self.patch_3d,) * 3

    def _search(
        self, volume: Volume, grid: Grid, template: tuple[Volume, Array], guess: Array
    ) -> tuple[Array, Array, float]:
        """Best index (3,), its sigma (3,) in pixels, and the correlation there."""
        patch, offset = template
        radii = self._patch_radii(grid)
        reach = (0 if grid.is_slice else self.search, self.search, self.search)
        centre = np.rint(guess).astype(int)[::-1]
        window = _cut(volume, centre, tuple(r + s for r, s in zip(radii, reach, strict=True)))
        scores = _correlation(window, patch)
        peak = np.array(np.unravel_index(scores.argmax(), scores.shape))
        probability = np.exp(self.sharpness * (scores - scores.max()))
        probability /= probability.sum()
        sigma = np.zeros(3)
        refined = peak.astype(float)
        for axis in range(3):
            if scores.shape[axis] == 1:
                continue
            steps = np.arange(scores.shape[axis]) - peak[axis]
            marginal = probability.sum(axis=tuple(a for a in range(3) if a != axis))
            sigma[axis] = np.sqrt((marginal * steps**2).sum() + 1 / 12)
            refined[axis] += _parabola(scores, peak, axis)
        index = (refined + centre - np.array(reach))[::-1] + offset
        return index, sigma[::-1], float(scores.max())


def _cut(volume: Volume, centre: Sequence[int] | NDArray[np.int_], radii: tuple[int, ...]) -> Volume:
    """The box of `radii` around `centre` (k, j, i), continued beyond the image with its border's value."""
    where = [
        np.clip(np.arange(c - r, c + r + 1), 0, size - 1)
        for c, r, size in zip(centre, radii, volume.shape, strict=True)
    ]
    return volume[np.ix_(*where)]


def _correlation(window: Volume, patch: Volume) -> Array:
    """Pearson's correlation of `patch` with every box of its size in `window`; 0 without contrast."""
    boxes = sliding_window_view(window, patch.shape)
    zero_mean = patch - patch.mean()
    product = np.einsum("abcijk,ijk->abc", boxes, zero_mean, optimize=True).astype(np.float64)
    spread = boxes.std(axis=(3, 4, 5), dtype=np.float64) * patch.size * float(patch.std())
    return np.where(spread > 1e-9, product / np.maximum(spread, 1e-9), 0.0)


def _parabola(scores: Array, peak: NDArray[np.int_], axis: int) -> float:
    """Where between the pixels the peak lies along `axis`: the vertex through three samples."""
    if not 0 < peak[axis] < scores.shape[axis] - 1:
        return 0.0
    step = np.eye(3, dtype=int)[axis]
    before, at, after = (scores[tuple(peak + d * step)] for d in (-1, 0, 1))
    curvature = before - 2 * at + after
    return 0.0 if curvature >= 0 else float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5))
