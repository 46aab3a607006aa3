"""What every registration program is handed: two scans and the pairs between them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.plane import Plane


@dataclass(frozen=True)
class Scan:
    """An image to register.

    Attributes:
        image: three axes.
        path: its file, where it has one that the program can read; None writes a copy beside the points.
    """

    image: sitk.Image
    path: Path | None = None


@dataclass(frozen=True)
class ScanPair:
    """Two scans, both slices or both volumes, and the points they share. Registration maps fixed to moving.

    Raises:
        InputError: one is a slice and the other a volume, or there is no pair.
    """

    fixed: Scan
    moving: Scan
    pairs: LandmarkPairs

    def __post_init__(self) -> None:
        if Grid.of(self.fixed.image).is_slice != Grid.of(self.moving.image).is_slice:
            raise InputError("one image is a slice and the other a volume; give two of the same kind")
        if not len(self.pairs):
            raise InputError("the two images share no landmark; there is nothing to export")

    @property
    def dimension(self) -> int:
        return 2 if Grid.of(self.fixed.image).is_slice else 3

    @property
    def points(self) -> tuple[Array, Array]:
        """(N, 3) LPS mm of volumes; (N, 2) mm in the `Plane` of slices, whose files are 2D images."""
        if self.dimension == 3:
            return self.pairs.fixed, self.pairs.moving
        a, b = (Plane(Grid.of(scan.image)) for scan in (self.fixed, self.moving))
        return a.to_plane(self.pairs.fixed), b.to_plane(self.pairs.moving)

    @property
    def domain(self) -> sitk.Image:
        """The fixed image in the coordinates of `points`."""
        image = self.fixed.image
        return image if self.dimension == 3 else Plane(Grid.of(image)).image(image)

    def require_volumes(self, program: str) -> None:
        """Raises InputError for slices."""
        if self.dimension == 2:
            raise InputError(f"{program} registers volumes only; choose another export for slices")

    def images(self, folder: Path, suffix: str = ".mha", copy: bool = False) -> tuple[str, str]:
        """The images' files as the program is to open them from `folder`; copies are written where needed.

        Args:
            copy: write copies even where the scans have files, for programs that are picky about them.
        """
        names = []
        for role, scan in (("fixed", self.fixed), ("moving", self.moving)):
            if self.dimension == 3 and scan.path is not None and not copy:
                names.append(str(scan.path.resolve()))
                continue
            grid = Grid.of(scan.image)
            image = scan.image if self.dimension == 3 else Plane(grid).image(scan.image)
            sitk.WriteImage(image, str(folder / f"{role}{suffix}"), useCompression=True)
            names.append(f"{role}{suffix}")
        return names[0], names[1]


def write_script(path: Path, *commands: Sequence[str]) -> None:
    """A shell script that runs the commands in its own folder, whatever it is called from."""
    lines = ["#!/bin/sh", 'set -e; cd "$(dirname "$0")"', *map(shlex.join, commands)]
    with written(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.chmod(0o755)
