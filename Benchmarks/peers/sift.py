"""SIFT as a Matcher (Lowe 2004), OpenCV's defaults, on the same pixels and grey values as the network."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, grey_image

RATIO = 0.8  # Lowe 2004, section 7.1


class Sift:
    """Brute-force matching of the descriptors.

    Args:
        rule: "consistent" keeps pairs that are each other's nearest; "ratio" those that are much nearer than
            the second nearest.
    """

    def __init__(self, rule: Literal["consistent", "ratio"]) -> None:
        self.rule, self.input = rule, PairInputConfig()
        self.sift = cv2.SIFT_create()

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        (grid_a, points_a, a), (grid_b, points_b, b) = (self._described(i) for i in (fixed, moving))
        if a is None or b is None:
            return LandmarkPairs(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
        if self.rule == "consistent":
            found = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(a, b)
        else:
            two = cv2.BFMatcher(cv2.NORM_L2).knnMatch(a, b, k=2)
            found = [m[0] for m in two if len(m) == 2 and m[0].distance < RATIO * m[1].distance]
        return LandmarkPairs(
            grid_a.to_world(points_a[[m.queryIdx for m in found]].reshape(-1, 3)),
            grid_b.to_world(points_b[[m.trainIdx for m in found]].reshape(-1, 3)),
            np.ones(len(found)),
        )

    def _described(self, image: sitk.Image) -> tuple[Grid, np.ndarray, np.ndarray | None]:
        grid, grey = grey_image(image, self.input)
        keys, descriptors = self.sift.detectAndCompute((grey[0] * 255).round().astype(np.uint8), None)
        return grid, np.array([(*key.pt, 0.0) for key in keys]).reshape(-1, 3), descriptors


class SliceBySlice:
    """SIFT in volumes: the slices of the same number are matched with each other."""

    def __init__(self, rule: Literal["consistent", "ratio"]) -> None:
        self.sift = Sift(rule)

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        levels = range(min(fixed.GetSize()[2], moving.GetSize()[2]))
        found = [self.sift.match(fixed[:, :, k : k + 1], moving[:, :, k : k + 1]) for k in levels]
        return LandmarkPairs(
            np.concatenate([pairs.fixed for pairs in found]),
            np.concatenate([pairs.moving for pairs in found]),
            np.concatenate([pairs.score for pairs in found]),
        )
