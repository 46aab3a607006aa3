import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.points_csv import read_points_csv, write_points_csv


def put(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_round_trip_keeps_positions_score_and_sigma(tmp_path, landmarks):
    write_points_csv(tmp_path / "p.csv", landmarks)
    read = read_points_csv(tmp_path / "p.csv")
    assert read.names == landmarks.names
    assert list(read.defined) == [True, False, True]
    assert np.array_equal(read.positions, landmarks.positions, equal_nan=True)
    assert np.array_equal(read.scores, landmarks.scores)
    np.testing.assert_allclose(read.sigma_mm, landmarks.sigma_mm, rtol=1e-15)


def test_slicer_imports_what_is_written(tmp_path, landmarks, slicer_app):
    plain = landmarks.select(["dome", "lost"])
    write_points_csv(tmp_path / "p.csv", plain)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.markups.ImportControlPointsFromCSV(node, str(tmp_path / "p.csv"))
    assert [node.GetNthControlPointLabel(n) for n in range(2)] == ["dome", "lost"]
    assert node.GetNthControlPointPosition(0) == pytest.approx((-1 / 3, 2.0, 1e-7), rel=1e-15)
    assert node.GetNumberOfDefinedControlPoints() == 1


def test_what_slicer_exports_is_read(tmp_path, slicer_app):
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    node.AddControlPoint(1.5, -2.5, 3.25, "apex, left")
    node.AddControlPoint(4.0, 5.0, 6.0, "lost")
    node.SetNthControlPointPositionMissing(1)
    assert slicer_app.markups.ExportControlPointsToCSV(node, str(tmp_path / "p.csv"))
    read = read_points_csv(tmp_path / "p.csv")
    assert read.names == ("apex, left", "lost")
    assert tuple(read["apex, left"].position) == (-1.5, 2.5, 3.25)
    assert read["lost"].status == "missing"


@pytest.mark.parametrize(
    "text",
    [
        "name,l,p,s\na,-1,-2,3\nb,,,\n",
        "label,r,a,s\na,1,2,3\nb,,,\n",
        "\ufeffLabel, R, A, S\na, 1, 2, 3\nb,,,\n",
        "name;l;p;s\na;-1;-2;3\nb;;;\n",
        "s,p,l,name,status\n3,-2,-1,a,defined\n9,9,9,b,missing\n",
        "label,l,p,s,defined\na,-1,-2,3,1\nb,9,9,9,0\n\n",
        "label,l,p,s,defined\na,-1,-2,3,True\nb,0,0,0,False\n",
        "label,l,p,s,defined\na,-1,-2,3,yes\nb,0,0,0,no\n",
        "label,l,p,s,defined\na,-1,-2,3,1.0\nb,0,0,0,\n",
        "label,l,p,s\na,-1,-2,3\nb,nan,NaN,NA\n",
        "label;l;p;s\na;-1,0;-2,0;3,0\nb;;;\n",
        "label\tr\ta\ts\na\t1\t2\t3\nb\t\t\t\n",
    ],
)
def test_tables_that_people_write_are_read_in_either_system(tmp_path, text):
    read = read_points_csv(put(tmp_path / "p.csv", text))
    assert read.names == ("a", "b")
    assert tuple(read["a"].position) == (-1, -2, 3)
    assert read["b"].status == "missing"
    assert (read["a"].sigma == 0).all()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "is empty"),
        ("label,l,p,s\n", "holds no landmark"),
        ("label,l,p,s\na,1,2,3\na,4,5,6\n", "two landmarks are named 'a'; rename one of them"),
        (
            "label,x,y,z\na,1,2,3\n",
            "does not say whether its numbers are LPS or RAS mm or pixels; name its columns",
        ),
        (
            "label,u,v\na,1,2\n",
            r"lacks the columns label,l,p,s \(or r,a,s in mm, or i,j,k in pixels\); name them",
        ),
        ("label,l,p,s,defined\na,1,2,3,perhaps\n", "row 2: 'perhaps' under defined is neither yes nor no"),
        ("label,l,p,s,status\na,1,2,3,lost\n", "row 2: status 'lost' is none of defined, uncertain, missing"),
        ("label,l,p,s\na,1,2\n", "row 2: 3 cells under 4 columns"),
        ("label,l,p,s\na,1,two,3\n", "row 2: 'two' under p is not a number"),
        ("label,l,p,s\na,1,,3\n", "row 2: '' under p is not a number"),
        ("label,l,p,s\na,1,nan,3\n", "'a' has no finite position"),
        ("label,l,p,p\na,1,2,3\n", "two columns of one name"),
        (
            "frame,time,name,l,p,s,sigma_mm,score,status\n0,0,a,1,2,3,0,1,defined\n1,1,a,1,2,3,0,1,defined\n",
            "holds the points of 2 images; choose the frame of one: 0, 1",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer) as raised:
        read_points_csv(put(tmp_path / "p.csv", text))
    assert "p.csv" in str(raised.value)
