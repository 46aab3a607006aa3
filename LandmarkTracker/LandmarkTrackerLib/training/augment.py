"""Random affine variation of images and patches, drawn as matrices; `networks/sampling.py` applies them.

Points and translations are in pixels, (column, row), from the centre of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from LandmarkTrackerLib.landmarks import Array

Range = tuple[float, float]


@dataclass(frozen=True)
class ImageAugmentation:
    """How whole images are varied (section II.C).

    Attributes:
        rotation: degrees either way.
        scale: factor of size.
        crop: side of a random crop, as a share of the image, that is then enlarged to the image's size.
    """

    rotation: float = 10.0
    scale: Range = (0.8, 1.2)
    crop: Range = (0.8, 1.0)

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        """(2, 3) from points of the image to points of the augmented image of the same size."""
        centre = (np.array(size) - 1) / 2
        side = rng.uniform(*self.crop)
        linear = _rotation(rng, self.rotation) * rng.uniform(*self.scale) / side
        # The crop lies anywhere within the image; before it is enlarged its centre is off by so much.
        off = rng.uniform(-0.5, 0.5, 2) * (1 - side) * np.array(size) / side
        return np.column_stack([linear, centre - off - linear @ centre])


@dataclass(frozen=True)
class PatchAugmentation:
    """How patches are varied around their centre, which stays where it is.

    Attributes:
        rotation: degrees either way.
        scale: factor of size.
        gamma: exponent of the brightness, drawn evenly on a logarithmic scale.
    """

    rotation: float = 5.0
    scale: Range = (0.9, 1.3)
    gamma: Range = (0.5, 2.0)

    def draw(self, rng: np.random.Generator) -> tuple[Array, float]:
        """(2, 2) from offsets in the patch to offsets in the augmented patch, and gamma."""
        gamma = float(np.exp(rng.uniform(*np.log(self.gamma))))
        return _rotation(rng, self.rotation) * rng.uniform(*self.scale), gamma


def _rotation(rng: np.random.Generator, degrees: float) -> Array:
    angle = np.radians(rng.uniform(-degrees, degrees))
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def moved(points: Array, affine: Array) -> Array:
    """Points (..., 2) through an affine (2, 3)."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])
