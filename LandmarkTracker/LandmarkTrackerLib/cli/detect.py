"""`landmark-tracker detect`: the landmarks that a model was trained for, in any number of images."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.image_files import add_spacing_argument, say_in_pixels
from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.step import results

if TYPE_CHECKING:
    from LandmarkTrackerLib.jobs.across import FoundIn


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "detect",
        help="find the landmarks that a model was trained for in new images",
        description="Find a model's landmarks in every IMAGE. Writes one STEM.mrk.json an image, "
        "detections.csv and overview.png.",
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="slices or volumes, any format")
    parser.add_argument(
        "--model",
        required=True,
        metavar="NAME|FILE",
        help="see `landmark-tracker models`, or your own .pt file",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")
    add_spacing_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.jobs.detect import detect_files
    from LandmarkTrackerLib.methods.registry import make_detector

    detector = make_detector(args.model, args.device)
    steps = detect_files(args.images, detector, args.output, args.overwrite, args.spacing)
    return report(results(progress(steps, str(args.model))), args.output)


def report(steps: Iterable[FoundIn], output: Path) -> int:
    """Run to the end, then say where the table is, and of every image what is missing or was corrected for.

    Raises:
        InputError: some image could not be used.
    """
    from LandmarkTrackerLib.jobs.detect import TABLE

    remarks, images, failed, in_pixels = [], 0, 0, 0
    for found in steps:
        images += 1
        in_pixels += found.unit == "px"
        if found.note:
            remarks.append(f"{found.name}: {found.note}")
        if found.landmarks is None:
            failed += 1
            remarks.append(f"{found.name}: failed, {found.failure}")
        elif not found.landmarks.defined.all():
            missing = [mark.name for mark in found.landmarks if mark.status == "missing"]
            remarks.append(f"{found.name}: missing {', '.join(missing)}")
    if failed < images:
        print(output / TABLE)
    for remark in remarks:
        print(remark)
    say_in_pixels(in_pixels, images)
    if failed:
        raise InputError(f"{failed} of {images} images could not be used")
    return 0
