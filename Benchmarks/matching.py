"""Point pairs in simulated and real pairs of CT scans, every method on the same work in one run.

    python Benchmarks/matching.py [--output results/benchmarks] [--repeats 10] [--model-3d FILE]

Table 1 and Fig. 2 of Grewal et al. 2020, on patients that the shipped model has not seen: intensities of
+-20 %, affine and elastic deformations of the paper's extent. With a model for volumes also on a volume,
beside SIFT in the slices of the same number. Prints a Markdown table, and writes
`matching.csv`, `matching.png`, and `matching_followup_PATIENT.png` of two real dates as in Fig. 3.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from cases import data_folder
from LandmarkTrackerLib.evaluation.pair_overview import colours_by_place, grey_window
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.methods.correspondence.input import (
    CT_TONE,
    PairInputConfig,
    Pixels,
    body_mask,
    grey_image,
)
from LandmarkTrackerLib.methods.protocols import Matcher
from LandmarkTrackerLib.methods.registry import make_matcher
from LandmarkTrackerLib.simulation.scans import Extent
from peers.sift import Sift, SliceBySlice
from results_table import markdown, write_csv
from simulated_scans import KINDS, Kind, SimulatedScans, simulate

# Held out of the shipped model's training and validation.
PATIENTS = ("A056642", "A058062")
VOLUME, EVERY = "ct_volumes/abdomen_3mm.nii.gz", 8
WITHIN = (1, 2, 4, 8, 64)
CELL = 16  # mm


def methods(model: str) -> dict[str, Callable[[], Matcher]]:
    return {
        "network": lambda: make_matcher(model, "cpu", "consistent"),
        "network, smooth": lambda: make_matcher(model, "cpu", "smooth"),
        "SIFT, inverse consistency": lambda: Sift("consistent"),
        "SIFT, ratio test": lambda: Sift("ratio"),
    }


def volume_methods(model: str) -> dict[str, Callable[[], Matcher]]:
    return {
        "network": lambda: make_matcher(model, "cpu", "consistent"),
        "network, smooth": lambda: make_matcher(model, "cpu", "smooth"),
        "SIFT slice by slice, ratio test": lambda: SliceBySlice("ratio"),
    }


@dataclass(frozen=True)
class Result:
    """One pair of scans and one method.

    Attributes:
        errors: (N,) mm between a fixed point and the projection of its partner.
        coverage, right_coverage: share of the body's cells with a pair, and with one within 2 mm.
    """

    what: str
    kind: str
    method: str
    errors: np.ndarray
    seconds: float
    coverage: float
    right_coverage: float


def slices(data: Path) -> Iterator[tuple[str, sitk.Image]]:
    """What a slice counts for, and the slice on pixels of 1 mm."""
    for patient in PATIENTS:
        for path in sorted((data / "ct_followup" / patient).glob("*.nrrd")):
            plane = "axial" if path.name.startswith("axial") else "coronal and sagittal"
            yield f"follow-up CT, {plane}", read_image(path)
    volume = sitk.DICOMOrient(read_image(data / VOLUME), "LPS")
    for k in range(EVERY // 2, volume.GetSize()[2], EVERY):
        yield "abdomen CT of 3 mm, axial", volume[:, :, k : k + 1]


def prepared(image: sitk.Image) -> tuple[sitk.Image, Pixels]:
    """A scan with the grey values that all methods see, as Hounsfield units; its body, ([k,] j, i).

    Slices are on pixels of 1 mm; a volume keeps its own.
    """
    config = _config(image)
    grid, grey = grey_image(image, config)
    return _hounsfield(grey, grid), body_mask(grey if config.dimension == 3 else grey[0])


def _config(image: sitk.Image) -> PairInputConfig:
    return PairInputConfig() if Grid.of(image).is_slice else PairInputConfig(3, image.GetSpacing()[0])


def _hounsfield(grey: Pixels, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(np.interp(grey, CT_TONE[1], CT_TONE[0]).astype(np.float32))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


def varied(scans: SimulatedScans, rng: np.random.Generator) -> SimulatedScans:
    """The moving scan with its grey values, 0 to 1, multiplied and shifted by up to 20 %."""
    grid, grey = grey_image(scans.moving, _config(scans.moving))
    grey = np.clip(grey * (1 + rng.uniform(-0.2, 0.2)) + rng.uniform(-0.2, 0.2), 0, 1)
    return SimulatedScans(scans.fixed, _hounsfield(grey, grid), scans.deformation)


def measure(data: Path, model: str, model_3d: str | None, repeats: int) -> list[Result]:
    """The methods take turns on every pair."""
    matchers = {name: make() for name, make in methods(model).items()}
    results: list[Result] = []
    for n, (what, image) in enumerate(slices(data)):
        often = repeats if "axial" in what and "follow-up" in what else max(1, repeats // 4)
        results += _on(what, image, matchers, n, often)
        print(f"slice {n + 1} done", flush=True)
    if model_3d:
        matchers = {name: make() for name, make in volume_methods(model_3d).items()}
        volume = sitk.DICOMOrient(read_image(data / VOLUME), "LPS")
        results += _on("abdomen CT of 3 mm, volume", volume, matchers, len(results), max(1, repeats // 4))
    return results


def _on(what: str, image: sitk.Image, matchers: dict[str, Matcher], n: int, repeats: int) -> Iterator[Result]:
    fixed, body = prepared(image)
    for repeat in range(repeats):
        for kind in KINDS:
            rng = np.random.default_rng((n, repeat, KINDS.index(kind)))
            scans = simulate(fixed, kind, rng, Extent())
            if kind == "intensity":
                scans = varied(scans, rng)
            yield from (one(what, kind, name, m, scans, body) for name, m in matchers.items())


def one(what: str, kind: Kind, name: str, matcher: Matcher, scans: SimulatedScans, body: Pixels) -> Result:
    began = time.perf_counter()
    pairs = matcher.match(scans.fixed, scans.moving)
    seconds = time.perf_counter() - began
    errors = np.linalg.norm(scans.in_fixed(pairs.moving) - pairs.fixed, axis=1)
    index = Grid.of(scans.fixed).to_index(pairs.fixed)[:, : body.ndim]
    cell = round(CELL / scans.fixed.GetSpacing()[0])
    right = index[errors <= 2]
    return Result(what, kind, name, errors, seconds, coverage(index, body, cell), coverage(right, body, cell))


def coverage(index: np.ndarray, body: Pixels, cell: int) -> float:
    """Share of the cells of `cell` pixels along each axis whose centre is in the body, that hold a point.

    Args:
        index: (N, d) pixels along i, j[, k].
        body: ([k,] j, i).
    """
    shape = tuple(n // cell for n in body.shape)
    inside = body[(slice(cell // 2, None, cell),) * body.ndim][tuple(map(slice, shape))] > 0
    held = np.zeros(shape, bool)
    cells = (index[:, ::-1] // cell).astype(int)
    held[tuple(cells[((cells >= 0) & (cells < shape)).all(axis=1)].T)] = True
    return float(held[inside].mean())


def table(results: list[Result]) -> list[dict[str, str]]:
    """Rows of text, as printed and as written."""
    rows = []
    for key in dict.fromkeys((r.what, r.kind, r.method) for r in results):
        some = [r for r in results if (r.what, r.kind, r.method) == key]
        errors = np.concatenate([r.errors for r in some])
        counts = [len(r.errors) for r in some]
        share = {mm: 100 * float((errors <= mm).mean()) if len(errors) else np.nan for mm in WITHIN}
        rows.append(
            {
                "scans": key[0],
                "deformation": key[1],
                "method": key[2],
                "pairs of scans": str(len(some)),
                "matches": _quartiles(counts, 0),
                "error, mm": _quartiles(errors, 2),
                **{f"within {mm} mm": f"{share[mm]:.1f} %" for mm in WITHIN[:-1]},
                "beyond 64 mm": f"{100 - share[64]:.2f} %",
                "coverage": f"{100 * np.mean([r.coverage for r in some]):.0f} %",
                "covered within 2 mm": f"{100 * np.mean([r.right_coverage for r in some]):.0f} %",
                "ms a pair": f"{1000 * np.median([r.seconds for r in some]):.0f}",
            }
        )
    return rows


def _quartiles(values: object, digits: int) -> str:
    low, middle, high = np.percentile(np.asarray(values, float), (25, 50, 75))
    return f"{middle:.{digits}f} ({low:.{digits}f} - {high:.{digits}f})"


def picture(results: list[Result], path: Path) -> None:
    """Fig. 2: share of the pairs within a distance, one panel a kind of deformation."""
    from matplotlib.figure import Figure

    some = [r for r in results if r.what == "follow-up CT, axial"]
    figure = Figure(figsize=(14, 4), layout="constrained")
    for ax, kind in zip(figure.subplots(1, 3, sharey=True), KINDS, strict=True):
        for method in dict.fromkeys(r.method for r in some):
            errors = np.sort(np.concatenate([r.errors for r in some if (r.kind, r.method) == (kind, method)]))
            share = 100 * np.arange(1, len(errors) + 1) / max(len(errors), 1)
            ax.step(np.maximum(errors, 0.1), share, where="post", label=method)
        ax.set(xscale="log", xlim=(0.1, 400), ylim=(60, 100.5), xlabel="error (mm)", title=kind)
        ax.axvline(64, color="grey", lw=0.7, ls=":")
        ax.grid(alpha=0.3, which="both")
    figure.axes[0].set_ylabel("pairs within this error (%)")
    figure.axes[0].legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)


def followup(data: Path, patient: str, model: str, path: Path) -> None:
    """Fig. 3: two dates of a patient; points of a pair have one colour, given by the place in the first."""
    from matplotlib.figure import Figure

    fixed, moving = (read_image(p) for p in sorted((data / "ct_followup" / patient).glob("axial*.nrrd")))
    made = methods(model)
    figure = Figure(figsize=(4.2 * len(made), 8.6), facecolor="#1b1d21", layout="constrained")
    panels = figure.subplots(2, len(made))
    for column, (name, make) in zip(panels.T, made.items(), strict=True):
        pairs = make().match(fixed, moving)
        colours = colours_by_place(Grid.of(fixed), pairs.fixed)
        column[0].set_title(f"{name}: {len(pairs)} pairs", color="#d7dae0", fontsize=10)
        for ax, image, points in zip(column, (fixed, moving), (pairs.fixed, pairs.moving), strict=True):
            _draw(ax, image, points, colours)
    figure.savefig(path, dpi=100, facecolor="#1b1d21")


def _draw(ax: object, image: sitk.Image, points: np.ndarray, colours: np.ndarray) -> None:
    low, high = grey_window(image)
    index = Grid.of(image).to_index(points)
    ax.imshow(pixels(image)[0], cmap="gray", vmin=low, vmax=high)  # type: ignore[attr-defined]
    ax.scatter(index[:, 0], index[:, 1], s=9, c=colours, linewidths=0)  # type: ignore[attr-defined]
    ax.set_axis_off()  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--model", default="correspondence-ct", help="name or .pt file (correspondence-ct)")
    parser.add_argument("--model-3d", help="for volumes; without one, slices only")
    parser.add_argument("--repeats", type=int, default=10, help="deformations of each kind a slice (10)")
    args = parser.parse_args()
    data = data_folder()
    results = measure(data, args.model, args.model_3d, args.repeats)
    rows = table(results)
    write_csv(args.output / "matching.csv", rows)
    picture(results, args.output / "matching.png")
    for patient in PATIENTS:
        followup(data, patient, args.model, args.output / f"matching_followup_{patient}.png")
    print(markdown(rows))


if __name__ == "__main__":
    main()
