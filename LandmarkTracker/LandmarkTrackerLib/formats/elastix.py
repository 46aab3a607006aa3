"""elastix and transformix: point files, and the parameter file that makes elastix use them.

A point file is `point`, the number of points, then one point a line in LPS mm (in the plane of slices): no
names, no comments. The transform that elastix finds maps fixed to moving.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, read_text, written
from LandmarkTrackerLib.formats.scans import ScanPair, write_script
from LandmarkTrackerLib.landmarks import Array

# The corresponding points must not be the first metric; they pull from the coarsest resolution on.
PARAMETERS = """\
// B-spline registration that is drawn by corresponding points (-fp, -mp) as well as by the grey values.
(Registration "MultiMetricMultiResolutionRegistration")
(Metric "{metric}" "CorrespondingPointsEuclideanDistanceMetric" "TransformBendingEnergyPenalty")
(Metric0Weight 1.0)
(Metric1Weight {weight})
(Metric2Weight {bending})
(NumberOfHistogramBins 32)
(FixedInternalImagePixelType "float")
(MovingInternalImagePixelType "float")
(FixedImagePyramid "FixedSmoothingImagePyramid")
(MovingImagePyramid "MovingSmoothingImagePyramid")
(NumberOfResolutions {resolutions})
(Interpolator "LinearInterpolator")
(ResampleInterpolator "FinalBSplineInterpolator")
(FinalBSplineInterpolationOrder 3)
(Resampler "DefaultResampler")
(DefaultPixelValue {background})
(Transform "BSplineTransform")
(FinalGridSpacingInPhysicalUnits {grid})
(HowToCombineTransforms "Compose")
(AutomaticTransformInitialization "false")
(Optimizer "AdaptiveStochasticGradientDescent")
(AutomaticParameterEstimation "true")
(MaximumNumberOfIterations {iterations})
(ImageSampler "RandomCoordinate")
(NumberOfSpatialSamples 4096)
(NewSamplesEveryIteration "true")
(UseDirectionCosines "true")
(WriteResultImage "true")
(ResultImageFormat "mha")
(ResultImagePixelType "{pixel}")
"""


def parameters(
    weight: float = 0.05,
    grid_mm: float = 16.0,
    bending: float = 20.0,
    resolutions: int = 4,
    iterations: int = 500,
    background: float = 0.0,
) -> str:
    """An elastix parameter file.

    Args:
        weight: of the mean distance of the pairs in mm, beside mutual information.
        grid_mm: spacing of the finest B-spline grid.
        background: grey value beyond the moving image.
    """
    return PARAMETERS.format(
        metric="AdvancedMattesMutualInformation",
        weight=weight,
        bending=bending,
        resolutions=resolutions,
        grid=grid_mm,
        iterations=iterations,
        background=background,
        pixel="float",
    )


def write_points(path: Path, points: Array, *, overwrite: bool = False) -> None:
    """Write points (N, 2 or 3), mm.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    lines = ["point", str(len(points)), *(" ".join(map(number, point)) for point in points)]
    with written(path, overwrite) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="ascii")


def read_points(path: Path) -> Array:
    """Read points (N, 2 or 3), mm.

    Raises:
        InputError: the file holds indices, not points, or other than it says.
    """
    words = read_text(path).split()
    if not words or words[0] != "point":
        raise InputError(f"{path} does not start with 'point'; indices need their image, so give it in mm")
    try:
        count, values = int(words[1]), np.array(words[2:], dtype=float)
    except (IndexError, ValueError) as error:
        raise InputError(f"{path} holds something that is not a number; export it again") from error
    if count < 1 or len(values) not in (2 * count, 3 * count):
        raise InputError(f"{path} says {count} points and holds {len(values)} numbers; export it again")
    return values.reshape(count, -1)


OUTPUT_POINT = re.compile(r"OutputPoint\s*=\s*\[([^\]]*)\]")


def read_output_points(path: Path) -> Array:
    """Where transformix sent the points (`outputpoints.txt`): (N, 2 or 3), mm.

    Raises:
        InputError: the file holds no output points.
    """
    found = OUTPUT_POINT.findall(read_text(path))
    if not found:
        raise InputError(f"{path} holds no OutputPoint; give the outputpoints.txt of transformix")
    return np.array([point.split() for point in found], dtype=float)


def export(folder: Path, scans: ScanPair) -> None:
    """Points, parameters and the command; for slices also the slices as 2D images."""
    fixed, moving = scans.points
    write_points(folder / "fixed_points.txt", fixed)
    write_points(folder / "moving_points.txt", moving)
    with written(folder / "parameters.txt") as partial:
        partial.write_text(parameters(), encoding="ascii")
    images = scans.images(folder)
    command = ["elastix", "-f", images[0], "-m", images[1]]
    command += ["-fp", "fixed_points.txt", "-mp", "moving_points.txt", "-p", "parameters.txt", "-out", "."]
    write_script(folder / "register.sh", command)
