"""A breathing torso, MR-like, drawn by code from a seed: every landmark's position is known in every frame.

The anatomy is fixed in *material* coordinates. Frame t shows at the point x what lies at the material point
X where x = X + u(X, t). Landmarks move with u exactly; the image is drawn by inverting u, so both agree to a
thousandth of a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track

# A sagittal slice: columns run to posterior, rows to inferior.
SAGITTAL = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
FRAME_S = 0.25
OVERSAMPLING = 3


@dataclass(frozen=True)
class Phantom:
    """One simulated patient.

    Attributes:
        seed: anatomy, breathing and noise follow from it.
        frames: length of the cine; a frame takes 0.25 s.
        size: columns (anterior to posterior) and rows (superior to inferior).
        spacing: mm a pixel.
        noise: standard deviation of the Rician noise, as a share of the liver's brightness.
    """

    seed: int = 0
    frames: int = 60
    size: tuple[int, int] = (144, 176)
    spacing: float = 1.8
    noise: float = 0.04

    @cached_property
    def grid(self) -> Grid:
        columns, rows = self.size
        origin = (38.0, -columns * self.spacing / 2, rows * self.spacing / 2)
        return Grid((columns, rows, 1), (self.spacing, self.spacing, 6.0), origin, SAGITTAL)

    def cine(self) -> Cine:
        """The images; each is drawn when it is asked for, and is the same every time."""
        times = [round(t * FRAME_S, 6) for t in range(self.frames)]
        return Cine(times, self._draw, self.grid, f"phantom {self.seed}", "s")

    def landmarks(self, frame: int) -> LandmarkSet:
        """The exact positions in a frame, LPS mm."""
        material = np.array(list(self._anatomy.landmarks.values()))
        at = material + self._displacement(material, frame)
        index = np.column_stack([at / self.spacing, np.zeros(len(at))])
        return LandmarkSet(tuple(self._anatomy.landmarks), self.grid.to_world(index))

    def track(self) -> Track:
        """The exact positions in every frame."""
        return Track(np.array(self.cine().times), tuple(self.landmarks(t) for t in range(self.frames)), "s")

    @cached_property
    def _anatomy(self) -> Anatomy:
        return Anatomy.grown(np.random.default_rng([self.seed, 1]), self.size, self.spacing)

    @cached_property
    def _breathing(self) -> Array:
        """(T,) 0 at end-expiration, about 1 at end-inspiration; no two breaths are of one depth and pace."""
        rng = np.random.default_rng([self.seed, 2])
        phase = np.cumsum(FRAME_S / rng.normal(3.8, 0.3) * (1 + 0.15 * _smooth(rng, self.frames)))
        depth = 1 + 0.15 * _smooth(rng, self.frames)
        drift = 0.08 * _smooth(rng, self.frames)
        return np.asarray(depth * np.sin(np.pi * (phase + rng.uniform(0, 1))) ** 4 + drift)

    def _displacement(self, material: Array, frame: int) -> Array:
        """u (N, 2) mm along columns and rows of material points (N, 2): the organs glide, the spine stays."""
        breath, anatomy = self._breathing[frame], self._anatomy
        from_dome = (material[:, 1] - anatomy.dome[1]) / anatomy.height
        down = np.exp(-0.5 * (from_dome / np.where(from_dome < 0, 0.16, 0.34)) ** 2)
        front = 1 / (1 + np.exp((material[:, 0] - anatomy.spine) / (0.022 * anatomy.width)))
        along_rows = anatomy.excursion * breath * down * front
        # The belly rises: strongest at the anterior wall, level with the liver.
        wall = np.clip(1 - material[:, 0] / anatomy.spine, 0, 1)
        along_columns = -0.35 * anatomy.excursion * breath * wall * down
        return np.column_stack([along_columns, along_rows])

    def _draw(self, frame: int) -> sitk.Image:
        columns, rows = self.size
        jj, ii = np.mgrid[0:rows, 0:columns]
        x = np.column_stack([ii.ravel(), jj.ravel()]) * self.spacing
        material = x.copy()
        # u is a contraction (slope below 1), so this converges; 30 steps leave far less than a micrometre.
        for _ in range(30):
            material = x - self._displacement(material, frame)
        shown = _sample(self._anatomy.picture, material / self.spacing * OVERSAMPLING).reshape(rows, columns)
        rng = np.random.default_rng([self.seed, 3, frame])
        coil = 1.15 - 0.3 * ii / columns
        real, imaginary = rng.normal(0, self.noise, (2, rows, columns))
        signal = np.hypot(shown * coil + real, imaginary) * 400
        image = sitk.GetImageFromArray(np.rint(signal).astype(np.int16)[None])
        image.SetSpacing(self.grid.spacing)
        image.SetOrigin(self.grid.origin)
        image.SetDirection(self.grid.direction)
        return image


@dataclass(frozen=True)
class Anatomy:
    """What a seed grows: a picture in material coordinates, and the points that breathing moves.

    Attributes:
        picture: (rows, columns) brightness, OVERSAMPLING pixels to one of the cine.
        landmarks: name to (column, row) in mm.
        dome: top of the liver, mm.
        spine: column in mm where the moving organs end.
        width, height: of the field of view, mm.
        excursion: how far the dome descends in a breath of depth 1, mm.
    """

    picture: np.ndarray
    landmarks: dict[str, Array]
    dome: Array
    spine: float
    width: float
    height: float
    excursion: float

    @classmethod
    def grown(cls, rng: np.random.Generator, size: tuple[int, int], spacing: float) -> Anatomy:
        width, height = size[0] * spacing, size[1] * spacing
        canvas = _Canvas(rng, size, spacing)

        def at(column: float, row: float, wobble: float = 0.015) -> Array:
            """A point given as a share of the field of view, somewhat different in every patient."""
            return np.array([column * width, row * height]) + rng.normal(0, wobble, 2) * (width, height)

        trunk = (np.array([0.5 * width, 0.5 * height]), (0.44 * width, 0.75 * height))
        canvas.fill(*trunk, 0.95)  # subcutaneous fat
        canvas.fill(trunk[0], (0.40 * width, 0.73 * height), 0.45)  # muscle
        lung = at(0.44, 0.16)
        canvas.fill(lung, (0.30 * width, 0.34 * height), 0.10)
        for _ in range(14):
            canvas.tube(lung + rng.normal(0, 0.09, 2) * (width, height), rng, 0.25, 0.9, 14)
        bowel = at(0.36, 0.82)
        canvas.fill(bowel, (0.26 * width, 0.20 * height), 0.38)
        for _ in range(9):
            radius = rng.uniform(0.03, 0.07) * width
            canvas.fill(
                bowel + rng.normal(0, 0.08, 2) * (width, height), (radius, radius), rng.uniform(0.2, 0.9)
            )

        liver, axes = at(0.44, 0.50), (0.27 * width, rng.uniform(0.20, 0.23) * height)
        canvas.fill(liver, axes, 0.62, texture=0.05)
        dome = liver - np.array([0, axes[1]])
        spread = [(-0.40, -0.25), (0.15, -0.45), (0.40, 0.10), (-0.10, 0.15), (-0.45, 0.30)]
        vessels = [liver + np.array(s) * axes + rng.normal(0, 4, 2) for s in spread]
        for vessel in vessels:
            canvas.tube(vessel, rng, 0.98, rng.uniform(2.0, 3.2), rng.uniform(18, 30))
            canvas.tube(vessel, rng, 0.95, rng.uniform(1.6, 2.4), rng.uniform(14, 24))
        lesion = liver + np.array([0.12, -0.05]) * axes + rng.normal(0, 3, 2)
        canvas.fill(lesion, (5.5, 4.5), 0.30)
        kidney = at(0.62, 0.70, 0.01)
        canvas.fill(kidney, (0.075 * width, 0.115 * height), 0.80, texture=0.04)
        canvas.fill(kidney, (0.030 * width, 0.060 * height), 0.50)
        spine = 0.74 * width
        vertebrae = [np.array([0.80 * width, row * height]) for row in np.arange(0.05, 1.0, 0.115)]
        for vertebra in vertebrae:
            canvas.fill(vertebra, (0.055 * width, 0.046 * height), 0.58, power=4, texture=0.06)
        landmarks = {
            "liver dome": dome,
            "lesion": lesion,
            "vessel 1": vessels[0],
            "vessel 2": vessels[1],
            "vessel 3": vessels[4],
            "kidney upper pole": kidney - np.array([0, 0.115 * height]),
            "vertebra": vertebrae[4],
        }
        excursion = rng.uniform(13, 20)
        return cls(canvas.finished(), landmarks, dome, spine, width, height, excursion)


class _Canvas:
    """Soft-edged shapes painted over each other; positions and radii in mm."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int], spacing: float) -> None:
        columns, rows = (n * OVERSAMPLING for n in size)
        jj, ii = np.mgrid[0:rows, 0:columns]
        self.step = spacing / OVERSAMPLING
        self.x, self.y = ii * self.step, jj * self.step
        self.values = np.zeros((rows, columns))
        self.texture = _texture(rng, (rows, columns), 2.2 / self.step)
        self.coarse = _texture(rng, (rows, columns), 9 / self.step)

    def fill(
        self,
        centre: Array,
        radii: tuple[float, float],
        value: float,
        texture: float = 0.02,
        power: float = 2.0,
    ) -> None:
        """A (super-)ellipse."""
        dx, dy = np.abs(self.x - centre[0]) / radii[0], np.abs(self.y - centre[1]) / radii[1]
        distance = ((dx**power + dy**power) ** (1 / power) - 1) * min(radii)
        self._blend(distance, value * (1 + texture * self.texture + 0.06 * self.coarse))

    def tube(self, end: Array, rng: np.random.Generator, value: float, radius: float, length: float) -> None:
        """A straight vessel that starts at `end` and thins out."""
        angle = rng.uniform(0, 2 * np.pi)
        along = (self.x - end[0]) * np.cos(angle) + (self.y - end[1]) * np.sin(angle)
        across = (self.y - end[1]) * np.cos(angle) - (self.x - end[0]) * np.sin(angle)
        beyond = along - np.clip(along, 0, length)
        taper = radius * (1 - 0.5 * np.clip(along / length, 0, 1))
        self._blend(np.hypot(across, beyond) - taper, np.full_like(self.values, value))

    def _blend(self, distance: Array, value: Array) -> None:
        """Paint where `distance` (mm) to the edge is negative; the edge is about 1 mm wide."""
        cover = 1 / (1 + np.exp(np.clip(distance / 0.35, -50, 50)))
        self.values = self.values * (1 - cover) + value * cover

    def finished(self) -> Array:
        """Blurred to the resolution of the cine, so that sampling it does not alias."""
        return _blur(self.values, 0.45 * OVERSAMPLING)


def _blur(values: Array, sigma: float) -> Array:
    blurred = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(values), sigma)
    return sitk.GetArrayFromImage(blurred).astype(float)


def _texture(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> Array:
    values = _blur(rng.normal(size=shape), sigma)
    return values / values.std()


def _smooth(rng: np.random.Generator, length: int) -> Array:
    """(length,) slow random course with standard deviation of about 1."""
    knots = rng.normal(size=length // 12 + 4)
    return np.interp(np.arange(length) / 12.0, np.arange(len(knots)), knots)


def _sample(picture: Array, at: Array) -> Array:
    """Bilinear samples of `picture` at (N, 2) (column, row); 0 outside."""
    rows, columns = picture.shape
    low = np.floor(at).astype(int)
    part = at - low
    inside = (low >= 0).all(axis=1) & (low[:, 0] < columns - 1) & (low[:, 1] < rows - 1)
    i, j = low[inside].T
    di, dj = part[inside].T
    values = np.zeros(len(at))
    upper = picture[j, i] * (1 - di) + picture[j, i + 1] * di
    lower = picture[j + 1, i] * (1 - di) + picture[j + 1, i + 1] * di
    values[inside] = upper * (1 - dj) + lower * dj
    return values
