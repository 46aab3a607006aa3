"""OpenCV's DIS optical flow (Kroeger 2016), preset MEDIUM, in the three ways in which people use it."""

from __future__ import annotations

import cv2
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples


class DisFlow:
    """Dense flow from the clicked frame to each frame, sampled at the landmarks.

    Args:
        warm: start from the flow to the neighbouring frame.
    """

    max_sigma_mm = np.inf

    def __init__(self, warm: bool = False) -> None:
        self.warm = warm

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        # A new one for every cine: OpenCV's crashes when the image size changes.
        self.flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self.last: np.ndarray | None = None
        window = np.percentile(pixels(image), (1, 99.5))
        return (Example(landmarks, (window, eight_bit(image, window))),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        landmarks, (window, key) = examples[0].landmarks, examples[0].features
        start = None
        if self.warm and self.last is not None and not at_the_click(prior, landmarks):
            start = self.last.copy()
        self.last = self.flow.calc(key, eight_bit(image, window), start)
        return moved_by(self.last, landmarks, Grid.of(image))


class ChainedDisFlow:
    """Dense flow from each frame to its neighbour, summed up: it drifts."""

    max_sigma_mm = np.inf

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        self.flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self.last: tuple[LandmarkSet, np.ndarray] | None = None
        window = np.percentile(pixels(image), (1, 99.5))
        return (Example(landmarks, (window, eight_bit(image, window))),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        landmarks, (window, key) = examples[0].landmarks, examples[0].features
        if self.last is None or at_the_click(prior, landmarks):
            self.last = (landmarks, key)
        before, neighbour = self.last
        now = eight_bit(image, window)
        found = moved_by(self.flow.calc(neighbour, now, None), before, Grid.of(image))
        self.last = (found, now)
        return found


def at_the_click(prior: LandmarkSet | None, landmarks: LandmarkSet) -> bool:
    """Whether the neighbouring frame is the clicked one: a propagation starts, forward or backward."""
    return prior is None or np.array_equal(prior.positions, landmarks.positions)


def moved_by(flow: np.ndarray, landmarks: LandmarkSet, grid: Grid) -> LandmarkSet:
    """The landmarks moved by the flow (j, i, 2) at their places."""
    index = grid.to_index(landmarks.positions)
    # Maps of shape (N, 1): OpenCV 5 reads a flat array as one row.
    i, j = index[:, :1].astype(np.float32), index[:, 1:2].astype(np.float32)
    index[:, :2] += cv2.remap(flow, i, j, cv2.INTER_LINEAR).reshape(-1, 2)
    return LandmarkSet(landmarks.names, grid.to_world(index))


def eight_bit(image: sitk.Image, window: np.ndarray) -> np.ndarray:
    """(j, i) a slice as OpenCV wants it: `window`, its darkest and brightest value, spread over 0 to 255."""
    low, high = window
    scaled = (pixels(image)[0] - low) / max(high - low, 1e-6) * 255
    return np.clip(scaled, 0, 255).astype(np.uint8)
