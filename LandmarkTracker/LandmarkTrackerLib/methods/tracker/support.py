"""Points around the landmarks that are easy to follow: they tell how tissue moves where a landmark cannot."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from LandmarkTrackerLib.networks.alignment import Window

FEWEST, MOST, APART = 36, 96, 48.0  # points, and pixels between them where that many suffice
WEAK = 0.5  # of the median strength
ROOM = 40.0  # pixels around the landmarks
PATCH = Window(reach=8, step=1, sigma=4, blur=1.2)
BORDER = 8


def support_points(image: Tensor, points: Tensor) -> Tensor:
    """Some dozens of pixels (S, 2) near points (N, 2) of an image (1, 1, H, W).

    There is one in each cell of a regular lattice: the one whose patch changes most when it is moved, in
    whatever direction (Shi and Tomasi 1994).
    """
    strength = _strength(image)
    size = torch.tensor(strength.shape[::-1], dtype=points.dtype, device=points.device)
    low = (points.amin(dim=0) - ROOM).clamp(min=BORDER).minimum(size / 2)
    high = (points.amax(dim=0) + ROOM).minimum(size - 1 - BORDER).maximum(low + 1)
    area = float((high - low).prod())
    cell = math.sqrt(area / min(max(area / APART**2, FEWEST), MOST))
    columns, rows = (
        torch.linspace(float(a), float(b), max(round(float(b - a) / cell), 1) + 1).long().tolist()
        for a, b in zip(low, high, strict=True)
    )
    chosen, how_strong = [], []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            block = strength[top : max(bottom, top + 1), left : max(right, left + 1)]
            row, column = divmod(int(block.argmax()), block.shape[1])
            chosen.append([left + column, top + row])
            how_strong.append(float(block.max()))
    # Air and flat tissue tell nothing.
    strong = np.array(how_strong) >= WEAK * np.median(how_strong)
    return torch.tensor(np.array(chosen)[strong], dtype=points.dtype, device=points.device)


def _strength(image: Tensor) -> Tensor:
    """(H, W) the smaller eigenvalue of the structure tensor."""
    down, across = torch.gradient(PATCH.smoothed(image)[0, 0])
    products = torch.stack([across * across, across * down, down * down])[None]
    xx, xy, yy = avg_pool2d(products, 2 * PATCH.reach + 1, 1, PATCH.reach)[0]
    return (xx + yy) / 2 - (((xx - yy) / 2).square() + xy.square()).sqrt()
