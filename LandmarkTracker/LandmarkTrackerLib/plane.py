"""Slices as the 2D images that registration programs want: the slice's own plane as a world of two axes.

Coordinates are an LPS position projected on the directions of the slice's columns and rows. For an axial
slice, and for a file that was 2D from the start, these are simply the first two LPS coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array


@dataclass(frozen=True)
class Plane:
    """The plane of a slice."""

    grid: Grid

    @property
    def _directions(self) -> Array:
        """(2, 3): along the columns' and the rows' index."""
        return np.array(self.grid.direction).reshape(3, 3)[:, :2].T

    def to_plane(self, world: Array) -> Array:
        """LPS mm (N, 3) to (N, 2) mm in the plane; what is off the plane is projected on it."""
        return np.asarray(np.asarray(world, dtype=float) @ self._directions.T)

    def to_world(self, points: Array) -> Array:
        """(N, 2) mm in the plane to LPS mm (N, 3) on it."""
        origin = np.array(self.grid.origin)
        offsets = np.asarray(points, dtype=float) - self.to_plane(origin)
        return np.asarray(origin + offsets @ self._directions)

    def image(self, image: sitk.Image) -> sitk.Image:
        """The slice as a 2D image whose physical points are the coordinates above."""
        flat = sitk.GetImageFromArray(sitk.GetArrayFromImage(image)[0])
        flat.SetSpacing(self.grid.spacing[:2])
        flat.SetOrigin(self.to_plane(np.array(self.grid.origin)).tolist())
        return flat

    def volume(self, flat: sitk.Image) -> sitk.Image:
        """A 2D image of this plane back in the world: one slice with the slice's geometry."""
        volume = sitk.JoinSeries(flat)
        volume.SetSpacing(self.grid.spacing)
        volume.SetOrigin(self.grid.origin)
        volume.SetDirection(self.grid.direction)
        return volume
