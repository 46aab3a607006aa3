"""`python Benchmarks/reproduce_tmn compare`: the TMN paper's comparisons on the user's own images."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.cli.train import STOPPED, on_signal, require_training

if TYPE_CHECKING:
    from reproduce_tmn.comparison import Comparison
    from reproduce_tmn.config import ReproduceConfig


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "compare",
        help="make the paper's comparisons on a folder of your images",
        description="Train and measure all that Tables 1 to 3 and Figs. 4 to 6 of the TMN paper (Frueh et "
        "al. 2022) compare, and write report.html, with pictures, and numbers.csv. DATA holds single slices "
        "of at least four patients, some or all with a landmark file of the same name, IMAGE.mrk.json (or "
        "one table landmarks.csv); images without landmarks are trained on too. Ctrl-C (or SIGTERM) stops "
        "after the step in hand; the same command goes on from there. The default recipe takes about half "
        "an hour of one free core.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATA", help="folder of images")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: runs/reproduce-tmn- and the folder's name"
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="what is trained and for how long; see Docs/reproduce.md (the small one, for a CPU)",
    )
    parser.add_argument(
        "--subject",
        metavar="REGEX",
        help="its first group, found in a file's name, is the patient; or a CSV file in the folder with the "
        "columns file and subject; without it every image counts as one",
    )
    parser.add_argument(
        "--within",
        nargs="+",
        choices=("phantom", "cardiac"),
        default=(),
        metavar="CINES",
        help="also the within-subject rows of Table 1 and Fig. 7A, on cines: phantom (simulated breathing), "
        "cardiac (cardiac_cine and acdc_cine below LANDMARKTRACKER_DATA)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write a finished report again, from what was measured"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    require_training()
    from reproduce_tmn.comparison import Comparison

    output = args.output or Path("runs") / f"reproduce-tmn-{args.data.resolve().name}"
    comparison = Comparison(args.data, output, _recipe(args), args.overwrite)
    if _follow(comparison):
        print(f"stopped; the same command goes on in {output}")
        return STOPPED
    print(comparison.report)
    return 0


def _recipe(args: argparse.Namespace) -> ReproduceConfig:
    from LandmarkTrackerLib.training.config import read_config

    from reproduce_tmn.config import SMALL, ReproduceConfig

    config = read_config(args.recipe or SMALL, ReproduceConfig)
    if args.subject:
        config = replace(config, data=replace(config.data, subject=args.subject))
    if args.within:
        config = replace(config, within=tuple(dict.fromkeys(args.within)))
    return config


def _follow(comparison: Comparison) -> bool:
    """Show how far it is and how long the rest will take; True if a signal ended it before."""
    with on_signal() as signals:
        steps = iter(comparison)
        for _ in progress(steps, "comparison", lambda step: step.result or ""):
            if signals:
                steps.close()
                return True
    return False
