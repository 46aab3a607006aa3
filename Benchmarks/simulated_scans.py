"""A second scan simulated from a first one, so that it is known exactly where every point went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.simulation.deformation import Deformation
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic

Kind = Literal["intensity", "affine", "elastic"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class SimulatedScans:
    """Two scans on the same pixels. Works on slices and volumes, wherever they lie.

    Attributes:
        fixed, moving: the scan and what became of it.
        deformation: from the moving scan to the fixed one, in mm along the pixels' axes from the first pixel.
    """

    fixed: sitk.Image
    moving: sitk.Image
    deformation: Deformation

    def in_fixed(self, moving: Array) -> Array:
        """Where points of the moving scan, LPS mm (N, 3), are in the fixed one."""
        grid = Grid.of(self.fixed)
        d, spacing = len(self.deformation.centre), np.array(grid.spacing)
        along = grid.to_index(moving) * spacing
        along[:, :d] = self.deformation(along[:, :d])
        return grid.to_world(along / spacing)


def simulate(image: sitk.Image, kind: Kind, rng: np.random.Generator, extent: Extent) -> SimulatedScans:
    """A random deformation of a slice or a volume, or none where only intensities are to change elsewhere."""
    d = 2 if Grid.of(image).is_slice else 3
    reach = [(n - 1) * s for n, s in zip(image.GetSize()[:d], image.GetSpacing()[:d], strict=True)]
    if kind == "affine":
        drawn = draw_affine(rng, reach, extent)
    elif kind == "elastic":
        drawn = draw_elastic(rng, reach, extent)
    else:
        drawn = Deformation.none(np.array(reach) / 2)
    return SimulatedScans(image, deformed(image, drawn), drawn)


def deformed(image: sitk.Image, deformation: Deformation) -> sitk.Image:
    """The image read at where the deformation says each pixel comes from; its lowest value from beyond."""
    d = len(deformation.centre)
    size, spacing = image.GetSize()[:d], image.GetSpacing()[:d]
    moves = deformation.on_pixels(size, spacing) - Deformation.none(deformation.centre).on_pixels(
        size, spacing
    )
    values = pixels(image) if d == 3 else pixels(image)[0]
    read = resampled(values, moves, spacing, sitk.sitkLinear, float(values.min()))
    result = read if d == 3 else sitk.JoinSeries(read)
    result.CopyInformation(image)
    return result


def resampled(
    values: np.ndarray, moves: Array, spacing: Sequence[float], interpolation: int, beyond: float
) -> sitk.Image:
    """Pixels ([k,] j, i) each read at where it comes from.

    Args:
        moves: ([k,] j, i, d) mm from each pixel to there.
        spacing: mm along i, j[, k].
        interpolation: one of SimpleITK's.
        beyond: the value beyond the border.
    """
    source = sitk.GetImageFromArray(values)
    source.SetSpacing(spacing)
    field = sitk.GetImageFromArray(np.ascontiguousarray(moves), isVector=True)
    field.SetSpacing(spacing)
    return sitk.Resample(
        source, sitk.DisplacementFieldTransform(field), interpolation, beyond, sitk.sitkFloat32
    )
