"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.geometry import Grid, rotation
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet

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


DOTS = ("left", "right", "bottom")


def draw_dots(seed: int) -> tuple[sitk.Image, np.ndarray]:
    """A slice with three dots that look the same: only their configuration says which is which.

    Returns the image and (3, 3) LPS mm, in the order of `DOTS`.
    """
    rng = np.random.default_rng(seed)
    turn = rotation(-rng.uniform(-0.3, 0.3))
    triangle = np.array([[-10, -6], [10, -6], [0, 9]]) * rng.uniform(0.85, 1.15) + rng.uniform(-1, 1, (3, 2))
    index = triangle @ turn + (23.5, 19.5) + rng.uniform(-3, 3, 2)
    j, i = np.mgrid[:40, :48]
    values = sum(100 * np.exp(-((i - x) ** 2 + (j - y) ** 2) / (2 * 1.5**2)) for x, y in index)
    image = sitk.GetImageFromArray((values + rng.normal(0, 6, i.shape))[None].astype(np.float32))
    image.SetSpacing((1.5, 1.5, 4.0))
    image.SetOrigin((5.0, -7.0, 2.0))
    return image, Grid.of(image).to_world(np.pad(index, ((0, 0), (0, 1))))


@pytest.fixture(scope="session")
def dots() -> Callable[[int], tuple[sitk.Image, np.ndarray]]:
    """`draw_dots`: from a seed to an image and its landmarks."""
    return draw_dots


@pytest.fixture(scope="session")
def dots_folder(tmp_path_factory) -> Path:
    """Twelve annotated slices of `draw_dots`, as a user would leave them."""
    folder = tmp_path_factory.mktemp("dots")
    for n in range(12):
        image, positions = draw_dots(n)
        sitk.WriteImage(image, str(folder / f"dots-{n}.nrrd"))
        write_landmarks(folder / f"dots-{n}.mrk.json", LandmarkSet(DOTS, positions))
    return folder


@pytest.fixture(scope="session")
def dots_training(dots_folder) -> str:
    """A training file that learns `dots` in seconds."""
    return f"""
[data]
folder = '{dots_folder}'

[input]
size = [48, 40]

[network]
width = 8
levels = 2
factor = 4
kernel = 7
dropout = 0.0

[augmentation]
translate = 4.0
scale = [0.9, 1.1]
elastic = 1.0
nodes = 6
cut = 0.2

[learning]
rate = 5e-3

[run]
steps = 120
batch_size = 4
threads = 1
warmup = 10
validate_every = 60
device = "cpu"
"""


@pytest.fixture(scope="session")
def dots_model(dots_training, tmp_path_factory) -> Path:
    """A trained SpatialConfiguration-Net for `dots`."""
    from LandmarkTrackerLib.training.config import read_config
    from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining
    from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
    from LandmarkTrackerLib.training.loop import Run

    folder = tmp_path_factory.mktemp("model") / "dots"
    file = folder.with_suffix(".toml")
    file.write_text(dots_training)
    config = read_config(file, HeatmapTraining)
    run = Run(HeatmapTask(config), config.run, folder)
    for _ in run:
        pass
    return run.model
