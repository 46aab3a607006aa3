"""What a kind of image costs that nobody trained on: the tracker without a set, on that set.

    python Benchmarks/leave_out.py [--steps 4000] [--seed 1] [--output results/leave_out]

For each kind of image the tracker is trained by its shipped recipe without it, and once with all of them, all
for the same number of steps; then both follow held-out patients of that kind, beside DIS flow. A training
that was stopped goes on when the command is given again; one that is done is not repeated.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cases import (
    PLAIN,
    SIMULATED_POINTS,
    Case,
    Result,
    cardiac_cases,
    data_folder,
    in_the_body,
    simulated_case,
)
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.methods.protocols import Locator
from LandmarkTrackerLib.methods.registry import make_locator
from peers.dis_flow import DisFlow
from results_table import write_csv
from simulated_motion import SimulatedMotion
from tracking import measure

RECIPE = Path(__file__).parents[1] / "Docs" / "recipes" / "tracker.toml"
EVERYTHING = "all sets"


@dataclass(frozen=True)
class Kind:
    """A kind of image.

    Attributes:
        folders: that it is trained on.
        patients: how the names of its patients begin.
        held_out: files of patients that no training here sees.
    """

    folders: tuple[str, ...]
    patients: tuple[str, ...]
    held_out: tuple[str, ...]

    def has(self, patient: str) -> bool:
        return patient.startswith(self.patients)


KINDS = {
    "heart MRI": Kind(
        ("cardiac_cine", "cardiac_edes/images"),
        ("SC",),
        tuple(f"cardiac_edes/images/{patient}-*.png" for patient in ("SC-HF-NI-12", "SC-HYP-40", "SC-N-05")),
    ),
    "CT": Kind(("ct_followup", "ct_volumes"), ("A", "chest"), ("ct_followup/A072894/*.nrrd",)),
    "radiographs": Kind(
        ("chest_xray",),
        ("0", "8"),
        tuple(f"chest_xray/{name}.png" for name in ("6b5af975", "19a01707", "1e534853", "7a9ec606")),
    ),
}
# Their patients, for the split of the recipe, which trains on all radiographs.
RADIOGRAPHS = ("04a33bab", "8cb68566")


def recipe(without: tuple[str, ...], steps: int, seed: int) -> str:
    """The shipped recipe's text without the sets of some folders, for so many steps."""
    text = RECIPE.read_text()
    kept = [part for part in text.split("\n\n") if not any(f'folder = "{f}"' in part for f in without)]
    settings = tomllib.loads(text)
    old, test = settings["run"], settings["split"]["test"]
    changes = {
        f"steps = {old['steps']}": f"steps = {steps}",
        f"seed = {old['seed']}": f"seed = {seed}",
        f"validate_every = {old['validate_every']}": f"validate_every = {steps}",
        f'"{test[-1]}"]': ", ".join(f'"{name}"' for name in (test[-1], *RADIOGRAPHS)) + "]",
    }
    changed = "\n\n".join(kept)
    for before, after in changes.items():
        changed = changed.replace(before, after)
    # The split names patients that are there.
    for name in (*settings["split"]["validation"], *test, *RADIOGRAPHS):
        if any(kind.has(name) for kind in KINDS.values() if set(kind.folders) & set(without)):
            changed = changed.replace(f', "{name}"', "").replace(f'"{name}", ', "")
    return changed


def trained(name: str, without: tuple[str, ...], steps: int, seed: int, folder: Path) -> Path:
    """The model that was trained without some folders; trains it if it is not there."""
    run = folder / name.replace(" ", "_")
    config = run.with_suffix(".toml")
    config.write_text(recipe(without, steps, seed))
    model = run / f"{run.name}.pt"
    if not model.exists():
        command = [sys.executable, "-m", "LandmarkTrackerLib", "train", "tracker", str(config)]
        command += ["--output", str(run)] + (["--resume"] if (run / "last.ckpt").exists() else [])
        subprocess.run(command, check=True)
    return model


def cases(kind: str, data: Path) -> Iterator[Case]:
    for seed, pattern in enumerate(KINDS[kind].held_out):
        paths = sorted(data.glob(pattern))
        for path in dict.fromkeys((paths[0], paths[len(paths) // 2])):
            motion = SimulatedMotion(read_image(path), seed=seed, **PLAIN)
            yield simulated_case("simulated", motion, path.stem, in_the_body(motion, SIMULATED_POINTS))


def results(kind: str, data: Path, locators: dict[str, Locator]) -> list[Result]:
    real = cardiac_cases(data) if kind == "heart MRI" else iter(())
    return measure(chain(cases(kind, data), real), locators)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=4000, help="of each training (4000)")
    parser.add_argument("--seed", type=int, default=1, help="of each training (1)")
    parser.add_argument("--output", type=Path, default=Path("results/leave_out"))
    args = parser.parse_args()
    data = data_folder()
    args.output.mkdir(parents=True, exist_ok=True)
    everything = trained(EVERYTHING, (), args.steps, args.seed, args.output)
    lines = []
    for name, kind in KINDS.items():
        without = trained(f"without {name}", kind.folders, args.steps, args.seed, args.output)
        locators = {
            "DIS flow, warm": DisFlow(warm=True),
            EVERYTHING: make_locator(str(everything), "cpu"),
            "without them": make_locator(str(without), "cpu"),
        }
        for result in results(name, data, locators):
            s = result.summary
            lines.append(
                {
                    "images": name,
                    "row": result.row,
                    "method": result.method,
                    "mean": f"{s.mean:.3f}",
                    "p95": f"{s.p95:.3f}",
                    "missing": f"{s.missing:.3f}",
                }
            )
            print(lines[-1], flush=True)
        write_csv(args.output / "leave_out.csv", lines)


if __name__ == "__main__":
    main()
