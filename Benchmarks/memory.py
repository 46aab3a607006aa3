"""Memory while a long cine is tracked: it must not grow with the number of frames.

    python Benchmarks/memory.py [--frames 10000] [--model tracker] [--output results/benchmarks]

The cine is made frame by frame while it is tracked, and the answers are counted and let go, as a program that
follows a scanner does. Prints the memory in use every tenth of the way, and writes `memory.csv`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from cost import COUNT, spread
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.propagate import propagate
from LandmarkTrackerLib.methods.registry import make_locator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results
from results_table import write_csv

SIDE = 128


def endless(frames: int) -> Cine:
    """A torso that moves up and down by whole pixels, another noise in every frame."""
    still = sitk.GetArrayFromImage(Phantom(20_007, frames=1).cine()[0])[0, :SIDE, :SIDE].astype(np.float32)

    def frame(t: int) -> sitk.Image:
        moved = np.roll(still, round(4 * np.sin(0.4 * t)), axis=0)
        noise = np.random.default_rng(t).normal(0, 0.02 * still.max(), still.shape)
        return sitk.GetImageFromArray((moved + noise)[None].astype(np.float32))

    return Cine(range(frames), frame, Grid.of(frame(0)), f"{frames} frames")


def resident_mb() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--model", default="tracker")
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    args = parser.parse_args()
    cine = endless(args.frames)
    held: list[tuple[int, float]] = []
    every = max(args.frames // 10, 1)
    for step in results(propagate(cine, make_locator(args.model, "cpu"), {0: spread(cine.grid, COUNT)})):
        # What the first frames set up is there before it counts.
        if step.frame == min(100, every) or (step.frame and step.frame % every == 0):
            held.append((step.frame, resident_mb()))
            print(f"frame {step.frame}: {held[-1][1]:.1f} MB", flush=True)
    print(f"grown by {held[-1][1] - held[0][1]:.1f} MB from frame {held[0][0]} to {held[-1][0]}")
    rows = [{"frame": frame, "resident_mb": f"{mb:.2f}"} for frame, mb in held]
    write_csv(args.output / "memory.csv", rows)


if __name__ == "__main__":
    main()
