"""One example or a few, found in other subjects: LandmarkTracker beside the paper's network and OpenCV.

    python Benchmarks/across_subjects.py data/annotated [--examples 5] --output results/across

DATA is what `annotated_sets.py` makes. On the hand radiographs every image is the single example for all
others; their mm are those in which two points of the wrist, landmarks 0 and 4, lie 50 mm apart (with 1 and
5, the SCN authors' convention, they differ by some percent: `hand_mm_1_5` of the JSON is that mean). On the
hearts, one slice of each patient is the example for slices of other patients drawn at random, whatever their
level and phase; their files carry no spacing, 1.37 mm is assumed.

With several `--examples`, others are drawn at random to the one of each pair.

An error counts where the method has given a place; "undetected" are errors above 20 mm among these, of all
points. The time is the processor's, the median of one target: other work on the machine counts little.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.formats import read_image, read_landmarks
from LandmarkTrackerLib.formats.files import stem
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.jobs.across import examples_of, locate_one
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Examples, Locator
from LandmarkTrackerLib.methods.registry import make_locator

GROSS = 20.0
HEART_SPACING = 1.37

# The numbers of the subjects that are shown.
Shown = tuple[int, ...]


@dataclass(frozen=True)
class Subject:
    """An annotated image. `mm` is what a mm of its file is worth, with the convention of its set."""

    name: str
    image: sitk.Image
    landmarks: LandmarkSet
    mm: float
    mm_other: float

    @property
    def patient(self) -> str:
        return self.name.partition("-IM-")[0]


@dataclass(frozen=True)
class Row:
    """A method on a set; mm and ms."""

    data: str
    examples: int
    method: str
    pairs: int
    points: int
    answered: float
    mean: float
    median: float
    p95: float
    gross: float
    undetected: float
    undetected_count: int
    ms: float
    hand_mm_1_5: float


def hands(folder: Path, draws: int) -> tuple[list[Subject], list[tuple[int, int]]]:
    subjects = []
    for path in sorted(folder.glob("*.mha")):
        landmarks = read_landmarks(path.with_suffix(".mrk.json"))
        wrist, other = (
            float(np.linalg.norm(landmarks[a].position - landmarks[b].position))
            for a, b in (("0", "4"), ("1", "5"))
        )
        subjects.append(Subject(stem(path), read_image(path), landmarks, 50 / wrist, 50 / other))
    return subjects, [(a, b) for a in range(len(subjects)) for b in range(len(subjects)) if a != b]


def hearts(folder: Path, draws: int) -> tuple[list[Subject], list[tuple[int, int]]]:
    """`draws` targets for each patient's one example."""
    patients: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.png")):
        patients.setdefault(path.name.partition("-IM-")[0], []).append(path)
    rng = np.random.default_rng(0)
    subjects: list[Subject] = []
    pairs = []

    def add(path: Path) -> int:
        image, landmarks = read_image(path), read_landmarks(path.with_suffix(".mrk.json"))
        index = Grid.of(image).to_index(landmarks.positions)
        image.SetSpacing((HEART_SPACING, HEART_SPACING, 8.0))
        landmarks = LandmarkSet(landmarks.names, Grid.of(image).to_world(index))
        subjects.append(Subject(stem(path), image, landmarks, 1.0, 1.0))
        return len(subjects) - 1

    for name, images in patients.items():
        example = add(images[rng.integers(len(images))])
        others = [other for other in patients if other != name]
        for other in rng.choice(others, draws, replace=False):
            pairs.append((example, add(patients[other][rng.integers(len(patients[other]))])))
    return subjects, pairs


def with_more(pairs: list[tuple[int, int]], subjects: list[Subject], count: int) -> list[tuple[Shown, int]]:
    """`count` examples a target: the pair's, and others at random, none of the target's patient."""
    rng = np.random.default_rng(1)
    offered = sorted({a for a, _ in pairs})
    result = []
    for a, b in pairs:
        others = [o for o in offered if o != a and subjects[o].patient != subjects[b].patient]
        result.append(((a, *rng.permutation(others)[: count - 1].tolist()), b))
    return result


def measure(
    data: str, method: str, locator: Locator, subjects: list[Subject], pairs: list[tuple[Shown, int]]
) -> tuple[Row, np.ndarray]:
    """Also returns (points, 3): pair, error, sigma; NaN where missing."""
    learned: dict[Shown, Examples] = {}
    rows, other, times = [], [], []
    for number, (shown, b) in enumerate(pairs):
        target = subjects[b]
        if shown not in learned:
            examples = [(subjects[a].image, subjects[a].landmarks) for a in shown]
            learned[shown] = examples_of(locator, examples)
        began = time.process_time()
        found = locate_one(target.name, target.image, locator, learned[shown]).landmarks
        times.append(1000 * (time.process_time() - began))
        truth = target.landmarks.select(found.names)
        error = np.linalg.norm(found.positions - truth.positions, axis=1)
        rows.append(
            np.column_stack([np.full(len(error), number), error * target.mm, found.sigma_mm * target.mm])
        )
        other.append(error * target.mm_other)
    table = np.concatenate(rows)
    errors = table[:, 1]
    kept = errors[np.isfinite(errors)]
    over = int((kept > GROSS).sum())
    return (
        Row(
            data,
            len(pairs[0][0]),
            method,
            len(pairs),
            len(errors),
            len(kept) / len(errors),
            *(float(f(kept)) for f in (np.mean, np.median, partial(np.quantile, q=0.95))),
            over / max(len(kept), 1),
            over / len(errors),
            over,
            float(np.median(times)),
            float(np.nanmean(np.concatenate(other))),
        ),
        table,
    )


def methods() -> dict[str, Callable[[], Locator]]:
    from peers.affine_dis import AffineDis

    named: dict[str, Callable[[], Locator]] = {"ECC + DIS (OpenCV)": AffineDis}
    for model in ("tmn-cardiac-cine", "tracker", "pictorial"):
        named[model] = partial(make_locator, model, "cpu")
    return named


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "| images | examples | method | answered | mean | median | p95 | undetected > 20 mm | ms |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {r.data} | {r.examples} | {r.method} "
        f"| {r.answered:.0%} | {r.mean:.2f} | {r.median:.2f} | {r.p95:.1f} "
        f"| {r.undetected_count} of {r.points} ({r.undetected:.1%}) | {r.ms:.0f} |"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--output", type=Path, default=Path("results/across"))
    parser.add_argument("--methods", nargs="+", help="only these")
    parser.add_argument("--examples", type=int, default=1, metavar="N", help="shown for each target (1)")
    parser.add_argument("--draws", type=int, default=4, help="targets of each heart (4)")
    parser.add_argument("--sets", nargs="+", default=["hand_xray", "cardiac_edes"], help="only these")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for data, load in (("hand_xray", hands), ("cardiac_edes", hearts)):
        if data not in args.sets or not (args.data / data).is_dir():
            continue
        subjects, single = load(args.data / data, args.draws)
        pairs = with_more(single, subjects, args.examples)
        for method, make in methods().items():
            if args.methods and method not in args.methods:
                continue
            row, answers = measure(data, method, make(), subjects, pairs)
            rows.append(row)
            np.save(args.output / f"{data}-{method.split()[0]}.npy", answers)
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
            (args.output / "across_subjects.json").write_text(json.dumps([asdict(r) for r in rows], indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
