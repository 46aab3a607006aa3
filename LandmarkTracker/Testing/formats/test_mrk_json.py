import json
from functools import partial

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.mrk_json import read_mrk_json, write_mrk_json

STORAGE = "vtkMRMLMarkupsJsonStorageNode"
DEFINED, MISSING = 2, 3
RAS = 0
# Slicer's JSON reader is off by one in the last of 17 digits.
SLICERS_DIGITS = 4e-16


def put(path, controls, **markup):
    document = {"markups": [{"type": "Fiducial", "controlPoints": controls, **markup}]}
    path.write_text(json.dumps(document))
    return path


def test_a_round_trip_keeps_every_digit_and_a_missing_landmark_missing(tmp_path, landmarks, assert_same):
    write_mrk_json(tmp_path / "p.mrk.json", landmarks)
    assert_same(read_mrk_json(tmp_path / "p.mrk.json"), landmarks)
    control = json.loads((tmp_path / "p.mrk.json").read_text())["markups"][0]["controlPoints"][1]
    assert control["positionStatus"] == "missing"
    assert "position" not in control
    assert control["selected"] is False


def test_slicer_reads_what_is_written(tmp_path, landmarks, slicer_app):
    write_mrk_json(tmp_path / "p.mrk.json", landmarks)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.stored(node, STORAGE, tmp_path / "p.mrk.json")
    assert [node.GetNthControlPointLabel(n) for n in range(3)] == list(landmarks.names)
    assert [node.GetNthControlPointPositionStatus(n) for n in range(3)] == [DEFINED, MISSING, DEFINED]
    for n in (0, 2):
        ras = landmarks.positions[n] * (-1, -1, 1)
        assert node.GetNthControlPointPosition(n) == pytest.approx(ras, rel=SLICERS_DIGITS, abs=0)
    shown = {}
    for n in range(node.GetNumberOfMeasurements()):
        values = node.GetNthMeasurement(n).GetControlPointValues()
        shown[node.GetNthMeasurement(n).GetName()] = [values.GetValue(k) for k in range(3)]
    assert_close = partial(np.testing.assert_allclose, rtol=SLICERS_DIGITS)
    assert_close(shown["score"], landmarks.scores)
    assert_close(shown["sigma_mm"], landmarks.sigma_mm)
    assert_close(shown["sigma_j_mm"], landmarks.sigmas[:, 1])


@pytest.mark.parametrize("ras", [False, True])
def test_what_slicer_writes_is_read(tmp_path, landmarks, slicer_app, assert_same, ras):
    write_mrk_json(tmp_path / "p.mrk.json", landmarks)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    slicer_app.stored(node, STORAGE, tmp_path / "p.mrk.json")
    storage = slicer_app.node(STORAGE)
    storage.SetFileName(str(tmp_path / "slicer.mrk.json"))
    if ras:
        storage.SetCoordinateSystem(RAS)
    assert storage.WriteData(node)
    text = (tmp_path / "slicer.mrk.json").read_text()
    assert '"position": ""' in text
    assert f'"coordinateSystem": "{"RAS" if ras else "LPS"}"' in text
    assert_same(read_mrk_json(tmp_path / "slicer.mrk.json"), landmarks, SLICERS_DIGITS)


def test_slicer_shows_what_needs_a_look_and_hands_it_to_no_other_module(tmp_path, doubted, slicer_app):
    write_mrk_json(tmp_path / "p.mrk.json", doubted)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    assert slicer_app.stored(node, STORAGE, tmp_path / "p.mrk.json")
    assert [node.GetNthControlPointPositionStatus(n) for n in range(3)] == [DEFINED, MISSING, DEFINED]
    assert [bool(node.GetNthControlPointSelected(n)) for n in range(3)] == [True, False, False]
    slicer_app.stored(node, STORAGE, tmp_path / "again.mrk.json", write=True)
    assert read_mrk_json(tmp_path / "again.mrk.json")[doubted.names[2]].status == "uncertain"
    # Who selects it in Slicer has looked at it.
    node.SetNthControlPointSelected(2, True)
    slicer_app.stored(node, STORAGE, tmp_path / "looked.mrk.json", write=True)
    assert read_mrk_json(tmp_path / "looked.mrk.json")[doubted.names[2]].status == "defined"


def test_a_point_without_a_score_that_is_not_selected_is_certain(tmp_path):
    path = put(tmp_path / "p.mrk.json", [{"label": "a", "position": [1, 2, 3], "selected": False}])
    assert read_mrk_json(path)["a"].status == "defined"


def test_points_of_a_protocol_that_nobody_placed_are_missing(tmp_path):
    controls = [
        {"label": "nasion", "position": "", "positionStatus": "undefined"},
        {"label": "sella", "positionStatus": "undefined"},
        {"label": "basion", "position": [1, 2, 3], "positionStatus": "preview"},
    ]
    read = read_mrk_json(put(tmp_path / "p.mrk.json", controls))
    assert read.names == ("nasion", "sella", "basion")
    assert not read.defined.any()


def test_points_that_a_person_placed_are_certain(tmp_path):
    read = read_mrk_json(put(tmp_path / "p.mrk.json", [{"label": "a", "position": [1, 2, 3]}]))
    assert read["a"].status == "defined"
    assert (read.scores == 1).all()
    assert (read.sigmas == 0).all()


def test_one_sigma_a_point_holds_for_every_axis(tmp_path):
    measurements = [{"name": "sigma_mm", "controlPointValues": [1.5]}]
    path = put(tmp_path / "p.mrk.json", [{"label": "a", "position": [1, 2, 3]}], measurements=measurements)
    assert (read_mrk_json(path)["a"].sigma == 1.5).all()


def test_a_lost_point_that_a_person_placed_in_slicer_is_certain(tmp_path, landmarks, slicer_app):
    write_mrk_json(tmp_path / "p.mrk.json", landmarks)
    node = slicer_app.node("vtkMRMLMarkupsFiducialNode")
    slicer_app.stored(node, STORAGE, tmp_path / "p.mrk.json")
    node.SetNthControlPointPosition(1, -4.0, -5.0, 6.0)
    slicer_app.stored(node, STORAGE, tmp_path / "mended.mrk.json", write=True)
    mended = read_mrk_json(tmp_path / "mended.mrk.json")["lost"]
    assert (mended.status, mended.score) == ("defined", 1)
    assert tuple(mended.position) == (4, 5, 6)
    assert (mended.sigma == 0).all()


@pytest.mark.parametrize(
    "measurements",
    [
        [{"name": "score", "controlPointValues": [value]} for value in ("high", None, True, float("nan"))],
        [{"name": ["score"], "controlPointValues": [0.5]}],
        [7, None, "score"],
        {"score": [0.5]},
        "score",
        7,
    ],
)
def test_measurements_that_are_no_numbers_are_passed_over(tmp_path, measurements):
    path = put(tmp_path / "p.mrk.json", [{"label": "a", "position": [1, 2, 3]}], measurements=measurements)
    assert read_mrk_json(path)["a"].score == 1


POINT = {"label": "a", "position": [1, 2, 3]}


@pytest.mark.parametrize(
    ("controls", "markup", "answer"),
    [
        ([], {}, "holds no landmark"),
        ([POINT, POINT], {}, "two landmarks are named 'a'; rename one of them"),
        ([{"label": "", "position": [1, 2, 3]}], {}, "has no name"),
        ([{"label": "a", "position": [1, 2]}], {}, "the position of 'a' is not three numbers"),
        ([{"label": "a", "position": [1, "x", 3]}], {}, "the position of 'a' is not three numbers"),
        ([{"label": "a", "position": [1, float("nan"), 3]}], {}, "'a' has no finite position"),
        ([{"label": "a", "position": [1, 10**400, 3]}], {}, "'a' has no finite position"),
        ([POINT], {"coordinateSystem": "XYZ"}, "coordinate system 'XYZ'; save it in LPS or RAS"),
        ([POINT], {"coordinateUnits": "um"}, "is in um; save it in mm"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_with_its_remedy(tmp_path, controls, markup, answer):
    with pytest.raises(InputError, match=answer) as raised:
        read_mrk_json(put(tmp_path / "p.mrk.json", controls, **markup))
    assert "p.mrk.json" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "is empty"),
        ('{"markups": [{"controlPoi', r"is damaged or cut short \(line 1\)"),
        ("[1, 2]", "is not a Markups file"),
        ('{"nodes": []}', "is not a Markups file"),
        ('{"markups": [{}, {}]}', "holds 2 markups"),
        ('{"markups": [{"controlPoints": [7]}]}', "has control points that are none"),
        ('{"Markups": [7]}', "has control points that are none"),
        ("[" * 100_000, "is not a Markups file: it is nested too deeply"),
    ],
)
def test_a_file_that_is_no_point_list_is_named(tmp_path, text, answer):
    (tmp_path / "p.mrk.json").write_text(text)
    with pytest.raises(InputError, match=r"p\.mrk\.json " + answer):
        read_mrk_json(tmp_path / "p.mrk.json")


def test_an_input_is_never_overwritten_unasked(tmp_path, landmarks, assert_same):
    path = put(tmp_path / "p.mrk.json", [POINT])
    with pytest.raises(InputError, match="add --overwrite"):
        write_mrk_json(path, landmarks)
    write_mrk_json(path, landmarks, overwrite=True)
    assert_same(read_mrk_json(path), landmarks)


def test_an_integer_of_more_digits_than_python_converts_is_no_position(tmp_path):
    text = '{"markups": [{"controlPoints": [{"label": "a", "position": [' + "9" * 5000 + ", 1, 1]}]}]}"
    (tmp_path / "p.mrk.json").write_text(text)
    with pytest.raises(InputError, match="'a' has no finite position"):
        read_mrk_json(tmp_path / "p.mrk.json")


def test_the_layout_before_the_schema_is_read_in_slicers_own_ras(tmp_path):
    points = [{"x": 1.5, "y": 2, "z": 3}]
    markups = [{"ID": "1", "Label": "left eye", "Points": points, "Points_Count": 1, "Selected": 1}]
    document = {"Locked": 0, "MarkupLabelFormat": "%N-%d", "Markups": markups, "Markups_Count": 1}
    (tmp_path / "p.markups.json").write_text(json.dumps(document))
    read = read_mrk_json(tmp_path / "p.markups.json")
    assert read.names == ("left eye",)
    assert read.positions.tolist() == [[-1.5, -2, 3]]
    markups[0]["Points"] = points * 2
    (tmp_path / "p.markups.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="'left eye' is not one point; save a point list"):
        read_mrk_json(tmp_path / "p.markups.json")


def test_a_place_of_nan_is_missing(tmp_path):
    nowhere = {"label": "a", "position": [float("nan")] * 3}
    assert read_mrk_json(put(tmp_path / "p.mrk.json", [nowhere]))["a"].status == "missing"
