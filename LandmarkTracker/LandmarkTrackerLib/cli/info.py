"""`landmark-tracker info FILE`: what is this image, cine or landmark file?"""

from __future__ import annotations

import argparse
from pathlib import Path

from LandmarkTrackerLib.cli.image_files import add_frames_arguments, add_spacing_argument
from LandmarkTrackerLib.cli.point_files import add_coordinates_argument


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "info", help="describe an image, a cine, a DICOM folder or a landmark file"
    )
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--image", type=Path, metavar="IMAGE", help="that the points of FILE lie on, to have pixels in mm"
    )
    parser.add_argument("--slice", metavar="NAME", help="which slice or volume of DICOM that holds several")
    add_frames_arguments(parser)
    add_spacing_argument(parser, always=True)
    add_coordinates_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats.describe import describe_file

    frames = args.frames_axis, args.frame_rate
    for line in describe_file(args.file, args.image, args.coordinates, args.slice, args.spacing, *frames):
        print(line)
    return 0
