"""What the landmark formats share: points as a file holds them, what their numbers mean, the way to LPS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs, LandmarkSet
from LandmarkTrackerLib.plane import Plane

# What takes a position in the named system to LPS, and back.
TO_LPS = {"LPS": np.array([1.0, 1.0, 1.0]), "RAS": np.array([-1.0, -1.0, 1.0])}
PAIR = ("fixed", "moving")


@dataclass(frozen=True)
class Point:
    """One row of a landmark file.

    Attributes:
        name: as people see it; without blanks at its ends.
        position: 2 or 3 numbers as the file has them; None, or all NaN, where the landmark is missing.
        sigma: mm, one number or 3 along the image's axes; 0 for a point that was clicked.
        uncertain: whether its place needs a look.
    """

    name: str
    position: Sequence[float] | None
    sigma: float | Sequence[float] = 0.0
    score: float = 1.0
    uncertain: bool = False

    def __post_init__(self) -> None:
        # Half of a surrogate pair cannot be written to any file.
        name = self.name.encode("utf-8", "replace").decode("utf-8")
        object.__setattr__(self, "name", " ".join(name.split()))
        if self.position is not None and np.isnan(self.position).all():
            object.__setattr__(self, "position", None)


@dataclass(frozen=True)
class Coordinates:
    """What the numbers of a point file mean.

    Attributes:
        system: "LPS" or "RAS", mm: in the world, or, of two numbers, in the `Plane` of a slice. "pixel":
            columns, rows and slices of the image.
        source: how that is known, for people: "as the file states".
        stated: whether the file itself says so; otherwise the user may know better.
        first: number of the first pixel's centre, along every axis.
        upwards: rows count from the lower edge of the image, so that a point lies in row height - y.
        flat: points of slices have a third number too, which is 0 then.
    """

    system: str
    source: str = "as the file states"
    stated: bool = True
    first: int = 0
    upwards: bool = False
    flat: bool = False

    def __str__(self) -> str:
        if self.system != "pixel":
            return f"{self.system} mm, {self.source}"
        rows = ", rows upwards from the lower edge" if self.upwards else ""
        return f"pixels, the first is {self.first}{rows}, {self.source}"

    def to_lps(self, values: Array, grid: Grid | None) -> Array:
        """Numbers (N, 2 or 3) to LPS mm (N, 3).

        Args:
            grid: of the image; needed for pixels, and for two numbers.

        Raises:
            InputError: the image is needed and not given, or has other axes than the points.
        """
        if grid is not None and grid.is_slice and self.may_be_flat(values):
            values = values[:, :2]
        axes = values.shape[1]
        if self.system != "pixel" and axes == 3:
            return values * TO_LPS[self.system] + 0.0
        if grid is None:
            what = "pixels" if self.system == "pixel" else "in the plane of a slice"
            raise InputError(f"its points are {what}; give the image that they lie on")
        if axes == 2 and not grid.is_slice:
            raise InputError("its points have two numbers each, and the image is a volume; give a slice")
        if self.system != "pixel":
            return Plane(grid).to_world(values * TO_LPS[self.system][:2])
        index = np.zeros((len(values), 3))
        index[:, :axes] = values - self.first
        if self.upwards:
            index[:, 1] = grid.size[1] - values[:, 1]
        return grid.to_world(index)

    def may_be_flat(self, values: Array) -> bool:
        """Whether the third of the numbers (N, 3) may be none."""
        return self.flat and values.shape[1] == 3 and not np.nan_to_num(values[:, 2]).any()


# What a user may say of a file that does not state it.
ASKED = "as given by --coordinates"
CHOICES = {
    "lps": Coordinates("LPS", ASKED, stated=False),
    "ras": Coordinates("RAS", ASKED, stated=False),
    "pixel": Coordinates("pixel", ASKED, stated=False),
    "pixel-1": Coordinates("pixel", ASKED, stated=False, first=1),
}


@dataclass(frozen=True)
class PointFile:
    """The points of a file before they are put into the world.

    Attributes:
        format: for people: "elastix points".
        coordinates: None where neither the file nor the program that writes such files says.
        images: the points of each image that the file is about, by the image's name: "" where there is one
            only, `PAIR` where the points of two images belong together row by row.
    """

    path: Path
    format: str
    coordinates: Coordinates | None
    images: Mapping[str, tuple[Point, ...]]

    def __post_init__(self) -> None:
        if not any(self.images.values()):
            raise InputError(
                f"{self.path} holds no landmark; place at least one control point and save it again"
            )

    @property
    def is_pair(self) -> bool:
        """Whether it holds the points of a fixed and a moving image."""
        return tuple(self.images) == PAIR

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the landmarks of all images, in the order of the first.

        Raises:
            InputError: two landmarks of an image have one name, or one has none.
        """
        sets = (LandmarkSet.missing([p.name for p in points]).names for points in self.images.values())
        return tuple(dict.fromkeys(name for names in sets for name in names))

    @property
    def remark(self) -> str:
        """How the numbers were understood, for people; empty if they are LPS mm as the file itself states."""
        meaning = self.coordinates
        if meaning is None or (meaning.stated and meaning.system == "LPS"):
            return ""
        return f"{self.path}: {self.format}, {meaning}"

    @property
    def needs_image(self) -> bool:
        """Whether the points can be put into the world only with the grid of their image."""
        if self.coordinates is None:
            return False
        values = [self.values(image) for image in self.images]
        return self.coordinates.system == "pixel" or any(
            v.shape[1] == 2 or self.coordinates.may_be_flat(v) for v in values
        )

    def values(self, image: str = "") -> Array:
        """The numbers of an image's points as the file has them: (N, 2 or 3), NaN where missing.

        Raises:
            InputError: some points have two numbers and some three, or any has fewer or more.
        """
        return self._values(self.images[image])

    def _values(self, points: Sequence[Point]) -> Array:
        axes = {len(p.position) for p in points if p.position is not None} or {3}
        if axes not in ({2}, {3}):
            raise InputError(f"{self.path} has points of other than two or three numbers; save it again")
        nowhere = np.full(axes.pop(), np.nan)
        return np.array([nowhere if p.position is None else p.position for p in points], dtype=float)

    def understood(self, choice: str | None) -> PointFile:
        """The same in the coordinates that the user says (of `CHOICES`), where the file does not state them.

        Raises:
            InputError: the file states others, or nobody says.
        """
        if choice is None:
            return self
        asked = CHOICES[choice]
        if self.coordinates is not None and self.coordinates.stated:
            if self.coordinates.system != asked.system:
                raise InputError(
                    f"{self.path} states {self.coordinates.system}, not {choice}; leave --coordinates out"
                )
            return self
        return replace(self, coordinates=asked)

    def points(self, frame: int | None = None) -> tuple[Point, ...]:
        """The points of one image: the only one, or that of this frame.

        Raises:
            InputError: there are several and none or more than one is of this frame, or they are a pair.
        """
        if self.is_pair:
            raise InputError(
                f"{self.path} holds the points of a fixed and a moving image; "
                "`landmark-tracker export` makes a list of each"
            )
        if len(self.images) == 1:
            return next(iter(self.images.values()))
        found = [
            points
            for name, points in self.images.items()
            if frame is not None and frame_number(name) == frame
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(name[:60] for name in list(self.images)[:4]) + (
            ", ..." if len(self.images) > 4 else ""
        )
        if frame is None:
            raise InputError(
                f"{self.path} holds the points of {len(self.images)} images; choose the frame of one: {names}"
            )
        several = f"{len(found)} images of" if found else "no"
        raise InputError(f"{self.path} has {several} frame {frame}; it holds {names}")

    def landmarks(
        self, grid: Grid | None = None, frame: int | None = None, numbered: bool = False
    ) -> LandmarkSet:
        """The landmarks of one image, in LPS mm.

        Args:
            grid: of the image, where `needs_image`.
            frame: which image, where there are several.
            numbered: call the landmarks "1" to "N" if they have no names, or share one.

        Raises:
            InputError: naming the file: as `points`; it does not say what its numbers mean; two landmarks
                have one name, or one has no finite position.
        """
        return self._placed(self.points(frame), grid, numbered)

    def pairs(self, fixed: Grid | None, moving: Grid | None) -> LandmarkPairs:
        """The points of a file with those of two images, row by row.

        Raises:
            InputError: naming the file: it is no such file, or as `landmarks`.
        """
        if not self.is_pair:
            raise InputError(f"{self.path} holds the points of one image; give one file for each image")
        here, there = (
            self._placed(self.images[role], grid, numbered=True)
            for role, grid in zip(PAIR, (fixed, moving), strict=True)
        )
        return LandmarkPairs.of(here, there)

    def _placed(self, points: Sequence[Point], grid: Grid | None, numbered: bool) -> LandmarkSet:
        if self.coordinates is None:
            raise InputError(
                f"{self.path} does not say whether its numbers are LPS or RAS mm or pixels; name its columns "
                "l,p,s (or r,a,s, or i,j,k for pixels), or add --coordinates"
            )
        names = [p.name for p in points]
        if numbered and (len(set(names)) < len(names) or not all(names)):
            names = [str(n) for n in range(1, len(points) + 1)]
        values = self._values(points)
        defined = np.array([p.position is not None for p in points], dtype=bool)
        lost = defined & ~np.isfinite(values).all(axis=1)
        if lost.any():
            raise InputError(f"{self.path}: landmark '{names[int(lost.argmax())]}' has no finite position")
        try:
            # A protocol, of names only, needs no image.
            nowhere = np.full((len(points), 3), np.nan)
            return LandmarkSet(
                tuple(names),
                self.coordinates.to_lps(values, grid) if defined.any() else nowhere,
                np.array([np.broadcast_to(p.sigma, 3) for p in points], dtype=float),
                np.array([p.score for p in points], dtype=float),
                defined,
                np.array([p.uncertain for p in points], dtype=bool),
            )
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error


def unnamed(positions: Sequence[Sequence[float]] | Array) -> tuple[Point, ...]:
    """Points of a format without names, called "1" to "N"."""
    return tuple(Point(str(n), [float(x) for x in p]) for n, p in enumerate(positions, start=1))


def frame_number(image: str) -> int | None:
    """Which frame an image is: the number at the end of its name without suffix ("img014.png" is 14)."""
    name = PurePosixPath(image.replace("\\", "/")).name
    digits = re.search(r"([0-9]{1,15})$", re.sub(r"\.[A-Za-z][A-Za-z0-9]*$", "", name))
    return int(digits[1]) if digits else None


def in_system(position: Array, system: str) -> list[float]:
    """An LPS position (3,) in the named system; zeros without a sign, as people write them."""
    return [float(x) + 0.0 for x in position * TO_LPS[system]]


def coordinate_system(path: Path, text: str) -> str:
    """ "LPS" or "RAS", from these words or from the numbers that old files hold.

    Raises:
        InputError: it is neither.
    """
    system = {"0": "RAS", "1": "LPS"}.get(text.strip(), text.strip().upper())
    if system not in TO_LPS:
        raise InputError(f"{path} is in coordinate system '{text.strip()}'; save it in LPS or RAS")
    return system
