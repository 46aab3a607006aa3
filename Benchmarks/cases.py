"""The real cines with what is known about them: where to click, and how far off an answer is."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from LandmarkTrackerLib.evaluation.metrics import distance_to_contour
from LandmarkTrackerLib.evaluation.simulated_motion import SimulatedMotion
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.images import Cine, pixels
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

# Held out of every shipped model's training.
HELD_OUT_CARDIAC = ("SCD0000201", "SCD0000301")
HELD_OUT_IMAGES = (
    "cardiac_edes/images/SC-HF-NI-12-*.png",
    "cardiac_edes/images/SC-HYP-40-*.png",
    "cardiac_edes/images/SC-N-05-*.png",
    "ct_followup/A072894/axial*.nrrd",
)
CONTOUR_POINTS = 8
SIMULATED_POINTS = 25


@dataclass(frozen=True)
class Case:
    """A cine, the landmarks shown in one of its frames, and the error of a track.

    Attributes:
        row: the table row that it counts for.
        errors: track to (E,) mm, pixels where the motion is simulated; NaN where a point is missing.
    """

    row: str
    cine: Cine
    clicked: int
    landmarks: LandmarkSet
    errors: Callable[[Track], np.ndarray]


def data_folder() -> Path:
    """Where the real images are; ends the program with a sentence if they are nowhere."""
    folder = Path(os.environ.get("LANDMARKTRACKER_DATA", "data"))
    if not folder.is_dir():
        sys.exit(f"no real images at {folder}; set LANDMARKTRACKER_DATA to their folder (see Docs/data.md)")
    return folder


def cardiac_cases(data: Path) -> Iterator[Case]:
    """Eight points of the expert's end-diastolic endocardial contour; distance to the end-systolic one."""
    for patient in HELD_OUT_CARDIAC:
        contours = json.loads((data / "cardiac_cine" / f"{patient}_contours.json").read_text())["contours"]
        by_slice: dict[str, dict[int, np.ndarray]] = {}
        for contour in contours:
            if contour["contour"] == "endocardium":
                points = np.array(contour["points_px"])
                by_slice.setdefault(contour["sequence"], {})[contour["frame"]] = points
        for name, frames in sorted(by_slice.items()):
            if len(frames) == 2:
                yield _cardiac_case(open_cine(data / "cardiac_cine" / f"{name}.seq.nrrd"), frames)


def _cardiac_case(cine: Cine, frames: dict[int, np.ndarray]) -> Case:
    systole, diastole = sorted(frames)

    def world(points: np.ndarray) -> np.ndarray:
        return cine.grid.to_world(np.column_stack([points, np.zeros(len(points))]))

    contour = frames[diastole]
    chosen = contour[np.linspace(0, len(contour), CONTOUR_POINTS, endpoint=False).astype(int)]
    landmarks = LandmarkSet(tuple(f"endocardium {n + 1}" for n in range(CONTOUR_POINTS)), world(chosen))
    truth = world(frames[systole])

    def errors(track: Track) -> np.ndarray:
        return distance_to_contour(track[track.numbers.index(systole)].positions, truth)

    return Case("cardiac", cine, diastole, landmarks, errors)


def simulated_cases(data: Path) -> Iterator[Case]:
    """Held-out images moved by up to 8 pixels, with other brightness and noise in every frame."""
    for seed, pattern in enumerate(HELD_OUT_IMAGES):
        paths = sorted(data.glob(pattern))
        for path in (paths[0], paths[len(paths) // 2]):
            motion = SimulatedMotion(read_image(path), seed=seed, gamma=0.5, noise=0.04)
            yield _simulated_case(motion, path.stem)


def _simulated_case(motion: SimulatedMotion, name: str) -> Case:
    """Points anywhere in the body but near the border, where they could leave the image."""
    rng = np.random.default_rng(motion.seed)
    shown = pixels(motion.image)[0]
    size = np.array(motion.grid.size[:2])
    bright = shown > np.percentile(shown, 40)
    offered = rng.uniform(0.12 * size, 0.88 * size, (1000, 2))
    column, row = np.rint(offered).astype(int).T
    index = offered[bright[row, column]][:SIMULATED_POINTS]
    names = tuple(f"point {n + 1}" for n in range(len(index)))
    landmarks = LandmarkSet(names, motion.grid.to_world(np.column_stack([index, np.zeros(len(index))])))
    truth = motion.track(landmarks).positions

    def errors(track: Track) -> np.ndarray:
        off = (track.positions - truth) @ np.linalg.inv(motion.grid.axes).T
        return np.linalg.norm(off, axis=2)[1:].ravel()

    # Drawn once for all methods.
    return Case("simulated", Cine.of(list(motion.cine()), f"simulated {name}"), 0, landmarks, errors)


def liver_case(data: Path) -> Case:
    """A grid of points within the liver; error of their median superior-inferior displacement, each frame."""
    cine = open_cine(data / "liver_cine" / "sagittal")
    with (data / "liver_cine" / "sagittal_target_displacement.csv").open() as file:
        superior = np.array([float(row["Z"]) for row in csv.DictReader(file)])
    index = [(i, j, 0) for j in range(18, 44, 5) for i in range(95, 200, 15)]
    names = tuple(f"liver {n + 1}" for n in range(len(index)))
    landmarks = LandmarkSet(names, cine.grid.to_world(index))

    def errors(track: Track) -> np.ndarray:
        moved = np.nanmedian(track.positions[:, :, 2] - track[0].positions[:, 2], axis=1)
        return np.asarray(moved - (superior - superior[0]))[1:]

    return Case("liver", cine, 0, landmarks, errors)
