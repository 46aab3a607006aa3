"""The real cines with what is known about them: where to click, and how far off an answer is."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from LandmarkTrackerLib.formats import open_cine, read_image, read_landmarks
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track
from metrics import Summary, level_reached, level_reached_across, offset_to_contour, summarise
from simulated_motion import SimulatedMotion

# Held out of every shipped model's training.
HELD_OUT_CARDIAC = ("SCD0000201", "SCD0000301")
HELD_OUT_IMAGES = (
    "cardiac_edes/images/SC-HF-NI-12-*.png",
    "cardiac_edes/images/SC-HYP-40-*.png",
    "cardiac_edes/images/SC-N-05-*.png",
    "ct_followup/A072894/axial*.nrrd",
)
# No model was trained on micro-CT. Of the chest's patient the tracker has seen another part.
HELD_OUT_VOLUMES = {
    "chest CT, 3D": "ct_volumes/chest_1p5mm.nii.gz",
    "mouse skull, 3D": "mouse_skull/129S1_SVLMJ.nii.gz",
}
CONTOUR_POINTS = 8
SIMULATED_POINTS = 25
VOLUME_POINTS = 12
# What the panel calls uncertain.
UNCERTAIN_BELOW = 0.5

# The harder rows: what each changes in the simulation of the plain one.
PLAIN = {"gamma": 0.5, "noise": 0.04}
HARDER: dict[str, dict] = {
    "noise": {"noise": 0.12},
    "fading": {"fade": 0.45},
    "brightness drift": {"drift": 0.6},
    "dropped frame": {"dropped": (4,)},
    "faster breath": {"period": 7},
    "leaving the plane": {"leaving": 0.2},
}


@dataclass(frozen=True)
class Judged:
    """What became of E sought points.

    Attributes:
        errors: (E,) in the unit of the row; NaN where the point was reported missing.
        uncertain: (E,) whether it was reported uncertain.
        gone: (E,) whether it was not to be seen, so that any answer is wrong.
        level: (E,) how far the truth exhausts the stated uncertainty, see `metrics.level_reached`.
    """

    errors: Array
    uncertain: np.ndarray
    gone: np.ndarray
    level: Array

    @classmethod
    def joined(cls, parts: list[Judged]) -> Judged:
        return cls(
            *(
                np.concatenate([getattr(p, f) for p in parts])
                for f in ("errors", "uncertain", "gone", "level")
            )
        )


@dataclass(frozen=True)
class Result:
    """One method on one row of work."""

    row: str
    method: str
    judged: Judged
    unit_mm: np.ndarray
    ms_per_frame: float

    @property
    def summary(self) -> Summary:
        """Of the points that were to be seen."""
        seen = ~self.judged.gone
        return summarise(self.judged.errors[seen], self.unit_mm[seen], self.judged.uncertain[seen])

    @property
    def gone(self) -> int:
        return int(self.judged.gone.sum())

    @property
    def made_up(self) -> int:
        """Points that were not to be seen, and for which a place was reported without a doubt."""
        return int((self.judged.gone & np.isfinite(self.judged.errors) & ~self.judged.uncertain).sum())


@dataclass(frozen=True)
class Case:
    """A cine, the landmarks shown in one of its frames, and how right a track is.

    Attributes:
        row: the table row that it counts for.
        frames: the frames that are judged.
        judge: a track that holds these frames, to what became of the points there.
        unit_mm: mm in the unit of the errors.
    """

    row: str
    cine: Cine
    clicked: int
    landmarks: LandmarkSet
    frames: tuple[int, ...]
    judge: Callable[[Track], Judged]
    unit_mm: float = 1.0


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

    def judge(track: Track) -> Judged:
        found = track[track.numbers.index(systole)]
        off = offset_to_contour(found.positions, truth)
        return Judged(
            np.linalg.norm(off, axis=1),
            found.scores < UNCERTAIN_BELOW,
            np.zeros(len(found), bool),
            level_reached_across(_along_axes(off, cine.grid), found.sigmas),
        )

    return Case("cardiac", cine, diastole, landmarks, (systole,), judge)


def _along_axes(off: Array, grid: Grid) -> Array:
    """Differences of positions (..., 3), mm along the image's axes."""
    return off @ np.array(grid.direction).reshape(3, 3)


def simulated_cases(data: Path) -> Iterator[Case]:
    """Held-out images moved by up to 8 pixels, with other brightness and noise in every frame; and harder."""
    for row, harder in {"simulated": {}, **HARDER}.items():
        for seed, pattern in enumerate(HELD_OUT_IMAGES):
            paths = sorted(data.glob(pattern))
            for path in (paths[0], paths[len(paths) // 2]):
                motion = SimulatedMotion(read_image(path), seed=seed, **(PLAIN | harder))
                shown = in_the_body(motion, SIMULATED_POINTS)
                yield simulated_case(row, motion, f"{row}, {path.stem}", shown)


def volume_cases(data: Path) -> Iterator[Case]:
    """Held-out volumes moved by up to 6 voxels; 4 frames, the last of them the farthest."""
    for seed, (row, file) in enumerate(HELD_OUT_VOLUMES.items()):
        motion = SimulatedMotion(
            read_image(data / file), seed, frames=5, period=8, reach=6.0, bump=0.3, **PLAIN
        )
        shown = _annotated(data / file) or in_the_body(motion, VOLUME_POINTS)
        yield simulated_case(row, motion, row, shown)


def _annotated(path: Path) -> LandmarkSet | None:
    """Some of the landmarks that lie beside an image."""
    points = path.with_name(f"{path.name.partition('.')[0]}.mrk.json")
    if not points.exists():
        return None
    landmarks = read_landmarks(points)
    return landmarks.select(landmarks.names[:: len(landmarks) // VOLUME_POINTS])


def in_the_body(motion: SimulatedMotion, count: int) -> LandmarkSet:
    """Points anywhere in the body but near the border, where they could leave the image."""
    rng = np.random.default_rng(motion.seed)
    shown, d = pixels(motion.image), 2 if motion.grid.is_slice else 3
    bright = shown > np.percentile(shown, 40)
    size = np.array(motion.grid.size[:d])
    offered = np.zeros((1000, 3))
    offered[:, :d] = rng.uniform(0.12 * size, 0.88 * size, (1000, d))
    i, j, k = np.rint(offered).astype(int).T
    index = offered[bright[k, j, i]][:count]
    names = tuple(f"point {n + 1}" for n in range(len(index)))
    return LandmarkSet(names, motion.grid.to_world(index))


def simulated_case(row: str, motion: SimulatedMotion, name: str, landmarks: LandmarkSet) -> Case:
    grid = motion.grid
    frames = tuple(range(1, motion.frames))
    truth = motion.track(landmarks).positions
    replaced = np.stack([motion.replaced(landmarks, t) for t in range(motion.frames)])
    unit = 1.0 if grid.is_slice else np.array(grid.spacing)

    def judge(track: Track) -> Judged:
        rows = [track.numbers.index(t) for t in frames]
        found, other = [track[row] for row in rows], replaced[list(frames)]
        off = _along_axes(np.stack([f.positions for f in found]) - truth[list(frames)], grid)
        sigmas, scores = np.stack([f.sigmas for f in found]), np.stack([f.scores for f in found])
        errors = np.linalg.norm(off / grid.spacing * unit, axis=2)
        # Between half gone and gone nobody could say which answer is right.
        clear = (other <= 0.5) | (other > 0.9)
        level = level_reached(off.reshape(-1, 3), sigmas.reshape(-1, 3)).reshape(errors.shape)
        return Judged(errors[clear], scores[clear] < UNCERTAIN_BELOW, other[clear] > 0.9, level[clear])

    # Drawn once for all methods.
    cine = Cine.of(list(motion.cine()), f"simulated {name}")
    return Case(row, cine, 0, landmarks, frames, judge, grid.spacing[0] if grid.is_slice else 1.0)


def liver_cases(data: Path) -> Iterator[Case]:
    """A grid of points within the liver; error of their median superior-inferior displacement, each frame.

    Where in the liver the target lay is not stated, and a liver moves more in one place than in another: the
    second case leaves out what one scale for all frames explains.
    """
    cine = open_cine(data / "liver_cine" / "sagittal")
    with (data / "liver_cine" / "sagittal_target_displacement.csv").open() as file:
        superior = np.array([float(row["Z"]) for row in csv.DictReader(file)])
    index = [(i, j, 0) for j in range(18, 44, 5) for i in range(95, 200, 15)]
    names = tuple(f"liver {n + 1}" for n in range(len(index)))
    landmarks = LandmarkSet(names, cine.grid.to_world(index))
    frames = tuple(range(1, len(cine)))

    def judge(track: Track, scaled: bool) -> Judged:
        moved = np.nanmedian(track.positions[:, :, 2] - landmarks.positions[:, 2], axis=1)
        truth = (superior - superior[0])[list(track.numbers)]
        scale = (moved @ truth) / max(moved @ moved, 1e-9) if scaled else 1.0
        off = np.asarray(scale * moved - truth)[1:]
        scores = np.array([np.median(found.scores) for found in track])[1:]
        return Judged(off, scores < UNCERTAIN_BELOW, np.zeros(len(off), bool), np.full(len(off), np.nan))

    for row, scaled in (("liver", False), ("liver, scaled", True)):
        yield Case(row, cine, 0, landmarks, frames, partial(judge, scaled=scaled))
