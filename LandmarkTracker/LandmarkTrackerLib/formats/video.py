"""Videos: mp4, avi, mov, animated gif, and what else FFmpeg decodes, by PyAV.

Frames are decoded when they are asked for. What follows the last one is decoded on from there; anything else
from the nearest key frame before it. A few frames are kept, so that a cine that is followed backwards does
not decode each of them anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import require_file, stem
from LandmarkTrackerLib.formats.times import frame_numbers, rises
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine

SUFFIXES = (".mp4", ".avi", ".mov", ".gif", ".m4v", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg")
KEPT = 128 << 20  # bytes of decoded frames


def read_cine(path: Path) -> Cine:
    """The frames of a video, in colour if they differ in it; its pixels are not calibrated.

    Raises:
        InputError: PyAV is not installed, or the file is damaged, no video, or holds one frame only.
    """
    video = _Video(require_file(path))
    if len(video) < 2:
        raise InputError(f"{path} holds one frame; a cine has two frames or more")
    first = video.frame(0)
    grid = Grid(
        (first.shape[1], first.shape[0], 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel())
    )
    times = video.times
    stated, unit = (times, "s") if rises(times) else frame_numbers(len(video))

    def read(number: int) -> sitk.Image:
        array = video.frame(number)
        grey = array.ndim == 3 and (array[..., :1] == array).all()
        array = array[..., 0] if grey else array
        return sitk.GetImageFromArray(array[None], isVector=array.ndim == 3)

    return Cine(stated, read, grid, stem(path), unit, calibrated=False)


class _Video:
    """Frame number to pixels (rows, columns, 3) uint8."""

    def __init__(self, path: Path) -> None:
        try:
            import av
        except ImportError as error:
            raise InputError(
                f"{path} is a video, which needs PyAV; install it with: pip install av"
            ) from error
        self.path, self._av = path, av
        self._frames: OrderedDict[int, np.ndarray] = OrderedDict()
        self._decoding: Iterator[tuple[int, np.ndarray]] = iter(())
        self._next = -1
        self._container = self._attempt(lambda: av.open(str(path)))
        if not self._container.streams.video:
            raise InputError(f"{path} holds no video; give a file with frames")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._stamps = self._attempt(self._all_stamps)

    def __len__(self) -> int:
        return len(self._stamps)

    @property
    def times(self) -> list[float]:
        """Seconds from the first frame, as the file states them."""
        base = float(self._stream.time_base or 0)
        return [round((stamp - self._stamps[0]) * base, 9) for stamp in self._stamps]

    def frame(self, number: int) -> np.ndarray:
        """One frame.

        Raises:
            InputError: it is damaged.
        """
        if number not in self._frames:
            if number != self._next:
                self._decoding = self._from(number)
            for found, array in self._decoding:
                self._keep(found, array)
                self._next = found + 1
                if found >= number:
                    break
        if number not in self._frames:
            raise InputError(f"{self.path}: frame {number} is damaged; copy or convert the video again")
        self._frames.move_to_end(number)
        return self._frames[number]

    def _keep(self, number: int, array: np.ndarray) -> None:
        self._frames[number] = array
        while len(self._frames) > 1 and len(self._frames) * array.nbytes > KEPT:
            self._frames.popitem(last=False)

    def _from(self, number: int) -> Iterator[tuple[int, np.ndarray]]:
        """Frames in order, beginning at or before this one."""
        place = {stamp: n for n, stamp in enumerate(self._stamps)}
        try:
            self._container.seek(self._stamps[number], stream=self._stream, backward=True)
            for decoded in self._container.decode(self._stream):
                stamp = decoded.pts if decoded.pts is not None else decoded.dts
                if stamp in place:
                    yield place[stamp], decoded.to_ndarray(format="rgb24")
        except (self._av.FFmpegError, ValueError, MemoryError) as error:
            raise InputError(f"{self.path} is damaged ({error}); copy or convert the video again") from error

    def _all_stamps(self) -> list[int]:
        """The time stamp of every frame, in order; those of the decoded frames if the file states none."""
        packets = [p.pts for p in self._container.demux(self._stream) if p.size and not p.is_corrupt]
        if packets and all(stamp is not None for stamp in packets):
            stamps = sorted(set(packets))
        else:
            self._container.seek(0)
            decoded = [f.pts if f.pts is not None else f.dts for f in self._container.decode(self._stream)]
            stamps = sorted({stamp for stamp in decoded if stamp is not None})
        if not stamps:
            raise InputError(f"{self.path} holds no frame; convert the video again")
        return [int(stamp) for stamp in stamps]

    def _attempt(self, work: Any) -> Any:
        try:
            return work()
        except (self._av.FFmpegError, ValueError, OSError) as error:
            raise InputError(f"{self.path} is damaged or no video ({error}); convert it again") from error
