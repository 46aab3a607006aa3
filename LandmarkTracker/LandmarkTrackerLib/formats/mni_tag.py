"""MNI's `.tag`: `x y z` of one volume or `x y z x y z` of two, a tag a line, then weight and ids, then a
label in quotes; mm in the world of MINC files, which is RAS. `%` and `#` begin comments."""

from __future__ import annotations

import re
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text
from LandmarkTrackerLib.formats.points import PAIR, Coordinates, Point, PointFile

FIRST_LINE = "MNI Tag Point File"
RAS = Coordinates("RAS", "the world of MINC files, as MNI has it; the file does not state it", stated=False)


def parse(path: Path) -> PointFile:
    """The tags of a file, of one image or of two; those without a label are numbered.

    Raises:
        InputError: it is no tag file, or a line is no tag.
    """
    text = re.sub(r"^[%#].*$", "", read_text(path), flags=re.MULTILINE)
    head, found, body = text.partition("Points")
    volumes = re.search(r"Volumes\s*=\s*([12])\s*;", head)
    if not head.lstrip().startswith(FIRST_LINE) or not found or volumes is None:
        raise InputError(
            f"{path} is not a tag file; it begins with '{FIRST_LINE}', 'Volumes = 1;' and 'Points ='"
        )
    axes = 3 * int(volumes[1])
    sides: list[list[Point]] = [[] for _ in range(0, axes, 3)]
    for line in body.strip().removeprefix("=").splitlines():
        if not line.strip(" \t;"):
            continue
        numbers, label = _tag(path, line, axes)
        for n, side in enumerate(sides):
            side.append(Point(label or str(len(side) + 1), numbers[3 * n : 3 * n + 3]))
    images = {name: tuple(side) for name, side in zip(PAIR, sides, strict=False)}
    return PointFile(path, "MNI tags", RAS, images if len(images) == 2 else {"": images[PAIR[0]]})


def _tag(path: Path, line: str, axes: int) -> tuple[list[float], str]:
    """The coordinates of all volumes, and the label."""
    words, _, rest = line.replace(";", " ").partition('"')
    try:
        numbers = [float(word) for word in words.split()]
    except ValueError as error:
        raise InputError(f"{path}: '{line.strip()[:80]}' is not a tag; export it again") from error
    if len(numbers) not in (axes, axes + 3):
        raise InputError(f"{path}: '{line.strip()[:80]}' does not have {axes} coordinates; export it again")
    return numbers[:axes], rest.rpartition('"')[0].replace('\\"', '"')
