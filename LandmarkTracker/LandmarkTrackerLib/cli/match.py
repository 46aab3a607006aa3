"""`landmark-tracker match`: the points that two scans share, ready for registration."""

from __future__ import annotations

import argparse
from pathlib import Path

from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "match",
        help="find the points that two scans share",
        description="Find points that FIXED and MOVING share: two slices, or two volumes. Writes pairs.csv, "
        "fixed.mrk.json, moving.mrk.json and overview.png, and a folder for each program to export to.",
    )
    parser.add_argument("fixed", type=Path, help="slice or volume, any format")
    parser.add_argument("moving", type=Path, help="the other one")
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        help="a correspondence model (correspondence-ct for slices, correspondence-ct-3d for volumes)",
    )
    parser.add_argument(
        "--filter",
        choices=("smooth", "consistent"),
        default="smooth",
        help="smooth: a pair moves as its neighbours do; consistent: mutual best, as published (smooth)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")
    add_export_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def add_export_argument(parser: argparse.ArgumentParser) -> None:
    """`--export`, the same for every command that has pairs of landmarks."""
    from LandmarkTrackerLib.formats.exports import EXPORTS

    parser.add_argument(
        "--export",
        nargs="+",
        choices=sorted(EXPORTS),
        default=[],
        metavar="PROGRAM",
        help=f"write a folder for each of these: {', '.join(sorted(EXPORTS))}",
    )


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats import read_image
    from LandmarkTrackerLib.formats.files import stem
    from LandmarkTrackerLib.formats.scans import Scan
    from LandmarkTrackerLib.geometry import Grid
    from LandmarkTrackerLib.jobs.export import refuse_existing
    from LandmarkTrackerLib.jobs.match import MATCH_FILES, match, write_match
    from LandmarkTrackerLib.methods.registry import make_matcher

    refuse_existing(args.output, (*MATCH_FILES, *args.export), args.overwrite)
    fixed, moving = read_image(args.fixed), read_image(args.moving)
    model = args.model or ("correspondence-ct" if Grid.of(fixed).is_slice else "correspondence-ct-3d")
    matcher = make_matcher(model, args.device, args.filter)
    name = f"{stem(args.fixed)} and {stem(args.moving)}"
    (found,) = progress(match({name: lambda: (fixed, moving)}, matcher), 1, f"{name} ({model})")
    if found.pairs is None:
        raise InputError(found.failure)
    title = f"{name}: {len(found.pairs)} pairs, {model}, {args.filter}"
    scans = Scan(fixed, args.fixed), Scan(moving, args.moving)
    for path in write_match(args.output, *scans, found.pairs, title, args.export):
        print(path)
    return 0
