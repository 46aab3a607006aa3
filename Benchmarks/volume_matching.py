"""Point pairs between volumes: how many, how far off, how much of the body, time and memory, beside peers.

    python Benchmarks/volume_matching.py [--output results/benchmarks] [--peers] [--calibrate]

Volumes are deformed by known affine and elastic motions of the extent of Grewal et al. 2020. In some, both
scans get noise of their own, or the moving scan another contrast (its grey values permuted). The matcher was
tuned, and its score calibrated, on `TUNED` alone (`--calibrate` prints that fit). Then pairs that share
nothing: other patients, mirrors, other parts of the body. Prints Markdown tables, and writes pictures,
`volume_matching.csv`, `volume_matching_evidence.csv` and `volume_matching_reliability.csv`.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from cases import data_folder
from LandmarkTrackerLib.evaluation.pair_overview import draw_pairs
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.methods.protocols import Matcher
from LandmarkTrackerLib.methods.registry import make_matcher
from LandmarkTrackerLib.methods.volume_matcher.keypoints import apart, keypoints
from LandmarkTrackerLib.methods.volume_matcher.levels import body_of, pyramid
from LandmarkTrackerLib.methods.volume_matcher.matcher import VolumeMatcher, candidates
from LandmarkTrackerLib.methods.volume_matcher.score import Evidence
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic
from results_table import markdown, write_csv
from simulated_scans import SimulatedScans, deformed

# One patient: the chest is a part of the aorta's scan.
TUNED = "ct_volumes/aorta_1p5mm.nii.gz"
REPORTED = {
    "abdomen CT, 3 mm": "ct_volumes/abdomen_3mm.nii.gz",
    "mouse skull micro-CT, its 0.14 mm taken as 1.5 mm": "mouse_skull/129S1_SVLMJ.nii.gz",
}
OTHER_MOUSE = "mouse_skull/CAST_EIJ.nii.gz"
CONDITIONS = ("affine", "elastic", "affine and elastic, noise", "elastic, other contrast")
MILD = Extent(rotate=20, scale=0.2, shear=0.15, translate=40, elastic=8)
CELL = 16  # mm
WITHIN = (1, 2, 4)
PEER_POINTS = 1500
BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0001)


@dataclass(frozen=True)
class Result:
    """One match.

    Attributes:
        errors: (N,) mm between a fixed point and where its partner comes from.
        scores: (N,)
        coverage, right: share of the cells of the body, as far as both volumes show it, that hold a pair, and
            one within 2 mm.
        seconds, cpu: wall clock and processor.
        gigabytes: the process's largest resident memory, images and libraries included.
        load: of the machine, in the last minute.
    """

    volume: str
    condition: str
    method: str
    errors: Array
    scores: Array
    coverage: float
    right: float
    seconds: float
    cpu: float
    gigabytes: float
    load: float
    evidence: Evidence | None = None


def read_volume(data: Path, name: str) -> sitk.Image:
    """A volume along L, P, S. Hounsfield units from air to metal; a mouse as large as a person."""
    image = sitk.Cast(sitk.DICOMOrient(read_image(data / name), "LPS"), sitk.sitkFloat32)
    if name.startswith("mouse"):
        image.SetSpacing([1.5] * 3)
        return image
    return sitk.Clamp(image, sitk.sitkFloat32, -1024, 3071)


def simulated(image: sitk.Image, condition: str, rng: np.random.Generator) -> SimulatedScans:
    """The volume and what became of it."""
    reach = [(n - 1) * s for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    if condition == "affine":
        drawn = draw_affine(rng, reach, Extent())
    elif condition.startswith("elastic"):
        drawn = draw_elastic(rng, reach, Extent())
    else:
        drawn = draw_elastic(rng, reach, MILD, draw_affine(rng, reach, MILD))
    scans = SimulatedScans(image, deformed(image, drawn), drawn)
    if condition.endswith("noise"):
        return replace(scans, fixed=_noisy(scans.fixed, rng), moving=_noisy(scans.moving, rng))
    if condition.endswith("contrast"):
        return replace(scans, moving=_permuted(scans.moving, rng))
    return scans


def _like(values: np.ndarray, image: sitk.Image) -> sitk.Image:
    made = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    made.CopyInformation(image)
    return made


def _noisy(image: sitk.Image, rng: np.random.Generator) -> sitk.Image:
    """With 0.5 to 3 % of the range that most grey values span as noise, correlated over a voxel."""
    values = pixels(image)
    noise = sitk.GetImageFromArray(rng.normal(size=values.shape).astype(np.float32))
    noise = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 0.8))
    low, high = np.percentile(values, (0.1, 99.9))
    return _like(values + rng.uniform(0.005, 0.03) * (high - low) * noise / noise.std(), image)


def _permuted(image: sitk.Image, rng: np.random.Generator) -> sitk.Image:
    """With seven grey values in another order, linear between them: no more CT than an MRI is."""
    low, high = np.percentile(pixels(image), (0.1, 99.9))
    knots = np.linspace(low, high, 7)
    return _like(np.interp(pixels(image), knots, rng.permutation(knots)), image)


def alone(work: Callable[..., Result], *args: object) -> Result:
    """In a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def measured(
    volume: str, name: str, condition: str, method: str, seed: int, picture: Path | None = None
) -> Result:
    image = read_volume(data_folder(), name)
    scans = simulated(image, condition, np.random.default_rng(seed))
    matcher = _matcher(method, scans.fixed)
    load, began, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
    evidence = None
    if isinstance(matcher, VolumeMatcher):
        *_, last = matcher.steps(scans.fixed, scans.moving)
        pairs, evidence = last.result, last.evidence
        assert pairs is not None
    else:
        pairs = matcher.match(scans.fixed, scans.moving)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if picture:
        draw_pairs(scans.fixed, scans.moving, pairs, picture, f"{volume}, {condition}: {len(pairs)} pairs")
    errors = np.linalg.norm(scans.in_fixed(pairs.moving) - pairs.fixed, axis=1)
    body = _body(image) & _shared(scans)
    covered = coverage(image, body, pairs.fixed), coverage(image, body, pairs.fixed[errors <= 2])
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Result(
        volume, condition, method, errors, pairs.score, *covered, seconds, cpu, gigabytes, load, evidence
    )


def _matcher(method: str, fixed: sitk.Image) -> Matcher:
    if method == "volume matcher":
        return VolumeMatcher(BINS[0])
    if method == "convexAdam":
        from peers.convex_adam import ConvexAdam

        return ConvexAdam(_points(fixed))
    if method == "elastix":
        from peers.elastix_points import ElastixPoints

        return ElastixPoints(_points(fixed))
    return make_matcher("correspondence-ct-3d", "cpu")


def _points(fixed: sitk.Image) -> Array:
    """About `PEER_POINTS` Foerstner keypoints of the body, LPS mm."""
    level = pyramid(fixed, min(fixed.GetSpacing()), 1)[0]
    return level.to_mm(keypoints(level, apart(level, PEER_POINTS, 1)).float()).double().numpy()


def _body(image: sitk.Image) -> np.ndarray:
    """(k, j, i) bool"""
    values = pixels(image)
    low, high = np.percentile(values, (0.1, 99.9))
    return body_of(np.clip((values - low) / (high - low), 0, 1).astype(np.float32))


def _shared(scans: SimulatedScans) -> np.ndarray:
    """(k, j, i) whether a voxel of the fixed volume lies in the moving one's field of view, to 4 mm or so."""
    grid = Grid.of(scans.moving)
    axes = [np.arange(0, n, max(1, round(4 / s))) * s for n, s in zip(grid.size, grid.spacing, strict=True)]
    at = np.rint(scans.deformation.on_axes(axes).reshape(3, -1).T / grid.spacing).astype(int)
    shown = np.zeros(grid.size[::-1], np.uint8)
    shown[tuple(at[((at >= 0) & (at < grid.size)).all(axis=1)].T[::-1])] = 1
    wide = sitk.BinaryDilate(sitk.GetImageFromArray(shown), [round(6 / s) for s in grid.spacing])
    return sitk.GetArrayFromImage(wide) > 0


def coverage(image: sitk.Image, body: np.ndarray, points: Array) -> float:
    """Share of the cells of `CELL` mm with their centre in the body that hold a point of (N, 3) LPS mm."""
    step = np.array([max(1, round(CELL / s)) for s in image.GetSpacing()])
    shape = np.array(image.GetSize()) // step
    middle = tuple(slice(s // 2, None, s) for s in step[::-1])
    inside = body[middle][tuple(map(slice, shape[::-1]))]
    cells = ((Grid.of(image).to_index(points) + 0.5) // step).astype(int)
    held = np.zeros(inside.shape, bool)
    held[tuple(cells[((cells >= 0) & (cells < shape)).all(axis=1)].T[::-1])] = True
    return float(held[inside].mean())


def unlike(data: Path) -> Iterator[tuple[str, sitk.Image, sitk.Image]]:
    """Pairs of volumes of which no point of the one is in the other, in any place that a match may find."""
    abdomen, mouse = (read_volume(data, name) for name in REPORTED.values())
    aorta, other = read_volume(data, TUNED), read_volume(data, OTHER_MOUSE)
    yield "abdomen and chest of two patients", abdomen, aorta
    yield "person and mouse", abdomen, mouse
    half = abdomen.GetSize()[2] // 2
    yield "abdomen, its lower and upper half", abdomen[:, :, :half], abdomen[:, :, half:]
    yield "abdomen, left and right mirrored", abdomen, _like(pixels(abdomen)[:, :, ::-1], abdomen)
    yield "abdomen, upside down", abdomen, _like(pixels(abdomen)[::-1], abdomen)
    noise = np.random.default_rng(0).normal(size=pixels(abdomen).shape)
    blurred = sitk.SmoothingRecursiveGaussian(_like(noise, abdomen), 6.0)
    yield "abdomen and blurred noise", abdomen, blurred
    yield "skulls of two mice (related, in other poses)", mouse, other


def calibrate(data: Path) -> str:
    """The weights and the shape of the score, fitted on `TUNED`.

    Errors are taken as log-logistic: the chance to be within t voxels is a logistic function of log t less a
    weighted sum of what was seen. Pairs of volumes that share nothing count as wrong at every t.
    """
    image = read_volume(data, TUNED)
    coarse = sitk.BinShrink(image, [2, 2, 2])
    half = image.GetSize()[2] // 2
    seen, errors = [], []
    for n, condition in enumerate((*CONDITIONS, *CONDITIONS)):
        scans = simulated(coarse if n % 2 else image, condition, np.random.default_rng(1000 + n))
        features, fixed, moving, spacing = _candidates(scans.fixed, scans.moving)
        seen.append(features)
        errors.append(np.linalg.norm(scans.in_fixed(moving) - fixed, axis=1) / spacing)
        print(condition, f"{np.mean(errors[-1] * spacing <= 2):.3f} of {len(fixed)} within 2 mm", flush=True)
    for fixed_image, moving_image in (
        (image[:, :, :half], image[:, :, half:]),
        (coarse, _like(pixels(coarse)[:, :, ::-1], coarse)),
        (coarse, _like(pixels(coarse)[::-1], coarse)),
    ):
        features, fixed, _, _ = _candidates(fixed_image, moving_image)
        seen.append(features)
        errors.append(np.full(len(fixed), np.inf))
    weights, shape = fit_score(seen, errors)
    return f"WEIGHTS = {tuple(np.round(weights, 3).tolist())}\nSHAPE = {shape:.3f}"


def _candidates(fixed: sitk.Image, moving: sitk.Image) -> tuple[Array, Array, Array, float]:
    work = candidates(fixed, moving)
    with torch.inference_mode():
        while True:
            try:
                next(work)
            except StopIteration as end:
                found = end.value
                break
    points = (x.double().numpy() for x in (found.fixed, found.moving))
    return (found.seen.features().double().numpy(), *points, found.spacing)


def fit_score(
    seen: list[Array], errors: list[Array], thresholds: tuple[float, ...] = (0.75, 1.0, 1.5, 2.0)
) -> tuple[Array, float]:
    """Logistic regression with every match counting the same: (weights, shape).

    Args:
        seen: (N, F) features of each match.
        errors: (N,) voxels.
        thresholds: voxels at which right and wrong are told apart.
    """
    rows, labels, share = [], [], []
    for features, error in zip(seen, errors, strict=True):
        for threshold in thresholds:
            rows.append(np.column_stack([np.full(len(error), np.log(threshold)), -features]))
            labels.append(error <= threshold)
            share.append(np.full(len(error), 1 / len(error)))
    x, y, w = np.vstack(rows), np.concatenate(labels).astype(float), np.concatenate(share)
    w = w / w.mean()
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        curvature = (x * (w * p * (1 - p) + 1e-9)[:, None]).T @ x + 1e-3 * np.eye(len(beta))
        step = np.linalg.solve(curvature, x.T @ (w * (y - p)) - 1e-3 * beta)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return beta[1:] / beta[0], float(beta[0])


def row(result: Result) -> dict[str, str]:
    errors = result.errors
    within = {
        f"within {mm} mm": f"{100 * np.mean(errors <= mm):.1f} %" if len(errors) else "" for mm in WITHIN
    }
    return {
        "volume": result.volume,
        "motion": result.condition,
        "method": result.method,
        "pairs": str(len(errors)),
        "median error, mm": f"{np.median(errors):.2f}" if len(errors) else "",
        **within,
        "coverage": f"{100 * result.coverage:.0f} %",
        "covered within 2 mm": f"{100 * result.right:.0f} %",
        "s": f"{result.seconds:.0f}",
        "CPU s": f"{result.cpu:.0f}",
        "GB": f"{result.gigabytes:.1f}",
        "load": f"{result.load:.1f}",
    }


def evidence_row(what: str, pairs: LandmarkPairs, evidence: Evidence) -> dict[str, str]:
    some = len(pairs) > 0
    return {
        "volumes": what,
        "pairs": str(len(pairs)),
        "of the keypoints": f"{100 * evidence.survived:.1f} %",
        "coverage": f"{100 * evidence.coverage:.0f} %",
        "median score": f"{np.median(pairs.score):.2f}" if some else "",
        "median descriptor distance": f"{np.median(evidence.distance):.3f}" if some else "",
        "median there and back, mm": f"{np.median(evidence.there_and_back):.2f}" if some else "",
    }


def reliability(results: list[Result]) -> list[dict[str, str]]:
    """Stated and observed shares of pairs within 2 mm, over all of our matches with a known motion."""
    ours = [r for r in results if r.method == "volume matcher"]
    scores, errors = (np.concatenate([getattr(r, name) for r in ours]) for name in ("scores", "errors"))
    rows = []
    for low, high in pairwise(BINS):
        some = (scores >= low) & (scores < high)
        if some.any():
            rows.append(
                {
                    "score": f"{low:g} to {min(high, 1):g}",
                    "pairs": str(int(some.sum())),
                    "mean score": f"{100 * scores[some].mean():.1f} %",
                    "within 2 mm": f"{100 * np.mean(errors[some] <= 2):.1f} %",
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--peers", action="store_true", help="convexAdam, elastix and the network too")
    parser.add_argument(
        "--conditions", type=int, default=len(CONDITIONS), help="only the first of the motions"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="fit the score on the tuned volume, and stop"
    )
    args = parser.parse_args()
    data = data_folder()
    if args.calibrate:
        print(calibrate(data))
        return
    args.output.mkdir(parents=True, exist_ok=True)
    results = []
    for n, (volume, name) in enumerate(REPORTED.items()):
        for m, condition in enumerate(CONDITIONS[: args.conditions]):
            methods = ["volume matcher"]
            if args.peers and n == 0 and m < 2:
                methods += ["convexAdam", "elastix", "network"]
            for method in methods:
                picture = args.output / f"volume_matching_{n}_{m}.png" if method == "volume matcher" else None
                results.append(alone(measured, volume, name, condition, method, 10 * n + m, picture))
                print(row(results[-1]), flush=True)
    evidences = []
    for result in results:
        if result.evidence is not None:
            pairs = LandmarkPairs(
                np.zeros((len(result.errors), 3)), np.zeros((len(result.errors), 3)), result.scores
            )
            evidences.append(evidence_row(f"{result.volume}, {result.condition}", pairs, result.evidence))
    for what, fixed, moving in unlike(data):
        *_, last = VolumeMatcher().steps(fixed, moving)
        assert last.result is not None
        assert last.evidence is not None
        evidences.append(evidence_row(what, last.result, last.evidence))
        print(evidences[-1], flush=True)
    rows, reliable = [row(result) for result in results], reliability(results)
    write_csv(args.output / "volume_matching.csv", rows)
    write_csv(args.output / "volume_matching_evidence.csv", evidences)
    write_csv(args.output / "volume_matching_reliability.csv", reliable)
    for table in (rows, evidences, reliable):
        print(markdown(table), end="\n\n")


if __name__ == "__main__":
    main()
