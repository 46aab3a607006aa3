"""Landmarks propagated through simulated breathing torsos that no shipped model has seen.

    python Benchmarks/phantoms.py [--model tracker]

Prints the distance to the exact positions, mm, of each landmark and of all.
"""

from __future__ import annotations

import argparse

import numpy as np
from LandmarkTrackerLib.jobs.propagate import propagate
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results

# The test patients of Docs/recipes/tmn-phantom-torso.toml.
SEEDS = range(1006, 1012)


def errors(model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """(frames, landmarks) mm from the exact positions, of the model and of no motion; sigma; names."""
    locator = make_locator(model, "cpu")
    found_off, still_off, sigma = [], [], []
    for seed in SEEDS:
        phantom = Phantom(seed)
        clicked = phantom.landmarks(0)
        for found in results(propagate(phantom.cine(), locator, {0: clicked})):
            if found.frame:
                exact = phantom.landmarks(found.frame).positions
                found_off.append(np.linalg.norm(found.landmarks.positions - exact, axis=1))
                still_off.append(np.linalg.norm(clicked.positions - exact, axis=1))
                sigma.append(found.landmarks.sigma_mm)
    return np.array(found_off), np.array(still_off), np.array(sigma), clicked.names


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="tracker")
    found, still, sigma, names = errors(parser.parse_args().model)
    print("| landmark | mean | median | 95th pct | worst | missing | mean sigma | no motion, mean |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    columns = [*((name, [n]) for n, name in enumerate(names)), ("all", list(range(len(names))))]
    for name, rows in columns:
        off = found[:, rows]
        print(
            f"| {name} | {np.nanmean(off):.2f} | {np.nanmedian(off):.2f} | {np.nanquantile(off, 0.95):.2f} "
            f"| {np.nanmax(off):.2f} | {100 * np.isnan(off).mean():.0f} % "
            f"| {np.nanmean(sigma[:, rows]):.2f} | {still[:, rows].mean():.2f} |"
        )


if __name__ == "__main__":
    main()
