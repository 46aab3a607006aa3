"""tpsDig's `.tps`: for each image `LM=count`, a landmark a line in pixels, then `IMAGE=`, `ID=` and more.

The origin is the lower left corner: a point lies in column x and row height - y of its image. Landmarks that
were not found are `NA` or negative. Curves and outlines are passed over; so is `SCALE`, units a pixel, as the
image has its spacing.
"""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile

PIXELS = Coordinates("pixel", "as tpsDig counts them; the file does not state it", stated=False, upwards=True)


def parse(path: Path) -> PointFile:
    """The landmarks of every image of a file. `LM3=` holds three numbers, whose meaning is not stated.

    Raises:
        InputError: a landmark is cut short or no numbers, or two images have one name.
    """
    images: dict[str, tuple[Point, ...]] = {}
    points: list[Point] = []
    key, left, axes = "", 0, 2
    dimensions = set()
    for line in [*(line.strip() for line in read_text(path).splitlines() if line.strip()), "LM=0"]:
        word, is_key, value = (part.strip() for part in line.partition("="))
        if left and not is_key:
            points.append(_point(path, line, len(points) + 1, axes))
            left -= 1
        elif word.upper() in ("LM", "LM3"):
            if left:
                raise InputError(f"{path} has fewer landmarks than it says; export it again")
            if points:
                name = key or str(len(images))
                if name in images:
                    raise InputError(f"{path} has two images named '{name}'; rename one of them")
                images[name] = tuple(points)
            left, axes = _count(path, value), 3 if word.upper() == "LM3" else 2
            points, key = [], ""
            dimensions |= {axes} if left else set()
        elif is_key and word.upper() == "IMAGE":
            key = value
        elif is_key and word.upper() == "ID":
            key = key or value
    if len(dimensions) > 1:
        raise InputError(f"{path} has landmarks of two numbers and of three; save them in two files")
    return PointFile(path, "tps landmarks", None if dimensions == {3} else PIXELS, images)


def _count(path: Path, text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise InputError(f"{path}: LM={text[:80]} is no number of landmarks; export it again")
    return int(text)


def _point(path: Path, line: str, number: int, axes: int) -> Point:
    cells = line.split()
    try:
        position = [float("nan") if cell.upper() == "NA" else float(cell) for cell in cells]
    except ValueError as error:
        raise InputError(f"{path}: '{line[:80]}' is not a landmark; export it again") from error
    if len(position) != axes:
        raise InputError(f"{path}: '{line[:80]}' does not have {axes} numbers; export it again")
    missing = axes == 2 and max(position) < 0
    return Point(str(number), None if missing else position)
