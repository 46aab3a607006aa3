"""`landmark-tracker locate`: landmarks shown in one image or a few, found in other subjects."""

from __future__ import annotations

import argparse
from pathlib import Path

from LandmarkTrackerLib.cli.image_files import add_spacing_argument
from LandmarkTrackerLib.cli.point_files import say_beside
from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_model_arguments, add_output_arguments
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.registry import DEFAULT_ACROSS
from LandmarkTrackerLib.step import results


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "locate",
        help="find landmarks shown in one image, or a few, in other subjects",
        description="Find the landmarks of the EXAMPLES, images with a landmark file of the same name beside "
        "each, in every TARGET. An example may hold some of the landmarks only; where several show one, they "
        "are weighed by their certainty. Writes one STEM.mrk.json a target, detections.csv and overview.png.",
    )
    parser.add_argument("examples", type=Path, nargs="+", metavar="EXAMPLE", help="image with landmarks")
    parser.add_argument(
        "--targets", type=Path, nargs="+", required=True, metavar="IMAGE", help="images of other subjects"
    )
    add_model_arguments(parser, DEFAULT_ACROSS)
    parser.add_argument(
        "--max-sigma",
        type=float,
        metavar="MM",
        help="call a point missing above this uncertainty, in px if not calibrated (set by the model)",
    )
    add_spacing_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.cli.detect import report
    from LandmarkTrackerLib.jobs.locate import locate_files
    from LandmarkTrackerLib.methods.registry import make_locator

    if args.max_sigma is not None and not args.max_sigma > 0:
        raise InputError(f"--max-sigma is {args.max_sigma:g} mm; give a number above 0")
    locator = make_locator(args.model, args.device)
    say_beside(args.examples)
    steps = locate_files(
        args.examples, args.targets, locator, args.output, args.overwrite, args.max_sigma, args.spacing
    )
    return report(results(progress(steps, str(args.model))), args.output)
