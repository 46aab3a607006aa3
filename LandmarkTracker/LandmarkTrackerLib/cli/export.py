"""`landmark-tracker export`: landmarks of two images, handed to registration programs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from LandmarkTrackerLib.cli.match import add_export_argument
from LandmarkTrackerLib.cli.point_files import add_coordinates_argument, add_pairing_argument, paired, say
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError

if TYPE_CHECKING:
    from LandmarkTrackerLib.formats.scans import Scan
    from LandmarkTrackerLib.landmarks import LandmarkPairs

HOW = (
    "give two point files and two images, or one file of pairs and two images, or one track.csv, its cine "
    "and --frames FIXED MOVING"
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "export",
        help="hand landmarks of two images to registration programs",
        description="Pair the landmarks of two images by name, and write pairs.csv, fixed.mrk.json, "
        "moving.mrk.json and a folder for each program. Landmarks that are missing or uncertain in "
        "either are left out. "
        "Give two point files and two images, or one file of pairs (pairs.csv, .tag, NiftyReg) and two "
        "images, or a track.csv or DeepLabCut table, its cine and two frames.",
    )
    parser.add_argument(
        "landmarks",
        type=Path,
        nargs="+",
        metavar="POINTS",
        help="fixed and moving point file (.mrk.json, .fcsv, .csv, or another, see Docs/inputs.md), or one "
        "file of both",
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
        "--frames",
        type=int,
        nargs=2,
        metavar=("FIXED", "MOVING"),
        help="of the track, counted from 0, or of the images that a point file holds the points of",
    )
    add_pairing_argument(parser)
    parser.add_argument(
        "--include-uncertain", action="store_true", help="also landmarks that need a look (left out)"
    )
    add_coordinates_argument(parser)
    add_export_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats.scans import ScanPair
    from LandmarkTrackerLib.jobs.export import refuse_existing
    from LandmarkTrackerLib.jobs.pairs import PAIR_FILES, export_pairs

    refuse_existing(args.output, (*PAIR_FILES, *args.export), args.overwrite)
    (fixed, moving), pairs, remark = _frames(args) if len(args.images) == 1 else _files(args)
    for path in export_pairs(args.output, ScanPair(fixed, moving, pairs), args.export):
        print(path)
    print(f"{len(pairs)} pairs{remark}")
    return 0


# Two images, the pairs, and a remark on what is left out.
Opened: TypeAlias = "tuple[tuple[Scan, Scan], LandmarkPairs, str]"


def _files(args: argparse.Namespace) -> Opened:
    from LandmarkTrackerLib.formats import read_image, read_points
    from LandmarkTrackerLib.formats.points import PAIR
    from LandmarkTrackerLib.formats.scans import Scan
    from LandmarkTrackerLib.geometry import Grid

    if len(args.images) != 2 or len(args.landmarks) > 2:
        raise InputError(HOW)
    fixed, moving = (Scan(read_image(image), image) for image in args.images)
    grids = Grid.of(fixed.image), Grid.of(moving.image)
    files = [read_points(path, args.coordinates) for path in args.landmarks]
    for points in files:
        say(points)
    if len(files) == 1 and not (files[0].is_pair or args.frames):
        raise InputError(HOW)
    if files[0].is_pair and len(files) == 1:
        pairs = files[0].pairs(*grids)
        lost = len(files[0].images[PAIR[0]]) - len(pairs)
        return (fixed, moving), pairs, f"; {lost} landmarks are not in both images" if lost else ""
    here, there = (
        points.landmarks(grid, frame, args.by_order)
        for points, grid, frame in zip((files * 2)[:2], grids, args.frames or (None, None), strict=True)
    )
    return (fixed, moving), *paired(here, there, args.by_order, args.include_uncertain)


def _frames(args: argparse.Namespace) -> Opened:
    from LandmarkTrackerLib.formats import open_cine, read_points
    from LandmarkTrackerLib.formats.scans import Scan

    if not args.frames or len(args.landmarks) != 1:
        raise InputError(HOW)
    cine, points = open_cine(args.images[0]), read_points(args.landmarks[0], args.coordinates)
    say(points)
    here, there = (points.landmarks(cine.grid, frame, args.by_order) for frame in args.frames)
    fixed, moving = (Scan(cine[frame]) for frame in args.frames)
    return (fixed, moving), *paired(here, there, args.by_order, args.include_uncertain)
