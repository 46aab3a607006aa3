"""Images and cines: SimpleITK images with their geometry, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid

LUMINANCE = (0.299, 0.587, 0.114)


def as_volume(image: sitk.Image) -> sitk.Image:
    """The image as the house uses it: three axes and one number a pixel.

    A 2D image becomes one slice at z = 0 with thickness 1 mm, as Slicer shows it; colour becomes luminance.
    Everything else is returned as it is.
    """
    if image.GetNumberOfComponentsPerPixel() > 1:
        channels = [
            sitk.VectorIndexSelectionCast(image, c, sitk.sitkFloat32)
            for c in range(image.GetNumberOfComponentsPerPixel())
        ]
        if len(channels) >= 3:
            image = sum(
                (channel * weight for channel, weight in zip(channels[1:3], LUMINANCE[1:], strict=True)),
                start=channels[0] * LUMINANCE[0],
            )
        else:
            image = channels[0]
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    if image.GetDimension() != 3:
        raise InputError(f"an image with {image.GetDimension()} axes is not one frame; open it as a cine")
    return image


def pixels(image: sitk.Image) -> NDArray[np.float32]:
    """(k, j, i) float32. A pixel that is not a finite number takes the smallest finite value (background).

    Raises:
        InputError: no pixel holds a finite number.
    """
    array = sitk.GetArrayFromImage(image).astype(np.float32)
    finite = np.isfinite(array)
    if not finite.all():
        if not finite.any():
            raise InputError("the image holds no finite number; check how it was exported")
        array[~finite] = array[finite].min()
    return array


def is_constant(image: sitk.Image) -> bool:
    """Whether there is nothing to see: all finite pixels hold one value, or none is finite."""
    array = sitk.GetArrayViewFromImage(image)
    finite = array[np.isfinite(array)]
    return finite.size == 0 or bool(finite.min() == finite.max())


@dataclass(frozen=True)
class Cine:
    """A sequence of images of one subject, read frame by frame: only the frame in hand is in memory.

    Attributes:
        times: one number a frame, in `time_unit`, as the file states them.
        read: frame number to image.
        grid: geometry that every frame must have.
        name: for messages and file names.
        time_unit: "s", "ms", or "frame" where the images carry no time.
    """

    times: Sequence[float]
    read: Callable[[int], sitk.Image]
    grid: Grid
    name: str
    time_unit: str = "frame"

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, frame: int) -> sitk.Image:
        """One frame, three axes.

        Raises:
            IndexError: there is no such frame.
            InputError: its size or geometry is not that of the first frame.
        """
        if not -len(self) <= frame < len(self):
            raise IndexError(f"{self.name} has frames 0 to {len(self) - 1}, not {frame}")
        frame %= len(self)
        image = as_volume(self.read(frame))
        grid = Grid.of(image)
        if not grid.same_place(self.grid):
            what = (
                f"size {grid.size} where frame 0 has {self.grid.size}"
                if grid.size != self.grid.size
                else "another position, spacing or orientation than frame 0"
            )
            raise InputError(f"{self.name}: frame {frame} has {what}; resample the frames to one grid")
        return image

    def __iter__(self) -> Iterator[sitk.Image]:
        return (self[frame] for frame in range(len(self)))

    @classmethod
    def of(cls, frames: Sequence[sitk.Image], name: str = "cine") -> Cine:
        """A cine of images that are in memory already."""
        first = as_volume(frames[0])
        return cls([float(t) for t in range(len(frames))], lambda t: frames[t], Grid.of(first), name)
