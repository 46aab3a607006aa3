"""Slices with square pixels, for methods that take a pixel's width for its height."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

# Pixels whose sides differ by less are square.
SQUARE = 1.02


def squared(image: sitk.Image) -> sitk.Image:
    """A slice (three axes, one slice) with its pixels as high as they are wide; the same image if they are.

    The finer spacing is taken along both axes. The first pixel stays where it is, and so does every place in
    the world: what is found here in mm needs no mapping back. Cubic B-splines interpolate, so that no detail
    of the coarser axis is lost.
    """
    spacing = np.array(image.GetSpacing()[:2])
    if spacing.max() / spacing.min() < SQUARE:
        return image
    fine = float(spacing.min())
    count = np.floor((np.array(image.GetSize()[:2]) - 1) * spacing / fine + 1e-6).astype(int) + 1
    depth = image.GetSpacing()[2]
    size = (int(count[0]), int(count[1]), 1)
    flat = sitk.GetImageFromArray(sitk.GetArrayViewFromImage(image)[0])
    flat.SetSpacing(image.GetSpacing()[:2])
    resampled = sitk.Resample(
        sitk.Cast(flat, sitk.sitkFloat32),
        size[:2],
        sitk.Transform(),
        sitk.sitkBSpline,
        flat.GetOrigin(),
        (fine, fine),
        flat.GetDirection(),
    )
    square = sitk.JoinSeries(resampled)
    square.SetSpacing((fine, fine, depth))
    square.SetOrigin(image.GetOrigin())
    square.SetDirection(image.GetDirection())
    return square
