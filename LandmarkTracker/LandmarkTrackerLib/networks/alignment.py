"""Sub-pixel alignment of small patches, with what noise and prior knowledge leave uncertain.

Each patch is fitted to the image by translation, a small affine change and brightness (gain and offset),
as Lucas and Kanade do, with the gradients of the exemplar only (Baker and Matthews 2004): everything but the
image itself is computed once, at the click. A Gaussian prior on the position (where the search ended, and how
sure it was) and on the affine part makes it a maximum a posteriori estimate, so that a patch without texture
stays where it was expected, and says so.

Positions are pixels (column, row) from the centre of the first pixel; brightness is about 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from LandmarkTrackerLib.networks.sampling import sample

# The affine part is within about 15 %; noise is at least 1 % of the range of brightness.
AFFINE, NOISE = 0.15, 0.01
# Neighbouring pixels do not err independently: they tell this share of what they would.
INFORMATION = 0.3
LONGEST_STEP = 3.0


@dataclass(frozen=True)
class Window:
    """Which pixels of a patch count how much.

    Attributes:
        reach: samples on either side of the centre.
        step: pixels between samples.
        sigma: standard deviation of the samples' weights, pixels.
        blur: standard deviation of the smoothing of the image before, pixels.
    """

    reach: int
    step: float
    sigma: float
    blur: float

    def samples(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """(S, 2) offsets from the centre in pixels, and (S,) weights."""
        return _samples(self, device)

    def smoothed(self, image: Tensor) -> Tensor:
        """(1, 1, H, W) the image as this window sees it."""
        reach = math.ceil(2.5 * self.blur)
        line = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
        weights = torch.exp(-line.square() / (2 * self.blur**2))
        weights = weights / weights.sum()
        padded = pad(image, (reach,) * 4, mode="replicate")
        return conv2d(conv2d(padded, weights[None, None, None]), weights[None, None, :, None])


@dataclass(frozen=True)
class Patches:
    """What is kept of N exemplars.

    Attributes:
        window: how they were cut.
        rows: (N, 8, S) what turns S samples of an image into the pull on six parameters, contrast and mean.
        pull: (N, 6, 6) what those parameters pull at themselves.
        contrast: (N,) of the exemplar itself.
    """

    window: Window
    rows: Tensor
    pull: Tensor
    contrast: Tensor

    @staticmethod
    def cut(smoothed: Tensor, points: Tensor, window: Window) -> Patches:
        """Around points (N, 2) of the image (1, 1, H, W) that `window.smoothed` gave."""
        offsets, weights = window.samples(points.device)
        across, down = torch.tensor([[1.0, 0.0], [0.0, 1.0]], device=points.device)
        at = points[:, None] + offsets
        values = _sample(smoothed, at)
        slope_x = (_sample(smoothed, at + across) - _sample(smoothed, at - across)) / 2
        slope_y = (_sample(smoothed, at + down) - _sample(smoothed, at - down)) / 2
        x, y = (offsets / window.sigma).unbind(dim=-1)
        slopes = torch.stack([slope_x, slope_y, slope_x * x, slope_x * y, slope_y * x, slope_y * y], dim=1)
        centred = values - (values @ weights)[:, None] / weights.sum()
        brightness = torch.stack([centred, torch.ones_like(centred)], dim=1)
        weighted = brightness * weights
        gram = weighted @ brightness.mT + 1e-6 * torch.eye(2, device=points.device)
        # What gain and offset explain is not movement.
        slopes = slopes - (slopes @ weighted.mT) @ torch.linalg.solve(gram, brightness)
        pulls = slopes * weights
        return Patches(window, torch.cat([pulls, weighted], dim=1), pulls @ slopes.mT, gram[:, 0, 0])

    def only(self, chosen: Tensor) -> Patches:
        """Some of them, by number."""
        return Patches(self.window, self.rows[chosen], self.pull[chosen], self.contrast[chosen])


@dataclass(frozen=True)
class Aligned:
    """Where N patches lie.

    Attributes:
        position: (N, 2) pixels.
        affine: (N, 4) beyond identity.
        covariance: (N, 2, 2) of the position.
        likeness: (N,) share of the image's variance there that the patch explains.
        fit: (N,) log likelihood of what the image shows there, but for a constant of the patch.
    """

    position: Tensor
    affine: Tensor
    covariance: Tensor
    likeness: Tensor
    fit: Tensor


def align(
    patches: Patches, smoothed: Tensor, expected: Tensor, precision: Tensor, affine: Tensor, steps: int
) -> Aligned:
    """Fit patches to an image, beginning where they are expected.

    Args:
        smoothed: (1, 1, H, W) of `patches.window.smoothed`.
        expected: (N, 2) pixels.
        precision: (N, 2, 2) inverse covariance of what is expected.
        affine: (N, 4) to begin with.
        steps: of Gauss and Newton.
    """
    window = patches.window
    offsets, weights = window.samples(expected.device)
    prior = expected.new_zeros(len(expected), 6, 6)
    prior[:, :2, :2] = precision
    prior[:, range(2, 6), range(2, 6)] = 1 / (AFFINE * window.sigma) ** 2
    found = torch.cat([torch.zeros_like(expected), affine * window.sigma], dim=1)
    for _ in range(steps):
        turn = found[:, 2:].reshape(-1, 2, 2) / window.sigma
        samples = _sample(smoothed, (expected + found[:, :2])[:, None] + offsets + offsets @ turn.mT)
        pulls = (patches.rows @ samples[..., None])[..., 0]
        gain = (pulls[:, 6] / patches.contrast).clamp(0.2, 5)
        mean = pulls[:, 7] / weights.sum()
        explained = gain.square() * patches.contrast / weights.sum()
        variance = (samples.square() @ weights / weights.sum() - mean.square() - explained).clamp(NOISE**2)
        trust = (INFORMATION * gain.square() / variance)[:, None]
        curvature = patches.pull * trust[..., None] + prior
        force = -pulls[:, :6] / gain[:, None] * trust - (prior @ found[..., None])[..., 0]
        found = found + torch.linalg.solve(curvature, force).clamp(-LONGEST_STEP, LONGEST_STEP)
    covariance = torch.linalg.inv(curvature)[:, :2, :2]
    likeness = explained / (explained + variance)
    fit = -INFORMATION / 2 * weights.sum() * variance.log()
    return Aligned(expected + found[:, :2], found[:, 2:] / window.sigma, covariance, likeness, fit)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # what is kept has to serve training too
def _samples(window: Window, device: torch.device) -> tuple[Tensor, Tensor]:
    line = torch.arange(-window.reach, window.reach + 1, dtype=torch.float32, device=device) * window.step
    offsets = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1).reshape(-1, 2)
    return offsets, torch.exp(-offsets.square().sum(dim=-1) / (2 * window.sigma**2))


def _sample(image: Tensor, points: Tensor) -> Tensor:
    """(1, 1, H, W) at (N, S, 2) pixels: (N, S); the border continues beyond the image."""
    return sample(image, points[None], "border")[0, 0]
