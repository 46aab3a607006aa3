"""What OpenCV offers from one subject to another: affine alignment (ECC), then dense optical flow (DIS)."""

from __future__ import annotations

import cv2
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples

ALIGNED, SIZE = 256, 512


class AffineDis:
    """States no uncertainty, and calls nothing missing."""

    max_sigma_mm = np.inf

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        grid = Grid.of(image)
        points = _field(SIZE).from_index(grid, grid.to_index(landmarks.positions))
        return (Example(landmarks, (_shown(image, ALIGNED), _shown(image, SIZE), points)),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        small, large, points = examples[0].features
        affine = np.eye(2, 3, dtype=np.float32)
        stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
        try:
            there = _shown(image, ALIGNED)
            _, affine = cv2.findTransformECC(small, there, affine, cv2.MOTION_AFFINE, stop, None, 9)
        except cv2.error:
            # It did not converge.
            affine = np.eye(2, 3, dtype=np.float32)
        affine[:, 2] = affine[:, 2] * SIZE / ALIGNED
        aligned = cv2.warpAffine(
            _shown(image, SIZE), affine, (SIZE, SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(large, aligned, None)
        # Maps of shape (N, 1): OpenCV 5 reads a flat array as one row.
        i, j = points[:, :1].astype(np.float32), points[:, 1:].astype(np.float32)
        moved = points + cv2.remap(flow, i, j, cv2.INTER_LINEAR).reshape(-1, 2)
        found = moved @ affine[:, :2].T + affine[:, 2]
        grid, landmarks = Grid.of(image), examples[0].landmarks
        return LandmarkSet(landmarks.names, grid.to_world(_field(SIZE).to_index(grid, found)))


def _field(size: int) -> Field:
    return Field((size, size), 1.0, fit=True)


def _shown(image: sitk.Image, size: int) -> np.ndarray:
    return np.rint(255 * _field(size).show(image)).astype(np.uint8)
