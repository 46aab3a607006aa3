"""Images and cines: SimpleITK images with their geometry, read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid

LUMINANCE = (0.299, 0.587, 0.114)
NOT_CALIBRATED = "not calibrated; lengths are in pixels (px) unless --spacing gives the size of a pixel in mm"
# Keys of an image's metadata, and what stands between notes: ITK may write it as a line of a header.
_BETWEEN = " | "
_NOTES, _CALIBRATED = "LandmarkTracker.notes", "LandmarkTracker.calibrated"


def annotated(image: sitk.Image, notes: Sequence[str] = (), calibrated: bool | None = None) -> sitk.Image:
    """The image itself, which now carries what its reader understood; see `Cine.notes`, `Cine.calibrated`.

    Args:
        notes: added to those it has.
        calibrated: left as it is if None.
    """
    if notes:
        image.SetMetaData(_NOTES, _BETWEEN.join(dict.fromkeys((*notes_of(image), *notes))))
    if calibrated is False:
        image.SetMetaData(_CALIBRATED, "no")
    elif calibrated and not is_calibrated(image):
        image.EraseMetaData(_CALIBRATED)
    return image


def notes_of(image: sitk.Image) -> tuple[str, ...]:
    """What the image's reader understood, a phrase each."""
    return tuple(image.GetMetaData(_NOTES).split(_BETWEEN)) if image.HasMetaDataKey(_NOTES) else ()


def is_calibrated(image: sitk.Image) -> bool:
    """Whether its spacing is in mm, as the file or the user states it; otherwise it is 1, a pixel."""
    return not image.HasMetaDataKey(_CALIBRATED) or image.GetMetaData(_CALIBRATED) != "no"


def length_unit(calibrated: bool) -> str:
    """The unit of positions and distances in an image: "mm", or "px" in one that is not calibrated."""
    return "mm" if calibrated else "px"


def with_spacing(image: sitk.Image, spacing: Sequence[float]) -> sitk.Image:
    """A copy of the image, calibrated by the user; its first pixel stays where it is.

    Args:
        spacing: mm; one number for every axis, two for columns and rows, or three.

    Raises:
        InputError: these are not one to three numbers above 0.
    """
    image = sitk.Image(as_volume(image))
    image.SetSpacing(_three(spacing, image.GetSpacing()))
    return annotated(image, (_given(image.GetSpacing()),), calibrated=True)


def _three(spacing: Sequence[float], stated: Sequence[float]) -> tuple[float, float, float]:
    if not 1 <= len(spacing) <= 3 or not all(np.isfinite(mm) and mm > 0 for mm in spacing):
        given = " ".join(f"{mm:g}" for mm in spacing)
        raise InputError(f"the spacing is '{given}' mm; give one to three numbers above 0")
    x, y, z = (*spacing, stated[2]) if len(spacing) == 2 else tuple(spacing) * (3 // len(spacing))
    return float(x), float(y), float(z)


def _given(spacing: Sequence[float]) -> str:
    return f"spacing {' x '.join(f'{mm:g}' for mm in spacing)} mm as given by the user"


def as_volume(image: sitk.Image) -> sitk.Image:
    """The image as every method takes it: three axes and one number a pixel.

    A 2D image becomes one slice at z = 0 with thickness 1 mm, as Slicer shows it; colour becomes luminance.
    Everything else is returned as it is.
    """
    given = image
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
    return image if image is given else annotated(image, notes_of(given), is_calibrated(given))


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
        time_unit: "s", "ms", "%" of a heart beat or a breath, or "frame" where the images carry no time.
        calibrated: whether the spacing is in mm, as the file or the user states it. Otherwise it is 1, and
            every position and distance is in pixels.
        notes: what the reader understood and what it passed over, a phrase each.
    """

    times: Sequence[float]
    read: Callable[[int], sitk.Image]
    grid: Grid
    name: str
    time_unit: str = "frame"
    calibrated: bool = True
    notes: tuple[str, ...] = ()

    @property
    def length_unit(self) -> str:
        """The unit of positions and distances: "mm", or "px" where the cine is not calibrated."""
        return length_unit(self.calibrated)

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
        return annotated(image, calibrated=self.calibrated)

    def __iter__(self) -> Iterator[sitk.Image]:
        return (self[frame] for frame in range(len(self)))

    def with_spacing(self, spacing: Sequence[float]) -> Cine:
        """The same cine, calibrated by the user. Arguments and errors as for `with_spacing` of an image."""
        grid = replace(self.grid, spacing=_three(spacing, self.grid.spacing))

        def read(frame: int) -> sitk.Image:
            return with_spacing(self[frame], grid.spacing)

        notes = (*self.notes, _given(grid.spacing))
        return replace(self, read=read, grid=grid, calibrated=True, notes=notes)

    @classmethod
    def of(cls, frames: Sequence[sitk.Image], name: str = "cine") -> Cine:
        """A cine of images that are in memory already."""
        first = as_volume(frames[0])
        times = [float(t) for t in range(len(frames))]
        return cls(
            times,
            lambda t: frames[t],
            Grid.of(first),
            name,
            calibrated=is_calibrated(first),
            notes=notes_of(first),
        )
