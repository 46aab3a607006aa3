"""`landmark-tracker export`: landmarks of two images, handed to registration programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.match import add_export_argument
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError

if TYPE_CHECKING:
    from LandmarkTrackerLib.formats.scans import Scan
    from LandmarkTrackerLib.landmarks import LandmarkSet


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "export",
        help="hand landmarks of two images to registration programs",
        description="Pair the landmarks of two images by name, and write pairs.csv, fixed.mrk.json, "
        "moving.mrk.json and a folder for each program. Landmarks that are missing in either are left out. "
        "Either two point lists and two images, or a track.csv, its cine and two frames.",
    )
    parser.add_argument(
        "landmarks",
        type=Path,
        nargs="+",
        metavar="POINTS",
        help="fixed and moving point list (.mrk.json, .fcsv, .csv), or one track.csv",
    )
    parser.add_argument(
        "--images",
        type=Path,
        nargs="+",
        required=True,
        metavar="IMAGE",
        help="fixed and moving image, or the cine of the track",
    )
    parser.add_argument(
        "--frames", type=int, nargs=2, metavar=("FIXED", "MOVING"), help="of the track, counted from 0"
    )
    add_export_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats.scans import ScanPair
    from LandmarkTrackerLib.jobs.export import refuse_existing
    from LandmarkTrackerLib.jobs.pairs import PAIR_FILES, export_pairs
    from LandmarkTrackerLib.landmarks import LandmarkPairs

    refuse_existing(args.output, (*PAIR_FILES, *args.export), args.overwrite)
    wanted = 1 if args.frames else 2
    if len(args.landmarks) != wanted or len(args.images) != wanted:
        raise InputError(
            "give two point lists and two images, or one track.csv, its cine and --frames FIXED MOVING"
        )
    opened = _frames(args) if args.frames else _files(args)
    (fixed, here), (moving, there) = opened
    pairs = LandmarkPairs.of(here, there)
    lost = len(set(here.names) | set(there.names)) - len(pairs)
    for path in export_pairs(args.output, ScanPair(fixed, moving, pairs), args.export):
        print(path)
    print(f"{len(pairs)} pairs" + (f"; {lost} landmarks are not in both images" if lost else ""))
    return 0


def _files(args: argparse.Namespace) -> list[tuple[Scan, LandmarkSet]]:
    from LandmarkTrackerLib.formats import read_image, read_landmarks
    from LandmarkTrackerLib.formats.scans import Scan

    return [
        (Scan(read_image(image), image), read_landmarks(points))
        for image, points in zip(args.images, args.landmarks, strict=True)
    ]


def _frames(args: argparse.Namespace) -> list[tuple[Scan, LandmarkSet]]:
    from LandmarkTrackerLib.formats import open_cine
    from LandmarkTrackerLib.formats.scans import Scan
    from LandmarkTrackerLib.formats.track_csv import read_track_csv

    cine, track = open_cine(args.images[0]), read_track_csv(args.landmarks[0])
    for frame in args.frames:
        if frame not in track.numbers:
            raise InputError(f"{args.landmarks[0]} has no frame {frame}")
    return [(Scan(cine[frame]), track[track.numbers.index(frame)]) for frame in args.frames]
