"""OpenCV's pyramidal Lucas-Kanade from the clicked frame, started at the neighbouring frame's answer."""

from __future__ import annotations

import cv2
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples
from peers.dis_flow import eight_bit


class LucasKanade:
    """Window of 21 pixels, 3 levels."""

    max_sigma_mm = np.inf

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        window = np.percentile(pixels(image), (1, 99.5))
        return (Example(landmarks, (window, eight_bit(image, window))),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        landmarks, (window, key) = examples[0].landmarks, examples[0].features
        grid = Grid.of(image)
        index = grid.to_index(landmarks.positions)
        guess = grid.to_index((prior or landmarks).positions)
        shown, start = (points[:, None, :2].astype(np.float32) for points in (index, guess))
        found, _, _ = cv2.calcOpticalFlowPyrLK(
            key,
            eight_bit(image, window),
            shown,
            start.copy(),
            winSize=(21, 21),
            maxLevel=3,
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        index[:, :2] = found.reshape(-1, 2)
        return LandmarkSet(landmarks.names, grid.to_world(index))
