"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.images import Cine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images that LANDMARKTRACKER_DATA names (default: data/ in the checkout)."""
    folder = Path(os.environ.get("LANDMARKTRACKER_DATA", ROOT / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder}; set LANDMARKTRACKER_DATA")
    return folder


def textured(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """(j, i) smooth random texture with detail everywhere."""
    rng = np.random.default_rng(seed)
    image = sitk.GetImageFromArray(rng.normal(size=size[::-1]).astype(np.float32))
    fine, coarse = (sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(image, s)) for s in (1.5, 6.0))
    return 100 + 40 * (fine / fine.std() + coarse / coarse.std())


@pytest.fixture
def oblique_cine() -> tuple[Cine, np.ndarray]:
    """A cine of one slice, oblique in space, whose content moves by a known number of whole pixels a frame.

    Returns the cine and (T, 2) the shift along (i, j) in pixels of every frame against frame 0.
    """
    shifts = np.array([[0, 0], [1, 0], [2, -1], [3, -2], [1, -1], [0, 0]])
    large = textured((128, 112))
    frames = []
    for i, j in shifts:
        frame = sitk.GetImageFromArray(large[16 - j : 96 - j, 16 - i : 112 - i][None].astype(np.float32))
        frame.SetSpacing((1.25, 1.5, 8.0))
        frame.SetOrigin((-30.5, 12.25, 7.0))
        frame.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
        frames.append(frame)
    return Cine.of(frames, "oblique"), shifts.astype(float)
