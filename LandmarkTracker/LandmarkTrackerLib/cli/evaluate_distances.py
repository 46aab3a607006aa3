"""`landmark-tracker evaluate distances`: how far the points of one file lie from those of another."""

from __future__ import annotations

import argparse
from pathlib import Path

from LandmarkTrackerLib.cli.point_files import add_coordinates_argument, add_pairing_argument, paired, say


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "evaluate-distances",
        prog="landmark-tracker evaluate distances",
        description="The distance from each point of FOUND to the one of the same name in TRUTH, and their "
        "mean, median, 95th percentile and largest: the target registration error, if FOUND is where a "
        "registration sends the fixed points (outputpoints.txt of transformix) and TRUTH the moving ones.",
    )
    parser.add_argument("found", type=Path, metavar="FOUND", help="point file (see Docs/inputs.md)")
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="point file (see Docs/inputs.md)")
    parser.add_argument("--image", type=Path, metavar="IMAGE", help="that both lie on, if one is in pixels")
    add_pairing_argument(parser)
    add_coordinates_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import numpy as np

    from LandmarkTrackerLib.formats import read_points
    from LandmarkTrackerLib.formats.describe import grid_and_unit

    grid, unit = grid_and_unit(args.image) if args.image else (None, "mm")
    sets = []
    for path in (args.found, args.truth):
        points = read_points(path, args.coordinates)
        say(points)
        sets.append(points.landmarks(grid, numbered=args.by_order))
    pairs, remark = paired(sets[0], sets[1], args.by_order)
    distances = np.linalg.norm(pairs.fixed - pairs.moving, axis=1)
    for name, distance in zip(pairs.names, distances, strict=True):
        print(f"{name}: {distance:.2f} {unit}")
    spread = f"95th percentile {np.percentile(distances, 95):.2f}, largest {distances.max():.2f} {unit}"
    print(
        f"{len(pairs)} pairs: mean {distances.mean():.2f}, median {np.median(distances):.2f}, {spread}"
        + remark
    )
    return 0
