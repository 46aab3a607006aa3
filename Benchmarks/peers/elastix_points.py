"""elastix as a Matcher at given points: the affine and the B-spline stage of our exports, without pairs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import itk
import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.formats.elastix import STAGES, Settings, parameters
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs


class ElastixPoints:
    """Registers once; every point counts that lands in the moving volume.

    Args:
        points: (N, 3) LPS mm of the fixed volume.
    """

    def __init__(self, points: Array) -> None:
        self.points = points

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for role, image in (("fixed", fixed), ("moving", moving)):
                sitk.WriteImage(image, str(folder / f"{role}.mha"))
            images = [itk.imread(str(folder / f"{role}.mha"), itk.F) for role in ("fixed", "moving")]
            objects = itk.ParameterObject.New()
            for file, stage in STAGES.items():
                (folder / file).write_text(
                    parameters(
                        stage, Settings(points=(), background=float(sitk.GetArrayViewFromImage(moving).min()))
                    )
                )
                objects.AddParameterFile(str(folder / file))
            _, found = itk.elastix_registration_method(*images, parameter_object=objects)
            itk.imwrite(
                itk.transformix_deformation_field(images[1], found, output_directory=name),
                str(folder / "field.mha"),
            )
            field = sitk.DisplacementFieldTransform(
                sitk.ReadImage(str(folder / "field.mha"), sitk.sitkVectorFloat64)
            )
        there = np.array([field.TransformPoint(point) for point in self.points.tolist()])
        keep = Grid.of(moving).contains(there)
        return LandmarkPairs(self.points[keep], there[keep], np.ones(int(keep.sum())))
