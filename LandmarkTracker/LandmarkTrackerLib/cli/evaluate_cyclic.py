"""`landmark-tracker evaluate cyclic`: a map of how reliably each pixel is found again, without labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.step import results


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "evaluate-cyclic",
        prog="landmark-tracker evaluate cyclic",
        description="Seek every second pixel of each SOURCE in TARGETS, and what is found there again in the "
        "SOURCE: how far off it ends is the cyclic error. Also seeks every pixel in its own image. Writes "
        "cyclic.csv (mm), cyclic.png, and STEM-error.nrrd, the mean cyclic error to lay over the image.",
    )
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE", help="slices")
    parser.add_argument(
        "--targets", type=Path, nargs="+", required=True, metavar="IMAGE", help="slices of other subjects"
    )
    parser.add_argument("--model", required=True, metavar="NAME|FILE", help="see `landmark-tracker models`")
    parser.add_argument(
        "--count", type=int, default=10, metavar="N", help="targets drawn at random for each source (10)"
    )
    parser.add_argument("--step", type=int, default=2, metavar="K", help="every K-th pixel (2)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (0)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.jobs.cyclic import PICTURE, TABLE, reliability_of_files
    from LandmarkTrackerLib.methods.registry import make_locator

    for name in ("count", "step"):
        if getattr(args, name) < 1:
            raise InputError(f"--{name} is {getattr(args, name)}; give 1 or more")
    steps = reliability_of_files(
        args.sources,
        args.targets,
        make_locator(args.model, args.device),
        args.output,
        count=args.count,
        step=args.step,
        seed=args.seed,
        overwrite=args.overwrite,
    )
    for found in list(results(progress(steps, str(args.model)))):
        template, cyclic = found.template.summary(), found.cyclic.summary()
        print(
            f"{found.name}: template matching {template['body_mean']:.1f} ± {template['body_sd']:.1f} mm, "
            f"cyclic error {cyclic['body_mean']:.1f} ± {cyclic['body_sd']:.1f} mm where it is not background"
        )
    print(args.output / TABLE)
    print(args.output / PICTURE)
    return 0
