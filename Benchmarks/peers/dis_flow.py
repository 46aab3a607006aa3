"""OpenCV's DIS optical flow from the clicked frame to each frame (Kroeger 2016), preset MEDIUM."""

from __future__ import annotations

import cv2
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples


class DisFlow:
    """Dense flow, sampled at the landmarks. It has no idea of when it is wrong."""

    max_sigma_mm = np.inf

    def __init__(self) -> None:
        self.flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        window = np.percentile(pixels(image), (1, 99.5))
        return (Example(landmarks, (window, _eight_bit(image, window))),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        landmarks, (window, key) = examples[0].landmarks, examples[0].features
        flow = self.flow.calc(key, _eight_bit(image, window), None)
        grid = Grid.of(image)
        index = grid.to_index(landmarks.positions)
        # Maps of shape (N, 1): OpenCV 5 reads a flat array as one row.
        i, j = index[:, :1].astype(np.float32), index[:, 1:2].astype(np.float32)
        index[:, :2] += cv2.remap(flow, i, j, cv2.INTER_LINEAR).reshape(-1, 2)
        return LandmarkSet(landmarks.names, grid.to_world(index))


def _eight_bit(image: sitk.Image, window: np.ndarray) -> np.ndarray:
    low, high = window
    scaled = (pixels(image)[0] - low) / max(high - low, 1e-6) * 255
    return np.clip(scaled, 0, 255).astype(np.uint8)
