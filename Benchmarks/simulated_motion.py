"""Known motion of a real image: a cine whose every landmark position is exact.

The image itself is frame 0. Frame t shows at the point y what frame 0 shows at y + u(y, t), with smooth u;
brightness and noise differ from frame to frame. A landmark q of frame 0 is seen where y + u(y, t) = q.

Tissue that moves through the plane gives way to other tissue, for which the image turned by 180 degrees
stands in: the same organs' grey values, in the wrong place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet, Track
from LandmarkTrackerLib.simulation.deformation import Deformation, Smooth, jittered
from simulated_scans import resampled


@dataclass(frozen=True)
class SimulatedMotion:
    """A cine made of one slice or volume.

    Attributes:
        image: frame 0.
        seed: motion, brightness and noise follow from it.
        frames: length; the motion goes out and comes back once in `period` frames.
        reach: largest displacement, pixels.
        period: frames a cycle.
        bump: standard deviation of the Gaussian bumps that the motion is made of, as a share of the image; it
            must stay clearly wider than `reach`, or the motion would fold.
        gamma: exponent of the brightness, drawn for each frame from 1 / (1 + gamma) to 1 + gamma.
        noise: standard deviation, as a share of the range of brightness.
        drift: by the last frame, one side of the image is exp(drift) times brighter and the other darker.
        fade: share of other tissue in every pixel at the largest excursion.
        leaving: share of the image in whose place other tissue is seen in the farther part of the excursion.
        dropped: frames that hold nothing but noise.
    """

    image: sitk.Image
    seed: int = 0
    frames: int = 8
    reach: float = 8.0
    period: int = 14
    bump: float = 0.16
    gamma: float = 0.3
    noise: float = 0.02
    drift: float = 0.0
    fade: float = 0.0
    leaving: float = 0.0
    dropped: tuple[int, ...] = ()

    @cached_property
    def grid(self) -> Grid:
        return Grid.of(self.image)

    @cached_property
    def _moving(self) -> list[int]:
        """The axes along which there is motion."""
        return [0, 1] if self.grid.is_slice else [0, 1, 2]

    @cached_property
    def _bumps(self) -> Smooth:
        """The displacement in pixels along the moving axes where the longest one is one pixel."""
        rng = np.random.default_rng([self.seed, 1])
        size = np.array(self.grid.size, dtype=float)[self._moving]
        width = self.bump * float(size.min())
        at = jittered(rng, [np.arange(-width, s + 2 * width, 1.5 * width) for s in size], width / 2)
        bumps = Smooth.bumps(at, rng.normal(size=at.shape) + rng.normal(0, 1.0, len(size)), width)
        lattice = [np.linspace(0, s - 1, 33 if len(size) == 2 else 13) for s in size]
        return bumps.times(1 / np.linalg.norm(bumps.on_axes(lattice), axis=0).max())

    def _excursion(self, frame: int) -> float:
        """0 to 1"""
        return float(np.sin(np.pi * frame / self.period) ** 2)

    @cached_property
    def _everywhere(self) -> Array:
        """([k,] j, i, d) the displacement of every pixel where the longest one is one pixel."""
        return self._bumps.on_axes([np.arange(float(self.grid.size[axis])) for axis in self._moving]).T

    def landmarks(self, shown: LandmarkSet, frame: int) -> LandmarkSet:
        """Where landmarks of frame 0 are in another frame, LPS mm, to a thousandth of a pixel."""
        index = self.grid.to_index(shown.positions)
        moves = self._bumps.times(self.reach * self._excursion(frame))
        motion = replace(Deformation.none(np.zeros(len(self._moving))), parts=(moves,))
        index[:, self._moving] = motion.apply_to_points(index[:, self._moving])
        return LandmarkSet(shown.names, self.grid.to_world(index))

    def replaced(self, shown: LandmarkSet, frame: int) -> Array:
        """(N,) the share of other tissue where landmarks of frame 0 should be in another frame, 0 to 1."""
        if frame in self.dropped:
            return np.ones(len(shown))
        where = np.rint(self.grid.to_index(shown.positions)).astype(int)
        cover = np.broadcast_to(self._cover(frame), self.grid.size[::-1])
        return np.array([cover[k, j, i] for i, j, k in where])

    def track(self, shown: LandmarkSet) -> Track:
        """The exact positions in every frame."""
        return Track(
            np.arange(self.frames, dtype=float),
            tuple(shown if t == 0 else self.landmarks(shown, t) for t in range(self.frames)),
        )

    def cine(self) -> Cine:
        """The images; each is made when it is asked for, and is the same every time."""
        return Cine([float(t) for t in range(self.frames)], self._frame, self.grid, f"simulated {self.seed}")

    def _frame(self, frame: int) -> sitk.Image:
        if frame == 0:
            return self.image
        low, high = np.percentile(pixels(self.image), (0.5, 99.5))
        rng = np.random.default_rng([self.seed, 2, frame])
        if frame in self.dropped:
            scaled = rng.rayleigh(0.2, self.grid.size[::-1])
        else:
            moved = sitk.GetArrayFromImage(self._warped(frame)).reshape(self.grid.size[::-1])
            gamma = np.exp(rng.uniform(-1, 1) * np.log1p(self.gamma))
            scaled = np.clip((moved - low) / max(high - low, 1e-6), 0, None) ** gamma
            scaled *= np.exp(self.drift * frame / (self.frames - 1) * np.linspace(-1, 1, self.grid.size[0]))
            scaled += rng.normal(0, self.noise, scaled.shape)
        image = sitk.GetImageFromArray((low + scaled * (high - low)).astype(np.float32))
        image.CopyInformation(self.image)
        return image

    def _warped(self, frame: int) -> sitk.Image:
        """Cubic resampling, in pixels: of a slice within its plane, where its neighbours are."""
        values = pixels(self.image)
        cover = self._cover(frame)
        if cover.any():
            values = ((1 - cover) * values + cover * values[:, ::-1, ::-1]).astype(np.float32)
        values = values[0] if self.grid.is_slice else values
        moves = self.reach * self._excursion(frame) * self._everywhere
        return resampled(values, moves, [1.0] * len(self._moving), sitk.sitkBSpline, 0.0)

    def _cover(self, frame: int) -> Array:
        """Share of other tissue, 0 to 1, at the pixels of frame 0: (k, j, i), or one number for all."""
        away = self._excursion(frame)
        gone = np.clip(3 * away - 1, 0, 1) * self._leaves if self.leaving else np.zeros(1)
        return np.maximum(self.fade * away, gone)

    @cached_property
    def _leaves(self) -> Array:
        """(k, j, i) 1 where the tissue leaves, with soft edges."""
        shape = self.grid.size[::-1][1 if self.grid.is_slice else 0 :]
        noise = sitk.GetImageFromArray(np.random.default_rng([self.seed, 3]).normal(size=shape))
        smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 0.07 * min(shape)))
        above = (smooth - np.quantile(smooth, 1 - self.leaving)) / smooth.std()
        return np.clip(4 * above + 0.5, 0, 1).reshape(self.grid.size[::-1])
