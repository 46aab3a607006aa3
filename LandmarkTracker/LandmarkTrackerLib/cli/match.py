"""`landmark-tracker match`: the points that two scans share, ready for registration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.batch import SOME_FAILED
from LandmarkTrackerLib.cli.image_files import (
    add_spacing_argument,
    say_doubt,
    say_in_pixels,
    say_understood,
)
from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import is_calibrated, notes_of
from LandmarkTrackerLib.step import results

if TYPE_CHECKING:
    import SimpleITK as sitk

    from LandmarkTrackerLib.methods.protocols import Matcher


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "match",
        help="find the points that two scans share",
        description="Find points that FIXED and MOVING share: two slices, or two volumes. Writes pairs.csv, "
        "fixed.mrk.json, moving.mrk.json and overview.png, and a folder for each program to export to. Given "
        "a folder of folders with two images each, it matches them all and writes cases.csv.",
    )
    parser.add_argument("fixed", type=Path, help="slice or volume, any format; or a folder of pairs")
    parser.add_argument("moving", type=Path, nargs="?", help="the other image")
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        help="a correspondence model, or volume-matcher (slices: correspondence-ct, volumes: volume-matcher)",
    )
    parser.add_argument(
        "--filter",
        choices=("smooth", "consistent"),
        default="smooth",
        help="smooth: a pair moves as its neighbours do; consistent: mutual best, as published (smooth)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")
    add_export_argument(parser)
    add_spacing_argument(parser)
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
    if args.moving is None:
        return _run_folder(args)
    from LandmarkTrackerLib.formats.files import stem
    from LandmarkTrackerLib.jobs.export import refuse_existing
    from LandmarkTrackerLib.jobs.match import MATCH_FILES, matching, scan_at, write_match

    refuse_existing(args.output, (*MATCH_FILES, *args.export), args.overwrite)
    scans = scan_at(args.fixed, args.spacing), scan_at(args.moving, args.spacing)
    fixed, moving = (scan.image for scan in scans)
    for path, image in ((args.fixed, fixed), (args.moving, moving)):
        say_understood(path.name, is_calibrated(image), notes_of(image))
    matcher = _matcher(args, fixed)
    for path, image in ((args.fixed, fixed), (args.moving, moving)):
        say_doubt(matcher, path.name, image)
    name = f"{stem(args.fixed)} and {stem(args.moving)}"
    *_, last = progress(matching(fixed, moving, matcher), name)
    assert last.result is not None
    title = f"{name}: {len(last.result)} pairs"
    for path in write_match(args.output, *scans, last.result, title, args.export):
        print(path)
    return 0


def _run_folder(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats import read_image
    from LandmarkTrackerLib.jobs import batch
    from LandmarkTrackerLib.jobs.match import match_cases

    folders = [path for path in batch.images_in(args.fixed, args.output) if path.is_dir()]
    first = [path for folder in folders for path in batch.images_in(folder, args.output)]
    if not first:
        raise InputError(f"{args.fixed} holds no folder with two images; give two images, or such a folder")
    cases = match_cases(
        args.fixed, args.output, _matcher(args, read_image(first[0])), "pairs", args.export, args.spacing
    )
    steps = batch.run(cases, args.output, args.overwrite)
    outcomes = list(results(progress(steps, "pairs of images")))
    failed = [outcome for outcome, _now in outcomes if outcome.status == "failed"]
    print(args.output / batch.TABLE)
    for outcome in failed:
        print(f"{outcome.case}: {outcome.message}", file=sys.stderr)
    say_in_pixels(sum(outcome.unit == "px" for outcome, now in outcomes if now), len(outcomes))
    return SOME_FAILED if failed else 0


def _matcher(args: argparse.Namespace, image: sitk.Image) -> Matcher:
    from LandmarkTrackerLib.jobs.match import default_model
    from LandmarkTrackerLib.methods.registry import make_matcher

    return make_matcher(args.model or default_model(image), args.device, args.filter)
