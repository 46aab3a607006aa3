"""Two scans in a scene, a matcher whose pairs are known, and what its point lists hold."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume

LPS = np.array([-1, -1, 1])
# LPS mm of the fixed scan to the moving one: neither axis like another.
LINEAR = np.array([[1.02, 0.03, 0.0], [-0.05, 0.97, 0.02], [0.01, 0.0, 1.04]])
OFFSET = np.array([12.0, -7.0, 3.0])


class Known:
    """Twenty-four pairs all over the fixed image, by `LINEAR` and `OFFSET`."""

    def match(self, fixed, moving):
        index = np.random.default_rng(0).uniform(0.05, 0.95, (24, 3)) * (np.array(fixed.GetSize()) - 1)
        points = Grid.of(fixed).to_world(index)
        return LandmarkPairs(points, points @ LINEAR.T + OFFSET, np.linspace(1, 0.5, 24))


def volume(scene, name, pixels, origin=(-30.0, 12.0, 7.0), direction=(0.8, 0.0, 0.6, 0, 1, 0, -0.6, 0, 0.8)):
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((1.25, 1.5, 2.0))
    image.SetOrigin(origin)
    image.SetDirection(direction)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    fill_volume(node, image)
    node.CreateDefaultDisplayNodes()
    return node


def run(bench):
    while bench.busy:
        bench.advance()


def labels(point_list):
    return [point_list.GetNthControlPointLabel(n) for n in range(point_list.GetNumberOfControlPoints())]


def positions(point_list):
    """(N, 3) LPS mm."""
    count = point_list.GetNumberOfControlPoints()
    return np.array([point_list.GetNthControlPointPositionWorld(n) for n in range(count)]) * LPS


def node(scene, name):
    return slicer.util.getNode(name, scene=scene)
