"""`landmark-tracker batch`: a folder of cines, or a folder of images with examples or a detector."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.image_files import (
    add_frames_arguments,
    add_spacing_argument,
    say_in_pixels,
)
from LandmarkTrackerLib.cli.point_files import landmarks_on, say_beside
from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import (
    add_model_arguments,
    add_output_arguments,
    add_propagation_arguments,
)
from LandmarkTrackerLib.methods.registry import DEFAULT_ACROSS, DEFAULT_LOCATOR
from LandmarkTrackerLib.step import results

if TYPE_CHECKING:
    from LandmarkTrackerLib.jobs.batch import Case

SOME_FAILED = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "batch",
        help="track every cine of a folder, or find examples' or a detector's landmarks in every image",
        description="Track every cine of FOLDER with the landmark file of the same name beside it; with"
        " --example, find the landmarks of one image or several in every image of FOLDER; with --detector,"
        " those that a model was trained for. (`match` does folders of pairs of scans.) Writes cases.csv:"
        " what became of each. A rerun does only what is not complete. Exit code 1: some cases failed.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="cines, or images of other subjects")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--detector", metavar="NAME|FILE", help="see `landmark-tracker models`, or your own .pt file"
    )
    what.add_argument(
        "--example",
        nargs=2,
        action="append",
        type=Path,
        metavar=("IMAGE", "POINTS"),
        help="an image and its landmark file; once for each example",
    )
    add_propagation_arguments(parser)
    add_model_arguments(parser, None, f"{DEFAULT_LOCATOR}; with --example of a slice, {DEFAULT_ACROSS}")
    add_frames_arguments(parser)
    add_spacing_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.jobs import batch

    cases = _cases(args)
    outcomes = list(results(progress(batch.run(cases, args.output, args.overwrite), "cases")))
    failed = [outcome for outcome, _now in outcomes if outcome.status == "failed"]
    already = sum(not now for _outcome, now in outcomes)
    print(
        f"{len(outcomes) - len(failed) - already} done, {already} complete already, {len(failed)} failed:"
        f" {args.output / batch.TABLE}"
    )
    for outcome in failed:
        print(f"{outcome.case}: {outcome.message}", file=sys.stderr)
    say_in_pixels(sum(outcome.unit == "px" for outcome, now in outcomes if now), len(outcomes))
    return SOME_FAILED if failed else 0


def _cases(args: argparse.Namespace) -> list[Case]:
    from LandmarkTrackerLib.formats import read_image
    from LandmarkTrackerLib.geometry import Grid
    from LandmarkTrackerLib.jobs import batch
    from LandmarkTrackerLib.jobs.across import examples_of
    from LandmarkTrackerLib.methods.registry import make_detector, make_locator

    if args.detector:
        return batch.detect_cases(
            args.folder, args.output, make_detector(args.detector, args.device), args.spacing
        )
    if args.example:
        shown = []
        for path, points in args.example:
            image = read_image(path, args.spacing)
            shown.append((image, landmarks_on(points, Grid.of(image))))
        fitting = DEFAULT_ACROSS if Grid.of(shown[0][0]).is_slice else DEFAULT_LOCATOR
        locator = make_locator(args.model or fitting, args.device)
        examples = examples_of(locator, shown)
        return batch.locate_cases(args.folder, args.output, locator, examples, args.max_sigma, args.spacing)
    model = args.model or DEFAULT_LOCATOR
    locator = make_locator(model, args.device)
    say_beside(batch.images_in(args.folder, args.output))
    frames = args.frames_axis, args.frame_rate
    return batch.track_cases(
        args.folder,
        args.output,
        locator,
        model,
        args.frame,
        args.direction,
        args.max_sigma,
        args.spacing,
        *frames,
    )
