"""`landmark-tracker evaluate`: how well a detector places its landmarks, on annotated images.

`evaluate cyclic`, which needs no annotation, is in `evaluate_cyclic`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.track import add_output_arguments
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.step import results

if TYPE_CHECKING:
    from LandmarkTrackerLib.evaluation.localization import Localization
    from LandmarkTrackerLib.formats.annotated import Annotated


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a detector on annotated images, or cross-validate a training file",
        description="DATA with --model: measure that model, on a folder of annotated images or on the "
        "subjects that a training file holds out. A training file with --folds: train and test K models, "
        "every subject being tested once. Writes report.md, errors.csv, cumulative.png and worst.png. "
        "Without labels: see `landmark-tracker evaluate cyclic --help`.",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="annotated folder, or training file (.toml)")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--model", metavar="NAME|FILE", help="the model to measure")
    how.add_argument("--folds", type=int, metavar="K", help="cross-validate; an interrupted run goes on")
    parser.add_argument(
        "--scale",
        nargs=3,
        metavar=("A", "B", "MM"),
        help="scale every image so that landmarks A and B lie MM apart (hand radiographs: 1 5 50 in the SCN "
        "authors' script, 0 4 50 elsewhere)",
    )
    parser.add_argument(
        "--radii",
        nargs="+",
        type=float,
        default=None,
        metavar="MM",
        help="beyond which errors are counted (2 4 10; cephalograms in the SCN paper: 2 2.5 3 4)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of --model (auto)")
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.evaluation.localization import RADII
    from LandmarkTrackerLib.evaluation.localization_report import REPORT_FILES, write_report
    from LandmarkTrackerLib.jobs.export import refuse_existing

    refuse_existing(args.output, REPORT_FILES, args.overwrite)
    data = _data(args.data, cross=bool(args.folds))
    result = _cross_validated(args) if args.folds else _measured(args, data)
    if args.scale:
        result = _scaled(result, *args.scale)
    title = f"{args.folds}-fold cross-validation of {args.data.name}" if args.folds else f"{args.model}"
    summary = write_report(
        args.output, title, result, {item.name: item.read for item in data}, args.radii or RADII
    )
    print(f"median {summary.median:.2f} mm, mean {summary.mean:.2f} ± {summary.sd:.2f} mm of all, ", end="")
    print(f"{summary.missed} of {summary.points} reported missing; {args.output / REPORT_FILES[0]}")
    return 0


def _data(path: Path, cross: bool) -> list[Annotated]:
    """The images that are tested."""
    from LandmarkTrackerLib.formats.annotated import annotated_images
    from LandmarkTrackerLib.training.config import read_config
    from LandmarkTrackerLib.training.data import annotated_in
    from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining

    if path.suffix.lower() != ".toml":
        if cross:
            raise InputError(f"--folds needs a training file; {path} is none")
        return annotated_images(path)
    config = read_config(path, HeatmapTraining)
    items = [item for table in config.data for item in annotated_in(table)]
    tested = [item for item in items if (item.subject in config.split.test) != cross]
    if not tested:
        raise InputError(f"{path} names no test subject; list some in [split] test, or use --folds")
    return tested


def _measured(args: argparse.Namespace, data: list[Annotated]) -> Localization:
    from LandmarkTrackerLib.jobs.cross_validation import evaluate
    from LandmarkTrackerLib.methods.registry import make_detector

    return evaluate(data, make_detector(args.model, args.device))


def _cross_validated(args: argparse.Namespace) -> Localization:
    from LandmarkTrackerLib.cli.train import require_training
    from LandmarkTrackerLib.jobs.cross_validation import cross_validate, joined
    from LandmarkTrackerLib.training.config import read_config
    from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining

    require_training()
    config = read_config(args.data, HeatmapTraining)
    steps = cross_validate(config, args.folds, args.output)
    return joined(list(results(progress(steps, args.data.stem))))


def _scaled(result: Localization, first: str, second: str, mm: str) -> Localization:
    for name in (first, second):
        if name not in result.landmarks:
            raise InputError(
                f"--scale: there is no landmark '{name}'; there are {', '.join(result.landmarks)}"
            )
    try:
        return result.normalised(first, second, float(mm))
    except ValueError as error:
        raise InputError(f"--scale: '{mm}' is not a length in mm") from error
