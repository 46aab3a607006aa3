"""`landmark-tracker track`: landmarks shown in one frame of a cine, found in all others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

import numpy as np

from LandmarkTrackerLib.cli.image_files import (
    add_frames_arguments,
    add_spacing_argument,
    say_doubt,
    say_understood,
)
from LandmarkTrackerLib.cli.point_files import add_coordinates_argument, landmarks_on
from LandmarkTrackerLib.cli.progress import progress
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.export import TRACK_FILES, refuse_existing, write_track
from LandmarkTrackerLib.jobs.propagate import Direction, propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet, Track
from LandmarkTrackerLib.methods.registry import DEFAULT_LOCATOR
from LandmarkTrackerLib.step import results

FORECAST_FILE = "forecast.csv"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "track",
        help="find landmarks shown in one frame in every frame of a cine",
        description="Find the landmarks of POINTS, which lie on frame K of CINE, in its other frames. "
        f"Writes {', '.join(TRACK_FILES)}, and with --forecast {FORECAST_FILE}.",
    )
    parser.add_argument(
        "cine", type=Path, help=".seq.nrrd, 4D image, DICOM folder or folder of single-frame images"
    )
    parser.add_argument(
        "--landmarks",
        type=Path,
        required=True,
        metavar="POINTS",
        help=".mrk.json, .fcsv, .csv or another point file (see Docs/inputs.md)",
    )
    add_coordinates_argument(parser)
    parser.add_argument("--slice", metavar="NAME", help="which slice or volume of DICOM that holds several")
    add_frames_arguments(parser)
    add_spacing_argument(parser, always=True)
    add_propagation_arguments(parser)
    parser.add_argument(
        "--forecast",
        type=float,
        metavar="MS",
        help=f"also write {FORECAST_FILE}: where each frame's landmarks will be MS milliseconds later, as"
        " predicted from the frames up to it",
    )
    add_model_arguments(parser)
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def add_propagation_arguments(parser: argparse.ArgumentParser) -> None:
    """`--frame`, `--direction` and `--max-sigma`, the same for one cine and for a folder of them."""
    parser.add_argument(
        "--frame", type=int, default=0, metavar="K", help="frame of the cine that its landmarks lie on (0)"
    )
    parser.add_argument(
        "--direction", choices=get_args(Direction), default="both", help="from frame K (both)"
    )
    parser.add_argument(
        "--max-sigma",
        type=float,
        metavar="MM",
        help="call a point missing above this uncertainty, in px if not calibrated (set by the model)",
    )


def add_model_arguments(
    parser: argparse.ArgumentParser, default: str | None = DEFAULT_LOCATOR, otherwise: str = ""
) -> None:
    """`--model` and `--device`, the same for every command that finds landmarks.

    Args:
        default: None where the command decides; `otherwise` then says how, for the help.
    """
    parser.add_argument(
        "--model",
        default=default,
        metavar="NAME|FILE",
        help=f"see `landmark-tracker models` ({default or otherwise})",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """`--output` and `--overwrite`, the same for every command that writes a folder."""
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="made if it is not there")
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats import open_cine

    cine = open_cine(args.cine, args.slice, (), args.frames_axis, args.frame_rate)
    cine = cine.with_spacing(args.spacing) if args.spacing else cine
    say_understood(cine.name, cine.calibrated, cine.notes)
    track_cine(
        cine,
        landmarks_on(args.landmarks, cine.grid, args.frame, args.coordinates),
        args.output,
        model=args.model,
        device=args.device,
        frame=args.frame,
        direction=args.direction,
        max_sigma_mm=args.max_sigma,
        forecast_ms=args.forecast,
        overwrite=args.overwrite,
    )
    return 0


def track_cine(
    cine: Cine,
    landmarks: LandmarkSet,
    output: Path,
    *,
    model: str,
    device: str = "auto",
    frame: int = 0,
    direction: Direction = "both",
    max_sigma_mm: float | None = None,
    forecast_ms: float | None = None,
    overwrite: bool = False,
) -> Track:
    """The command with its files opened: track under a progress bar, write the results, say what was lost."""
    from LandmarkTrackerLib.forecast import forecast
    from LandmarkTrackerLib.formats.track_csv import write_track_csv
    from LandmarkTrackerLib.methods.registry import make_locator

    if max_sigma_mm is not None and not max_sigma_mm > 0:
        raise InputError(f"--max-sigma is {max_sigma_mm:g} {cine.length_unit}; give a number above 0")
    latency = _latency(cine, forecast_ms) if forecast_ms is not None else None
    refuse_existing(output, (*TRACK_FILES, FORECAST_FILE) if latency else TRACK_FILES, overwrite)
    locator = make_locator(model, device)
    if 0 <= frame < len(cine):
        say_doubt(locator, cine.name, cine[frame])
    steps = propagate(cine, locator, {frame: landmarks}, direction, max_sigma_mm=max_sigma_mm)
    found = {step.frame: step.landmarks for step in results(progress(steps, f"{cine.name} ({model})"))}
    track = track_of(cine, found)
    title = f"{cine.name}: {len(track.names)} landmarks from frame {frame}, {model}"
    for path in write_track(output, cine, track, frame, title, overwrite):
        print(path)
    if latency:
        write_track_csv(output / FORECAST_FILE, forecast(track, latency, cine.grid), overwrite=overwrite)
        print(output / FORECAST_FILE)
    for name, lost in zip(track.names, np.isnan(track.positions[..., 0]).sum(axis=0), strict=True):
        if lost:
            print(f"'{name}' is missing in {lost} of {len(track)} frames")
    return track


def _latency(cine: Cine, ms: float) -> float:
    """Milliseconds in the cine's unit of time."""
    if not ms > 0:
        raise InputError(f"--forecast is {ms:g} ms; give a number above 0")
    if cine.time_unit not in ("s", "ms"):
        raise InputError(
            f"{cine.name} does not state when its frames were taken, so nothing can be predicted in ms; "
            "give a sequence (.seq.nrrd) or DICOM files, which state it"
        )
    return ms / 1000 if cine.time_unit == "s" else ms
