import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.fcsv import read_fcsv, write_fcsv

STORAGE = "vtkMRMLMarkupsFiducialStorageNode"
VERSION = "# Markups fiducial file version = 4.10\n"
HEADER = "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
POINT = "1,10,20,30,0,0,0,1,1,1,0,apex,,\n"


def put(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_a_round_trip_keeps_positions_score_and_sigma_in_both_systems(tmp_path, landmarks, system):
    write_fcsv(tmp_path / "p.fcsv", landmarks, system=system)
    read = read_fcsv(tmp_path / "p.fcsv")
    assert read.names == landmarks.names
    assert list(read.defined) == [True, False, True]
    assert np.array_equal(read.positions, landmarks.positions, equal_nan=True)
    assert np.array_equal(read.scores, landmarks.scores)
    # The format has room for one sigma a point.
    np.testing.assert_allclose(read.sigma_mm, landmarks.sigma_mm, rtol=1e-15)


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_slicer_reads_what_is_written(tmp_path, landmarks, slicer_app, system):
    write_fcsv(tmp_path / "p.fcsv", landmarks, system=system)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.stored(node, STORAGE, tmp_path / "p.fcsv")
    assert [node.GetNthControlPointLabel(n) for n in range(3)] == list(landmarks.names)
    assert [node.GetNthControlPointPositionStatus(n) for n in range(3)] == [2, 3, 2]
    for n in (0, 2):
        assert node.GetNthControlPointPosition(n) == pytest.approx(
            landmarks.positions[n] * (-1, -1, 1), rel=1e-15
        )


@pytest.mark.parametrize("slicers_number", [0, 1])
def test_what_slicer_writes_is_read_in_both_systems(tmp_path, slicer_app, slicers_number):
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    node.AddControlPoint(1 / 3, -2.5, 1e-7, 'rib 7, "left"')
    node.AddControlPoint(4.0, 5.0, 6.0, "lost")
    node.SetNthControlPointPositionMissing(1)
    storage = slicer_app.node(STORAGE)
    storage.SetFileName(str(tmp_path / "p.fcsv"))
    storage.SetCoordinateSystem(slicers_number)
    assert storage.WriteData(node)
    read = read_fcsv(tmp_path / "p.fcsv")
    assert read.names == ('rib 7, "left"', "lost")
    assert read["lost"].status == "missing"
    np.testing.assert_allclose(read.positions[0], (-1 / 3, 2.5, 1e-7), rtol=1e-15)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# CoordinateSystem = LPS\n", (10, 20, 30)),
        ("# CoordinateSystem = RAS\n", (-10, -20, 30)),
        ("# CoordinateSystem = 1\n", (10, 20, 30)),
        ("# CoordinateSystem = 0\n", (-10, -20, 30)),
        ("", (10, 20, 30)),
    ],
)
def test_old_and_new_names_of_the_coordinate_system_mean_what_slicer_takes_them_for(
    tmp_path, slicer_app, line, expected
):
    path = put(tmp_path / "p.fcsv", VERSION + line + HEADER + POINT)
    assert tuple(read_fcsv(path)["apex"].position) == expected
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.stored(node, STORAGE, path)
    assert tuple(node.GetNthControlPointPosition(0)) == (-expected[0], -expected[1], expected[2])


def test_a_slicer_3_file_is_in_ras(tmp_path, slicer_app):
    text = "# name = F\n# numPoints = 2\n# columns = label,x,y,z,sel,vis\nF1,1,2,3,1,1\nF2,4,5,6,0,1\n"
    read = read_fcsv(put(tmp_path / "p.fcsv", text))
    assert read.names == ("F1", "F2")
    assert read.positions.tolist() == [[-1, -2, 3], [-4, -5, 6]]
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.stored(node, STORAGE, tmp_path / "p.fcsv")
    assert tuple(node.GetNthControlPointPosition(1)) == (4, 5, 6)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "is empty"),
        (VERSION + HEADER, "holds no landmark"),
        (
            VERSION + HEADER + POINT + POINT,
            "two landmarks are named 'apex'",
        ),
        (
            VERSION + HEADER + "1,10,20",
            "the line '1,10,20' is not a control point",
        ),
        (VERSION + POINT.replace("20", "x"), "is not a control point"),
        ("F1,1,2\n", "the line 'F1,1,2' is not a control point"),
        (VERSION + "# CoordinateSystem = 7\n" + POINT, "coordinate system '7'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer) as raised:
        read_fcsv(put(tmp_path / "p.fcsv", text))
    assert "p.fcsv" in str(raised.value)
