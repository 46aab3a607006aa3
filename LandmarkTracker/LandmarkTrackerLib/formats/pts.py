"""The two formats named `.pts`.

Of IDAV Landmark: `Version 1.0`, a number, then `name x y z` a line, in the coordinates of the surface they
were placed on; 9999 where a landmark is missing. SlicerMorph takes them for RAS mm. Of the 300-W face
landmarks: `version: 1`, `n_points: N`, then `x y` a line, pixels counted from 1.
"""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile

IDAV = Coordinates("RAS", "as SlicerMorph takes them; the file does not state it", stated=False)
FACES = Coordinates("pixel", "as 300-W counts them; the file does not state it", stated=False, first=1)
LOST = 9999.0


def parse(path: Path) -> PointFile:
    """The landmarks of a file.

    Raises:
        InputError: it is of neither program, a line is no landmark, or there are more or fewer than it says.
    """
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    head = lines[0].lower()
    if not head.startswith("version") or len(lines) < 2:
        raise InputError(f"{path} does not start with 'Version'; give a file of IDAV Landmark or of 300-W")
    is_faces = head.startswith("version:")
    stated = lines[1].lower().removeprefix("n_points:").strip()
    body = [line for line in lines[2:] if line not in ("{", "}")]
    if not stated.isdecimal() or stated != str(len(body)):
        raise InputError(f"{path} says {stated[:80]} landmarks and holds {len(body)}; export it again")
    if is_faces:
        points = [_point(path, f"{n} {line}", 2) for n, line in enumerate(body, start=1)]
        return PointFile(path, "300-W landmarks", FACES, {"": tuple(points)})
    return PointFile(path, "IDAV landmarks", IDAV, {"": tuple(_point(path, line, 3) for line in body)})


def _point(path: Path, line: str, axes: int) -> Point:
    # A name may hold blanks.
    words = line.rsplit(maxsplit=axes)
    try:
        position = [float(word) for word in words[1:]]
    except ValueError as error:
        raise InputError(f"{path}: '{line[:80]}' is not a landmark; export it again") from error
    if len(position) != axes:
        raise InputError(f"{path}: '{line[:80]}' does not have {axes} numbers; export it again")
    return Point(words[0], None if axes == 3 and LOST in position else position)
