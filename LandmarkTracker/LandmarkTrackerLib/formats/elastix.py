"""elastix and transformix: point files, and the parameter files that make elastix use them.

A point file is `point`, the number of points, then one point a line in LPS mm (in the plane of slices): no
names, no comments. The transform that elastix finds maps fixed to moving.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.points import Coordinates, PointFile, unnamed
from LandmarkTrackerLib.formats.scans import ScanPair, write_script
from LandmarkTrackerLib.landmarks import Array

Stage = Literal["affine", "b-spline"]
# Parameter file to stage, in order.
STAGES: dict[str, Stage] = {"affine.txt": "affine", "b_spline.txt": "b-spline"}

POINTS = "CorrespondingPointsEuclideanDistanceMetric"
BENDING = "TransformBendingEnergyPenalty"

COMMON = """\
(Registration "MultiMetricMultiResolutionRegistration")
(FixedInternalImagePixelType "float")
(MovingInternalImagePixelType "float")
(FixedImagePyramid "FixedSmoothingImagePyramid")
(MovingImagePyramid "MovingSmoothingImagePyramid")
(NumberOfResolutions 4)
(NumberOfHistogramBins 32)
(Interpolator "LinearInterpolator")
(ResampleInterpolator "FinalBSplineInterpolator")
(FinalBSplineInterpolationOrder 3)
(Resampler "DefaultResampler")
(DefaultPixelValue {background})
(HowToCombineTransforms "Compose")
(Optimizer "AdaptiveStochasticGradientDescent")
(AutomaticParameterEstimation "true")
(MaximumNumberOfIterations {iterations})
(ImageSampler "RandomCoordinate")
(NumberOfSpatialSamples 3000)
(NewSamplesEveryIteration "true")
(UseDirectionCosines "true")
(WriteResultImage "{write}")
(ResultImageFormat "mha")
(ResultImagePixelType "float")
"""

AFFINE = """\
(Transform "AffineTransform")
(AutomaticScalesEstimation "true")
(AutomaticTransformInitialization "true")
(AutomaticTransformInitializationMethod "GeometricalCenter")
"""

B_SPLINE = """\
(Transform "BSplineTransform")
(FinalGridSpacingInPhysicalUnits {grid_mm})
"""


@dataclass(frozen=True)
class Settings:
    """What a registration by elastix hangs on; an affine stage, then a B-spline.

    Attributes:
        points: weight of the mean distance of the pairs in mm, beside mutual information, in each of the four
            resolutions; none leaves the pairs out. They lead where grey values alone would get lost, and
            leave the last word to the grey values, as some pairs are wrong.
        bending: weight of the bending energy, in the B-spline stage.
        grid_mm: spacing of the finest B-spline grid.
        iterations: in each of the four resolutions.
        background: grey value beyond the moving image.
    """

    points: tuple[float, ...] = (0.5, 0.5, 0.2, 0.05)
    bending: float = 50.0
    grid_mm: float = 16.0
    iterations: int = 250
    background: float = 0.0


def parameters(stage: Stage, settings: Settings) -> str:
    """An elastix parameter file."""
    # The first metric compares images; elastix refuses points there.
    metrics: dict[str, tuple[float, ...]] = {"AdvancedMattesMutualInformation": (1.0,)}
    if settings.points:
        metrics[POINTS] = settings.points
    if stage == "b-spline":
        metrics[BENDING] = (settings.bending,)
    lines = ["(Metric " + " ".join(f'"{name}"' for name in metrics) + ")"]
    lines += [f"(Metric{n}Weight {' '.join(map(number, w))})" for n, w in enumerate(metrics.values())]
    write = "true" if stage == "b-spline" else "false"
    common = COMMON.format(background=settings.background, iterations=settings.iterations, write=write)
    own = AFFINE if stage == "affine" else B_SPLINE.format(grid_mm=settings.grid_mm)
    return common + own + "\n".join(lines) + "\n"


def write_points(path: Path, points: Array, *, overwrite: bool = False) -> None:
    """Write points (N, 2 or 3), mm.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    lines = ["point", str(len(points)), *(" ".join(map(number, point)) for point in points)]
    with written(path, overwrite) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="ascii")


def is_points(text: str) -> bool:
    """Whether a text begins as a point file: with `point` or `index`, or with a number that stands alone."""
    first = text.lstrip().split("\n", 1)[0].split()
    return first[0] in MEANING or (len(first) == 1 and first[0].isdecimal())


def parse(path: Path) -> PointFile:
    """The points of a point file. Without its first word, elastix takes the numbers for indices.

    Raises:
        InputError: it holds other than it says.
    """
    words = read_text(path).split()
    kind = "index" if words[0].isdecimal() else words.pop(0)
    if kind not in MEANING:
        raise InputError(f"{path} starts with neither 'point' nor 'index'; give a point file of elastix")
    try:
        count, values = int(words[0]), np.array(words[1:], dtype=float)
    except (IndexError, ValueError) as error:
        raise InputError(f"{path} holds something that is not a number; export it again") from error
    if count < 1 or len(values) not in (2 * count, 3 * count):
        raise InputError(f"{path} says {words[0][:20]} points, not {len(values)} numbers; export it again")
    return PointFile(path, "elastix points", MEANING[kind], {"": unnamed(values.reshape(count, -1))})


MEANING = {
    "point": Coordinates("LPS", "as elastix has it; the file states 'point'", stated=False),
    "index": Coordinates("pixel", "as elastix has it; the file states 'index' or nothing"),
}
OUTPUT_POINT = re.compile(r"OutputPoint\s*=\s*\[([^\]]*)\]")


def parse_output_points(path: Path) -> PointFile:
    """Where transformix sent the points (`outputpoints.txt`), on the moving image.

    Raises:
        InputError: the file holds no output points.
    """
    found = OUTPUT_POINT.findall(read_text(path))
    if not found:
        raise InputError(f"{path} holds no OutputPoint; give the outputpoints.txt of transformix")
    try:
        points = unnamed(np.array([point.split() for point in found], dtype=float))
    except ValueError as error:
        raise InputError(f"{path} has an OutputPoint that is no point; run transformix again") from error
    coordinates = Coordinates("LPS", "as elastix has it: OutputPoint, on the moving image", stated=False)
    return PointFile(path, "transformix output points", coordinates, {"": points})


def export(folder: Path, scans: ScanPair) -> None:
    """Points, parameters and the command; for slices also the slices as 2D images."""
    fixed, moving = scans.points
    write_points(folder / "fixed_points.txt", fixed)
    write_points(folder / "moving_points.txt", moving)
    background = float(sitk.GetArrayViewFromImage(scans.moving.image).min())
    for name, stage in STAGES.items():
        with written(folder / name) as partial:
            partial.write_text(parameters(stage, Settings(background=background)), encoding="ascii")
    images = scans.images(folder)
    command = ["elastix", "-f", images[0], "-m", images[1], "-fp", "fixed_points.txt", "-mp"]
    command += ["moving_points.txt", *(word for name in STAGES for word in ("-p", name)), "-out", "."]
    write_script(folder / "register.sh", command)
