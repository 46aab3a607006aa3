"""What every command that reads images has in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import SimpleITK as sitk

from LandmarkTrackerLib.formats.stack import FRAME_AXES
from LandmarkTrackerLib.images import NOT_CALIBRATED
from LandmarkTrackerLib.methods.fit import doubt_of


def add_spacing_argument(parser: argparse.ArgumentParser, always: bool = False) -> None:
    """`--spacing`.

    Args:
        always: whether it replaces what a file states; otherwise it is for images that state nothing.
    """
    which = "in place of what the file states" if always else "in images that do not state it"
    parser.add_argument(
        "--spacing",
        type=_spacing,
        default=(),
        metavar="MM[,MM[,MM]]",
        help=f"size of a pixel {which}: one number, or one each for columns, rows and slices; points in mm "
        "are then in these mm",
    )


def add_frames_arguments(parser: argparse.ArgumentParser) -> None:
    """`--frames-axis` and `--frame-rate`."""
    parser.add_argument(
        "--frames-axis",
        choices=FRAME_AXES,
        help="of a 3D file that keeps the frames of a cine as its slices: the axis that counts them, k for"
        " the last, i for the first",
    )
    parser.add_argument(
        "--frame-rate",
        type=float,
        metavar="HZ",
        help="frames a second of such a file (by default what a frame-rate.json beside it states)",
    )


def _spacing(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not 1 <= len(numbers) <= 3 or not all(0 < mm < float("inf") for mm in numbers):
        raise argparse.ArgumentTypeError(f"'{text}' is not one to three numbers above 0, as 0.25 or 0.25,0.3")
    return numbers


def say_understood(name: str, calibrated: bool, notes: Sequence[str]) -> None:
    """Tell, once, what the reader of an image or a cine understood."""
    for note in (*notes, *(() if calibrated else (NOT_CALIBRATED,))):
        print(f"{name}: {note}", file=sys.stderr)


def say_doubt(method: object, name: str, image: sitk.Image) -> None:
    """Warn of a model that was trained on images of another kind."""
    doubt = doubt_of(method, image)
    if doubt:
        print(f"warning: {name}: {doubt}", file=sys.stderr)


def say_in_pixels(count: int, images: int) -> None:
    """Tell, once, that some of many images are not calibrated."""
    if count:
        print(f"{count} of {images} images are {NOT_CALIBRATED}", file=sys.stderr)
