"""`landmark-tracker info FILE`: what is this image, cine or landmark file?"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "info", help="describe an image, a cine, a DICOM folder or a landmark file"
    )
    parser.add_argument("file", type=Path)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats import describe_file

    for line in describe_file(args.file):
        print(line)
    return 0
