"""Deformable registration of CT by elastix with and without point pairs, in one run.

    python Benchmarks/registration.py [--output results/benchmarks] [--model-3d FILE] [--cases N]

Large deformations are simulated on slices, and with a model for volumes on a volume, that the models have not
seen. elastix runs an affine and a B-spline stage on mutual information, alone and drawn by the pairs of the
network and of SIFT (in a volume: of SIFT in the slices of the same number). Measured at random points of the
body that no method was shown: target registration error, share of the body that folds (negative Jacobian),
and time. Prints a Markdown table, and writes `registration.csv` and `registration.png`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import itk
import numpy as np
import SimpleITK as sitk
from cases import data_folder
from LandmarkTrackerLib.evaluation.overview import BACKGROUND, TEXT
from LandmarkTrackerLib.evaluation.pair_overview import grey_window
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.formats.elastix import STAGES, Settings, parameters, write_points
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, body_mask, grey_image
from LandmarkTrackerLib.methods.protocols import Matcher
from LandmarkTrackerLib.methods.registry import make_matcher
from LandmarkTrackerLib.plane import Plane
from LandmarkTrackerLib.simulation.deformation import jacobian
from LandmarkTrackerLib.simulation.scans import Extent, draw_affine, draw_elastic
from matching import PATIENTS, VOLUME
from peers.sift import SliceBySlice
from results_table import markdown, write_csv
from simulated_scans import SimulatedScans, deformed

# Another position on the table and another shape: often more than mutual information finds its way back from.
LARGE = Extent(rotate=20, scale=0.15, shear=0.1, translate=40, elastic=16, width=(55, 75))
POINTS = 400
LOST = 1.0  # mm: mean error of a case above which it is counted
AIR = -1024.0
WORST = 10.0  # mm, the end of the colours


@dataclass(frozen=True)
class Case:
    """What it counts for, where it is from, the scans, and where the body is in the fixed one, (k, j, i)."""

    what: str
    name: str
    scans: SimulatedScans
    body: np.ndarray


@dataclass(frozen=True)
class Result:
    """One registration.

    Attributes:
        fixed: (N, 3) LPS mm, the points of which `errors` (N,) mm tells how far off they are.
        folded: share of the body in which the map turns space inside out.
        warped: the moving scan on the fixed one.
    """

    case: Case
    method: str
    fixed: Array
    errors: Array
    warped: sitk.Image
    folded: float = 0.0
    pairs: int = 0
    seconds: float = 0.0


def cases(data: Path, repeats: int, volume: bool) -> Iterator[Case]:
    """A slice of every plane of the held-out patients, of their first date; a volume of another one."""
    found = [p for name in PATIENTS for p in sorted((data / "ct_followup" / name).glob("*.nrrd"))[::2]]
    for n, path in enumerate(found):
        for repeat in range(repeats):
            yield _case("slices", path.stem, read_image(path), np.random.default_rng((n, repeat)))
    if volume:
        image = sitk.DICOMOrient(read_image(data / VOLUME), "LPS")
        for repeat in range(repeats):
            yield _case("volume", Path(VOLUME).stem, image, np.random.default_rng((99, repeat)))


def _case(what: str, name: str, image: sitk.Image, rng: np.random.Generator) -> Case:
    image = _clean(image)
    d = 2 if Grid.of(image).is_slice else 3
    reach = [(n - 1) * s for n, s in zip(image.GetSize()[:d], image.GetSpacing()[:d], strict=True)]
    drawn = draw_elastic(rng, reach, LARGE, draw_affine(rng, reach, LARGE))
    return Case(what, name, SimulatedScans(image, deformed(image, drawn), drawn), _body(image))


def _clean(image: sitk.Image) -> sitk.Image:
    return sitk.Clamp(image, sitk.sitkFloat32, AIR, 3071.0)


def _body(image: sitk.Image) -> np.ndarray:
    is_slice = Grid.of(image).is_slice
    grid, grey = grey_image(image, PairInputConfig(2 if is_slice else 3, min(image.GetSpacing()[:2])))
    mask = sitk.GetImageFromArray(body_mask(grey))
    mask.SetSpacing(grid.spacing)
    mask.SetOrigin(grid.origin)
    mask.SetDirection(grid.direction)
    return pixels(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0


def targets(case: Case) -> tuple[Array, Array]:
    """Points of the body that both scans show: (N, 3) LPS mm in the fixed and in the moving scan."""
    scans, grid = case.scans, Grid.of(case.scans.fixed)
    rng = np.random.default_rng(0)
    index = rng.uniform(0, 1, (40 * POINTS, 3)) * (np.array(grid.size) - 1)
    moving = grid.to_world(index)
    fixed = scans.in_fixed(moving)
    at = np.rint(grid.to_index(fixed)).astype(int)
    there = ((at >= 0) & (at < grid.size)).all(axis=1)
    i, j, k = np.where(there, at.T, 0)
    chosen = np.flatnonzero(there & case.body[k, j, i])[:POINTS]
    return fixed[chosen], moving[chosen]


def registered(scans: ScanPair, settings: Settings) -> tuple[sitk.Image, sitk.Image]:
    """The displacement that elastix finds at every pixel of the fixed scan, and the moving scan warped by it.

    The parameter files are those that `landmark-tracker export` writes. Images are 2D for slices.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = [itk.imread(str(folder / file), itk.F) for file in scans.images(folder)]
        objects = itk.ParameterObject.New()
        for file, stage in STAGES.items():
            (folder / file).write_text(parameters(stage, settings))
            objects.AddParameterFile(str(folder / file))
        points = {}
        if settings.points:
            for role, where in zip(("fixed", "moving"), scans.points, strict=True):
                write_points(folder / f"{role}.txt", where)
                points[f"{role}_point_set_file_name"] = str(folder / f"{role}.txt")
        warped, found = itk.elastix_registration_method(*images, parameter_object=objects, **points)
        field = itk.transformix_deformation_field(images[1], found, output_directory=name)
        itk.imwrite(field, str(folder / "field.mha"))
        itk.imwrite(warped, str(folder / "warped.mha"))
        return (
            sitk.ReadImage(str(folder / "field.mha"), sitk.sitkVectorFloat64),
            sitk.ReadImage(str(folder / "warped.mha"), sitk.sitkFloat32),
        )


def folding(field: sitk.Image, body: np.ndarray) -> float:
    """Share of the body in which the map turns space inside out."""
    d = field.GetDimension()
    axes = np.array(field.GetDirection()).reshape(d, d)
    moves = sitk.GetArrayFromImage(field) @ axes
    along = np.stack(
        np.meshgrid(
            *(np.arange(n) * s for n, s in zip(field.GetSize(), field.GetSpacing(), strict=True)),
            indexing="ij",
        )
    )
    mapped = along + moves.transpose(d, *range(d - 1, -1, -1))
    determinant = jacobian(mapped, field.GetSpacing()).transpose(*range(d - 1, -1, -1))
    return float((determinant <= 0)[body.reshape(determinant.shape)].mean())


def errors(field: sitk.Image, scans: ScanPair, fixed: Array, moving: Array) -> Array:
    """Distance in mm between where the registration sends the points and where they are."""
    a, b = (
        (Plane(Grid.of(scan.image)).to_plane(points) if scans.dimension == 2 else points)
        for scan, points in ((scans.fixed, fixed), (scans.moving, moving))
    )
    # The transform takes the image that it is given for itself.
    transform = sitk.DisplacementFieldTransform(sitk.Image(field))
    mapped = np.array([transform.TransformPoint(point) for point in a.tolist()])
    return np.linalg.norm(mapped - b, axis=1)


def measure(data: Path, model: str, model_3d: str | None, repeats: int, most: int | None) -> list[Result]:
    """The methods take turns on every case, or on the first `most` of them."""
    names = {"slices": model, "volume": model_3d}
    networks = {what: make_matcher(name, "cpu", "smooth") for what, name in names.items() if name}
    results = []
    for n, case in enumerate(islice(cases(data, repeats, "volume" in networks), most)):
        results += list(_results(case, networks[case.what]))
        print(f"case {n + 1} ({case.name}) done", flush=True)
    return results


def _results(case: Case, network: Matcher) -> Iterator[Result]:
    fixed, moving = targets(case)
    before = np.linalg.norm(fixed - moving, axis=1)
    yield Result(case, "not registered", fixed, before, case.scans.moving)
    images = case.scans.fixed, case.scans.moving
    matchers: dict[str, Matcher | None] = {
        "grey values alone": None,
        "with SIFT's pairs": SliceBySlice("ratio"),
        "with the network's pairs": network,
    }
    for name, matcher in matchers.items():
        began = time.perf_counter()
        # Without pairs, there is one that nobody looks at.
        pairs = matcher.match(*images) if matcher else LandmarkPairs(fixed[:1], fixed[:1], np.ones(1))
        scans = ScanPair(Scan(images[0]), Scan(images[1]), pairs)
        settings = Settings(background=AIR) if matcher else Settings(background=AIR, points=())
        field, warped = registered(scans, settings)
        seconds = time.perf_counter() - began
        off = errors(field, scans, fixed, moving)
        count = len(pairs) if matcher else 0
        yield Result(case, name, fixed, off, warped, folding(field, case.body), count, seconds)


def table(results: list[Result]) -> list[dict[str, str]]:
    rows = []
    for key in dict.fromkeys((r.case.what, r.method) for r in results):
        some = [r for r in results if (r.case.what, r.method) == key]
        off = np.concatenate([r.errors for r in some])
        rows.append(
            {
                "scans": key[0],
                "registration": key[1],
                "cases": str(len(some)),
                "TRE mean, mm": f"{off.mean():.2f}",
                "median": f"{np.median(off):.2f}",
                "95th pct": f"{np.percentile(off, 95):.1f}",
                "within 5 mm": f"{100 * (off <= 5).mean():.0f} %",
                f"cases above {LOST:.0f} mm": str(sum(r.errors.mean() > LOST for r in some)),
                "folded": f"{100 * np.mean([r.folded for r in some]):.2f} %",
                "pairs": f"{np.median([r.pairs for r in some]):.0f}",
                "s a case": f"{np.median([r.seconds for r in some]):.1f}",
            }
        )
    return rows


def picture(results: list[Result], path: Path) -> None:
    """The two slices that grey values alone register worst: every method's result, with where it is off."""
    from matplotlib.figure import Figure

    slices = [r for r in results if r.case.what == "slices"]
    alone = sorted((r for r in slices if r.method == "grey values alone"), key=lambda r: -r.errors.mean())[:2]
    methods = list(dict.fromkeys(r.method for r in slices))
    figure = Figure(
        figsize=(4 * len(methods) + 0.8, 4.2 * len(alone)), facecolor=BACKGROUND, layout="constrained"
    )
    panels = figure.subplots(len(alone), len(methods), squeeze=False)
    for row, worst in zip(panels, alone, strict=True):
        shown = [r for r in slices if r.case is worst.case]
        low, high = grey_window(worst.case.scans.fixed)
        index = Grid.of(worst.case.scans.fixed).to_index(worst.fixed)
        for ax, result in zip(row, shown, strict=True):
            ax.imshow(pixels(as_volume(result.warped))[0], cmap="gray", vmin=low, vmax=high)
            dots = ax.scatter(*index.T[:2], s=6, c=result.errors, cmap="turbo", vmin=0, vmax=WORST)
            off = f"{result.method}: {result.errors.mean():.2f} mm"
            ax.set_title(off, color=TEXT, fontsize=10)
            ax.set_axis_off()
    bar = figure.colorbar(dots, ax=panels, shrink=0.5, label="target registration error, mm")
    bar.ax.yaxis.label.set_color(TEXT)
    bar.ax.tick_params(colors=TEXT)
    figure.savefig(path, dpi=100, facecolor=BACKGROUND)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks"))
    parser.add_argument("--model", default="correspondence-ct", help="for slices (correspondence-ct)")
    parser.add_argument("--model-3d", help="for volumes; without one, slices only")
    parser.add_argument("--repeats", type=int, default=1, help="deformations a scan (1)")
    parser.add_argument("--cases", type=int, help="only the first so many")
    args = parser.parse_args()
    data = data_folder()
    results = measure(data, args.model, args.model_3d, args.repeats, args.cases)
    rows = table(results)
    write_csv(args.output / "registration.csv", rows)
    picture(results, args.output / "registration.png")
    print(markdown(rows))


if __name__ == "__main__":
    main()
