"""`landmark-tracker demo`: the main job on a cine that the program draws itself, beside the exact answer."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from LandmarkTrackerLib.cli.track import add_output_arguments, track_cine
from LandmarkTrackerLib.jobs.export import TRACK_FILES, refuse_existing
from LandmarkTrackerLib.landmarks import Track
from LandmarkTrackerLib.methods.registry import DEFAULT_LOCATOR
from LandmarkTrackerLib.simulation.phantom import Phantom

# A patient whom no shipped model has seen: their training seeds are in their cards.
SEED = 20_001


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "demo", help="track landmarks in a simulated breathing torso and check them"
    )
    add_output_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from LandmarkTrackerLib.formats import open_cine, read_landmarks, write_cine, write_landmarks

    phantom = Phantom(SEED)
    cine, points = args.output / "torso.seq.nrrd", args.output / "clicked.mrk.json"
    refuse_existing(args.output, (cine.name, points.name, *TRACK_FILES), args.overwrite)
    write_cine(cine, phantom.cine(), overwrite=True)
    write_landmarks(points, phantom.landmarks(0), overwrite=True)
    seconds, shown = phantom.cine().times[-1], len(phantom.landmarks(0))
    print(f"A simulated patient breathes for {seconds:.0f} s; {shown} landmarks are shown in frame 0.")
    # From the files just written, as a user would.
    found = track_cine(
        open_cine(cine), read_landmarks(points), args.output, model=DEFAULT_LOCATOR, overwrite=True
    )
    print()
    for line in comparison(found, phantom.track()):
        print(line)
    print(f"\nLook at {args.output / 'overview.png'}")
    print(f"or drag {cine} and {args.output / 'track.seq.mrb'} into Slicer and scrub.")
    print("Click, propagate and scrub yourself, in a browser:")
    print(f"  {program()} serve {cine}")
    return 0


def program() -> str:
    """How this program was called, to call it again."""
    called = sys.argv[0]
    return called if called.endswith("landmark-tracker") else "landmark-tracker"


def comparison(found: Track, exact: Track) -> list[str]:
    """A table of the error against the exact positions, beside what it were if nothing were tracked (mm)."""
    error = np.linalg.norm(found.positions - exact.positions, axis=2)[1:]
    still = np.linalg.norm(exact[0].positions - exact.positions, axis=2)[1:]

    def row(name: str, columns: slice) -> str:
        of, unmoved = error[:, columns], still[:, columns].mean()
        if np.isnan(of).all():
            return f"{name:<20}{'missing in every frame':>32}{unmoved:>14.2f}"
        lost = 100 * np.isnan(of).mean()
        return f"{name:<20}{np.nanmean(of):>12.2f}{np.nanmax(of):>9.2f}{lost:>10.0f}%{unmoved:>14.2f}"

    head = f"{'error (mm)':<20}{'mean':>12}{'worst':>9}{'missing':>11}{'untracked':>14}"
    names = [row(name, slice(n, n + 1)) for n, name in enumerate(exact.names)]
    return [head, *names, row("all", slice(None))]
