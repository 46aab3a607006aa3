"""elastix B-spline registration of each frame to the clicked one, as Slicer's SequenceRegistration runs it.

A rigid stage, then a B-spline one, both on mutual information: the settings of SlicerElastix's preset for all
modalities, which that module takes unless told otherwise.
"""

from __future__ import annotations

import itk
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples
from LandmarkTrackerLib.plane import Plane

BOTH = {
    "Registration": "MultiResolutionRegistration",
    "Metric": "AdvancedMattesMutualInformation",
    "NumberOfHistogramBins": "32",
    "FixedImagePyramid": "FixedRecursiveImagePyramid",
    "MovingImagePyramid": "MovingRecursiveImagePyramid",
    "NumberOfResolutions": "4",
    "Interpolator": "BSplineInterpolator",
    "BSplineInterpolationOrder": "1",
    "Optimizer": "AdaptiveStochasticGradientDescent",
    "ImageSampler": "Random",
    "NumberOfSpatialSamples": "2048",
    "NewSamplesEveryIteration": "true",
    "HowToCombineTransforms": "Compose",
    "WriteResultImage": "false",
}
RIGID = {
    "Transform": "EulerTransform",
    "AutomaticScalesEstimation": "true",
    "AutomaticTransformInitialization": "true",
    "MaximumNumberOfIterations": "250",
}
B_SPLINE = {
    "Transform": "BSplineTransform",
    "FinalGridSpacingInPhysicalUnits": "16",
    "MaximumNumberOfIterations": "500",
}


class ElastixFrames:
    max_sigma_mm = np.inf

    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        return (Example(landmarks, image),)

    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        landmarks, clicked = examples[0].landmarks, examples[0].features
        grid = Grid.of(image)
        # Slices are registered as the 2D images that they are.
        plane = Plane(grid) if grid.is_slice else None
        pair = [as_itk(plane.image(frame) if plane else frame) for frame in (clicked, image)]
        elastix = itk.ElastixRegistrationMethod.New(*pair)
        elastix.SetParameterObject(parameters())
        elastix.LogToConsoleOff()
        elastix.Update()
        transform = elastix.GetCombinationTransform()
        shown = plane.to_plane(landmarks.positions) if plane else landmarks.positions
        found = np.array([list(transform.TransformPoint(point)) for point in shown.tolist()])
        return LandmarkSet(landmarks.names, plane.to_world(found) if plane else found)


def parameters() -> itk.ParameterObject:
    stages = itk.ParameterObject.New()
    for stage in (RIGID, B_SPLINE):
        stages.AddParameterMap({key: (value,) for key, value in (BOTH | stage).items()})
    return stages


def as_itk(image: sitk.Image) -> itk.Image:
    """The same image for ITK: 2D, or 3D."""
    d = image.GetDimension()
    values = pixels(image) if d == 3 else sitk.GetArrayFromImage(image).astype(np.float32)
    same = itk.image_from_array(values)
    same.SetSpacing(image.GetSpacing())
    same.SetOrigin(image.GetOrigin())
    same.SetDirection(np.array(image.GetDirection()).reshape(d, d))
    return same
