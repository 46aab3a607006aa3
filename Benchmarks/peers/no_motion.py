"""The landmarks stay where they were clicked: what every method must beat."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples


class NoMotion:
    max_sigma_mm = np.inf

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        return (Example(landmarks, None),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        return examples[0].landmarks
