"""Where the landmark was in the examples, whatever the image shows: what any method has to beat."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of


class SamePlace:
    """A Locator that answers with the mean place in the field of the examples. Sigma is not known."""

    max_sigma_mm = np.inf

    def __init__(self, field: Field) -> None:
        self._field = field

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Note where the landmarks are."""
        grid = Grid.of(image)
        places = self._field.from_index(grid, grid.to_index(landmarks.positions))
        return (Example(landmarks, dict(zip(landmarks.names, places, strict=True))),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """The same places in this image."""
        names, grid = names_of(examples), Grid.of(image)
        places = [
            np.mean([e.features[name] for e in examples if name in e.features], axis=0) for name in names
        ]
        positions = grid.to_world(self._field.to_index(grid, places))
        return LandmarkSet(names, positions, np.full_like(positions, np.nan))
