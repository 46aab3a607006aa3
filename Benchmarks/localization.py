"""The claims of the SpatialConfiguration-Net paper, tested on real images with few annotations.

    python Benchmarks/localization.py data/annotated --output results/localization

Trains SCN, Localization U-Net and LA-Net on the same images with the same budget, for 5, 10, 20 and all
training images where a set has that many, and writes one table of their errors on the same unseen subjects.
Every finished run is kept, so that an interrupted benchmark goes on where it was. Sizes, widths and steps are
reduced to what two CPU cores do in an hour; `settings` says how.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from LandmarkTrackerLib.evaluation.localization import RADII, Localization, summarise
from LandmarkTrackerLib.evaluation.montage import draw_cumulative
from LandmarkTrackerLib.formats.annotated import Annotated
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.heatmap.detector import Calibration, HeatmapDetector, prepare
from LandmarkTrackerLib.methods.heatmap.peaks import find_peaks
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.networks.heatmap import Architecture, NetworkConfig
from LandmarkTrackerLib.simulation.augmentation import AugmentationConfig
from LandmarkTrackerLib.training.config import DataConfig, RunConfig
from LandmarkTrackerLib.training.data import annotated_in, subject_folds
from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining, LearningConfig
from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.weights import load_model

ALL = 0


@dataclass(frozen=True)
class Method:
    """A network and how it is trained.

    Attributes:
        recipe: "common" to all networks; "batch 1" sees as many samples one at a time; "paper" does so with
            Nesterov's momentum and the paper's rates.
    """

    key: str
    title: str
    architecture: Architecture
    recipe: Literal["common", "batch 1", "paper"] = "common"

    def training(self, common: HeatmapTraining) -> HeatmapTraining:
        changed = replace(common, network=replace(common.network, architecture=self.architecture))
        if self.recipe == "common":
            return changed
        run = replace(common.run, steps=common.run.steps * common.run.batch_size, batch_size=1)
        if self.recipe == "batch 1":
            return replace(changed, run=run)
        paper = LearningConfig("nesterov", rate=1e-6, weight_decay=0.0005, momentum=0.99)
        return replace(changed, learning=paper, run=replace(run, schedule="constant", warmup=0, clip=1e4))


METHODS = (
    Method("scn", "SCN", "scn"),
    Method("unet", "Localization U-Net", "unet"),
    Method("la", "LA-Net", "la"),
)
RECIPES = (
    Method("scn-batch1", "SCN, AdamW, batch 1", "scn", "batch 1"),
    Method("scn-nesterov", "SCN, Nesterov, batch 1 (paper)", "scn", "paper"),
)


@dataclass(frozen=True)
class Setting:
    """How one data set is trained and tested.

    Attributes:
        training: without an architecture.
        counts: numbers of training images.
        folds: the subjects fall into so many parts; the first `tested` of them are tested, each by networks
            trained on the others.
        scale: two landmarks and their distance in mm, where the images have no spacing of their own.
        unit: of the errors.
    """

    training: HeatmapTraining
    counts: tuple[int, ...]
    folds: int
    tested: int
    unit: str = "mm"
    scale: tuple[str, str, float] | None = None


def settings(data: Path) -> dict[str, Setting]:
    """What differs from the paper: sizes, widths and steps; AdamW, mostly with batches of 4."""
    run = RunConfig(
        steps=500,
        batch_size=4,
        precision="bf16-mixed",
        threads=1,
        schedule="cosine",
        warmup=20,
        validate_every=10**6,
        checkpoint_every=10**6,
    )
    small = HeatmapTraining(
        (),
        InputConfig((96, 96)),
        run,
        network=NetworkConfig(width=24, factor=8, dropout=0.5),
        learning=LearningConfig("adamw", rate=1e-3, weight_decay=1e-3),
        augmentation=AugmentationConfig(translate=8.0, elastic=2.5, nodes=8),
    )
    cardiac = replace(
        small,
        data=(DataConfig(str((data / "cardiac_edes").resolve()), subject="^(.+)-IM-"),),
        input=InputConfig((96, 96), intensity="image"),
    )
    hand = replace(
        small,
        data=(DataConfig(str((data / "hand_xray").resolve())),),
        input=InputConfig((96, 144)),
        run=replace(run, steps=400),
    )
    skull = replace(
        small,
        data=(DataConfig(str((data / "mouse_skull").resolve())),),
        input=InputConfig((32, 32, 32), align=True),
        network=NetworkConfig(width=24, factor=4, levels=3, dropout=0.2),
        # What is left of the pose after alignment is about 25 degrees of roll.
        augmentation=AugmentationConfig(translate=2.0, rotate=25.0, scale=(0.85, 1.15), elastic=1.0, nodes=6),
        run=replace(run, steps=700, batch_size=1),
    )
    return {
        "cardiac_edes": Setting(cardiac, (5, 10, 20, ALL), folds=4, tested=1, unit="px"),
        "hand_xray": Setting(hand, (ALL,), folds=6, tested=2, scale=("1", "5", 50.0)),
        "mouse_skull": Setting(skull, (5, 10, ALL), folds=8, tested=1),
    }


def subset(data: Sequence[Annotated], count: int, seed: int = 0) -> list[Annotated]:
    """`count` images, from as many subjects as there are; all for 0."""
    if count == ALL:
        return list(data)
    order = np.random.default_rng(seed).permutation(len(data))
    images: dict[str, list[int]] = {}
    for row in order:
        images.setdefault(data[row].subject, []).append(int(row))
    turns = sorted((turn, n, row) for n, rows in enumerate(images.values()) for turn, row in enumerate(rows))
    return [data[row] for _, _, row in turns[:count]]


def run_one(
    setting: Setting, method: Method, train: list[Annotated], test: list[Annotated], folder: Path
) -> dict[str, Any]:
    """Train, detect on the unseen images, and return their answers; kept in `folder`."""
    kept = folder / "answers.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    config = method.training(setting.training)
    # Validated once, at the last step, on a training image: no unseen image has a say in anything.
    task = HeatmapTask(config, train, train[:1])
    shutil.rmtree(folder / "run", ignore_errors=True)
    run = Run(task, config.run, folder / "run")
    for _ in run:
        pass
    detector = HeatmapDetector(load_model(run.model), "cpu")
    # What is compared is where the peaks are: nothing is called missing.
    detector.config = replace(detector.config, calibration=Calibration(-np.inf, 1.0))
    found = [detector.detect(item.read()) for item in test]
    result = {
        "names": detector.names,
        "answers": {item.name: f.positions.tolist() for item, f in zip(test, found, strict=True)},
        "training_seconds": run.seconds,
        "parameters": sum(p.numel() for p in detector.network.parameters()),
        "training_images": len(train),
    }
    kept.write_text(json.dumps(result))
    return result


def milliseconds(folder: Path, item: Annotated) -> float:
    """Of one image, the fastest of five: other work on the machine only ever makes it slower."""
    detector = HeatmapDetector(load_model(folder / "run" / "run.pt"), "cpu")
    image, times = item.read(), []
    for _ in range(5):
        began = time.perf_counter()
        detector.detect(image)
        times.append(1000 * (time.perf_counter() - began))
    return min(times)


def benchmark(data: Path, output: Path, sets: Sequence[str]) -> list[dict[str, Any]]:
    """One row a data set, number of training images and network."""
    rows = []
    for name, setting in settings(data).items():
        if name not in sets or not (data / name).is_dir():
            continue
        items = annotated_in(*setting.training.data)
        parts = subject_folds(items, setting.folds)
        for count in setting.counts:
            extra = RECIPES if count == ALL and name == "cardiac_edes" else ()
            for method in METHODS + extra:
                rows.append(_row(name, setting, method, count, items, parts, output))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _row(
    name: str,
    setting: Setting,
    method: Method,
    count: int,
    items: list[Annotated],
    parts: list[list[Annotated]],
    output: Path,
) -> dict[str, Any]:
    compared, runs, times = [], [], []
    for fold, test in enumerate(parts[: setting.tested]):
        train = subset([item for item in items if item not in test], count, seed=fold)
        folder = output / name / f"{method.key}-{count or 'all'}-fold{fold}"
        runs.append(run_one(setting, method, train, test, folder))
        times.append(milliseconds(folder, test[0]))
        for item in test:
            found = LandmarkSet(tuple(runs[-1]["names"]), np.array(runs[-1]["answers"][item.name]))
            compared.append((item.name, item.landmarks, found))
    result = Localization.of(compared)
    if setting.scale:
        result = result.normalised(*setting.scale)
    values = asdict(summarise(result))
    # Sigma and missing landmarks are not compared here.
    for unused in ("within_sigma", "missed", "invented", "found", "mean_found"):
        del values[unused]
    return {
        "set": name,
        "unit": setting.unit,
        "network": method.title,
        "training_images": runs[0]["training_images"],
        "test_images": len(compared),
        "parameters": runs[0]["parameters"],
        "ms_per_image": float(np.median(times)),
        **values,
    }


def heads(data: Path, output: Path, name: str, radius: float = 10.0) -> list[dict[str, Any]]:
    """Figure 9: the maxima of both components of the trained SCN, alone and of appearance near the truth.

    Args:
        radius: mm around the true place, for the last.
    """
    setting = settings(data)[name]
    items = annotated_in(*setting.training.data)
    detector = HeatmapDetector(load_model(output / name / "scn-all-fold0" / "run" / "run.pt"), "cpu")
    errors: dict[str, list[np.ndarray]] = {}
    for item in subject_folds(items, setting.folds)[0]:
        (view,) = prepare(item.read(), detector.config)
        pitch = view.grid.spacing[0]
        truth = item.landmarks.select(detector.names).positions
        centres = view.grid.to_index(truth)[:, :2]
        j, i = np.indices(view.pixels.shape)
        apart = np.hypot(i - centres[:, 0, None, None], j - centres[:, 1, None, None]) * pitch
        trained = detector.heads(view)
        scale = 1.0
        if setting.scale:
            first, second = (detector.names.index(n) for n in setting.scale[:2])
            scale = setting.scale[2] / float(np.linalg.norm(truth[first] - truth[second]))
        for head, heatmaps in (
            ("SCN", trained.product),
            ("appearance (LA)", trained.appearance),
            ("configuration (SC)", trained.configuration),
            ("LA around the truth", np.where(apart * scale <= radius, trained.appearance, -np.inf)),
        ):
            off = np.linalg.norm(find_peaks(heatmaps, 4).index - centres, axis=1) * pitch * scale
            errors.setdefault(head, []).append(off)
    return [
        {"set": name, "unit": setting.unit, "head": head, "errors": np.array(e)} for head, e in errors.items()
    ]


def heads_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| set | maxima of | median | mean | #O_4 | #O_10 |", "| --- | --- |" + " ---: |" * 4]
    for row in rows:
        errors = row["errors"]
        over = " | ".join(f"{(errors > radius).mean():.1%}" for radius in RADII[1:])
        typical = f"{np.median(errors):.2f} | {errors.mean():.2f}"
        lines.append(f"| {row['set']} ({row['unit']}) | {row['head']} | {typical} | {over} |")
    return "\n".join(lines)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: what the paper's tables 1 to 3 show."""
    lines = [
        "| set | training images | network | mean | median | SD | "
        + " | ".join(f"#O_{radius:g}" for radius in RADII)
        + " | of | ms an image |",
        "| --- | ---: | --- |" + " ---: |" * (5 + len(RADII)),
    ]
    for row in rows:
        over = " | ".join(f"{n} ({n / row['points']:.1%})" for n in row["outliers"])
        errors = " | ".join(f"{row[key]:.2f}" for key in ("mean", "median", "sd"))
        lines.append(
            f"| {row['set']} ({row['unit']}) | {row['training_images']} | {row['network']} | {errors} | "
            f"{over} | {row['points']} | {row['ms_per_image']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="ANNOTATED", help="folder made by annotated_sets.py")
    parser.add_argument("--output", type=Path, default=Path("results/localization"))
    parser.add_argument("--sets", nargs="+", default=["cardiac_edes", "hand_xray", "mouse_skull"])
    args = parser.parse_args()
    rows = benchmark(args.data, args.output, args.sets)
    (args.output / "localization.json").write_text(json.dumps(rows, indent=1))
    print(table(rows))
    trained = [
        row for name in args.sets if name != "mouse_skull" for row in heads(args.data, args.output, name)
    ]
    print()
    print(heads_table(trained))
    for name in dict.fromkeys(row["set"] for row in trained):
        curves = [(r["head"], r["errors"].mean(axis=1)) for r in trained if r["set"] == name]
        draw_cumulative(args.output / f"heads-{name}.png", curves, settings(args.data)[name].unit)


if __name__ == "__main__":
    main()
