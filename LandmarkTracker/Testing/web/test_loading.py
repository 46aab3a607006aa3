"""Files into the scene of the page."""

from types import SimpleNamespace

import pytest
import slicer
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_points
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.scene.nodes.points import read_points as read_list
from LandmarkTrackerLib.web.loading import open_points

GRID = Grid((40, 30, 1), (2.0, 2.0, 1.0), (10.0, 20.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_points_in_pixels_lie_on_the_image_and_frame_in_view(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\nimg0.png,1,1\nimg7.png,3,4\n")
    subject = SimpleNamespace(cine=SimpleNamespace(grid=GRID), frame=7)
    points = read_points(path)
    node = open_points(slicer.vtkMRMLScene(), points, subject)
    assert node.GetName() == "labels"
    assert read_list(node)[1]["nose"].position.tolist() == [16, 28, 0]
    assert points.remark.startswith(f"{path}: DeepLabCut table, pixels, the first is 0")
    with pytest.raises(InputError, match="has no frame 8"):
        open_points(slicer.vtkMRMLScene(), points, SimpleNamespace(cine=subject.cine, frame=8))
