"""What a frame costs, by number of landmarks and by image size: part of `tracking.py`, with its methods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from cases import HELD_OUT_IMAGES, PLAIN
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Locator
from simulated_motion import SimulatedMotion

SIZES = (128, 192, 256, 384, 512)
COUNTS = (1, 5, 20, 50, 100)
SIZE, COUNT = 256, 20  # where the other is varied
FRAMES, REPEATS = 7, 8


@dataclass(frozen=True)
class Cost:
    """Milliseconds of every frame of one method on images of size x size with so many landmarks."""

    method: str
    size: int
    count: int
    ms: np.ndarray

    @property
    def median(self) -> float:
        return float(np.median(self.ms))

    @property
    def p95(self) -> float:
        return float(np.percentile(self.ms, 95))


def measure_cost(data: Path, methods: Mapping[str, Locator], slow: frozenset[str]) -> list[Cost]:
    """Each method follows a cine again and again before the next one does, as a user runs one of them: taking
    turns, they find the processor's caches full of each other's networks.

    Args:
        slow: methods that see each setting's frames once, and not `REPEATS` times.
    """
    image = read_image(sorted(data.glob(HELD_OUT_IMAGES[-1]))[0])
    settings = sorted({(size, COUNT) for size in SIZES} | {(SIZE, count) for count in COUNTS})
    costs = []
    for size, count in settings:
        motion = SimulatedMotion(sized(image, size), frames=FRAMES + 1, **PLAIN)
        ms = _timed(Cine.of(list(motion.cine())), spread(motion.grid, count), methods, slow)
        costs += [Cost(name, size, count, np.array(values)) for name, values in ms.items()]
        print(f"cost of {count} landmarks at {size} x {size} done", flush=True)
    return costs


def _timed(
    cine: Cine, landmarks: LandmarkSet, methods: Mapping[str, Locator], slow: frozenset[str]
) -> dict[str, list[float]]:
    first = cine[0]
    examples = {name: locator.describe(first, landmarks) for name, locator in methods.items()}
    ms: dict[str, list[float]] = {name: [] for name in methods}
    for name, locator in methods.items():
        for repeat in range(1 if name in slow else REPEATS):
            prior = landmarks
            for image in list(cine)[1:]:
                began = time.perf_counter()
                found = locator.locate(examples[name], image, prior)
                # The first round also pays for what a method sets up once for a size.
                if repeat or name in slow:
                    ms[name].append(1000 * (time.perf_counter() - began))
                prior = prior.updated(found.only_defined())
    return ms


def spread(grid: Grid, count: int) -> LandmarkSet:
    """Points evenly strewn over the middle of the image."""
    golden = np.arange(count) * np.pi * (3 - np.sqrt(5))
    radius = 0.3 * grid.size[0] * np.sqrt((np.arange(count) + 0.5) / count)
    middle = (np.array(grid.size[:2]) - 1) / 2
    index = np.column_stack(
        [middle + radius[:, None] * np.column_stack([np.cos(golden), np.sin(golden)]), 0 * golden]
    )
    return LandmarkSet(tuple(f"point {n + 1}" for n in range(count)), grid.to_world(index))


def sized(image: sitk.Image, side: int) -> sitk.Image:
    """A slice shown with side x side pixels."""
    size = np.array([side, side, 1])
    spacing = np.array(image.GetSize()) * np.array(image.GetSpacing()) / size
    image = sitk.Cast(image, sitk.sitkFloat32)
    for axis in range(2):
        if spacing[axis] > image.GetSpacing()[axis]:
            image = sitk.RecursiveGaussian(image, 0.4 * spacing[axis], direction=axis)
    return sitk.Resample(
        image,
        size.tolist(),
        sitk.Transform(),
        sitk.sitkLinear,
        image.GetOrigin(),
        spacing.tolist(),
        image.GetDirection(),
    )
