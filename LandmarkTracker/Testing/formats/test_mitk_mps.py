import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.mitk_mps import parse

POINT = "<point><id>{}</id><specification>0</specification><x>{}</x><y>2</y><z>3</z></point>"
SHIFTED = (
    '<Geometry3D ImageGeometry="false" FrameOfReferenceID="0">'
    '<IndexToWorld type="Matrix3x3" m_0_0="0" m_0_1="1" m_0_2="0"'
    ' m_1_0="1" m_1_1="0" m_1_2="0" m_2_0="0" m_2_1="0" m_2_2="2"/>'
    '<Offset type="Vector3D" x="10" y="20" z="30"/></Geometry3D>'
)


def put(path, *steps, head='<?xml version="1.0" encoding="ISO-8859-1"?>\n'):
    series = "".join(
        f"<time_series><time_series_id>{n}</time_series_id>{step}</time_series>"
        for n, step in enumerate(steps)
    )
    path.write_text(f"{head}<point_set_file><point_set>{series}</point_set></point_set_file>")
    return path


def test_points_are_lps_and_named_by_their_ids(tmp_path):
    read = read_landmarks(put(tmp_path / "a.mps", POINT.format(0, 1) + POINT.format(7, 4.5)))
    assert read.names == ("0", "7")
    assert read.positions.tolist() == [[1, 2, 3], [4.5, 2, 3]]


def test_a_geometry_of_their_own_puts_them_into_the_world(tmp_path):
    read = read_landmarks(put(tmp_path / "a.mps", SHIFTED + POINT.format(0, 1)))
    assert read.positions.tolist() == [[10 + 2, 20 + 1, 30 + 2 * 3]]


def test_a_time_step_is_chosen_by_its_number(tmp_path):
    path = put(tmp_path / "a.mps", POINT.format(0, 1), POINT.format(0, 9))
    assert read_landmarks(path, frame=1)["0"].position[0] == 9


def test_a_file_of_before_time_steps_is_read(tmp_path):
    text = f"<point_set_file><point_set>{POINT.format(3, 1)}</point_set></point_set_file>"
    (tmp_path / "a.mps").write_text(text)
    assert read_landmarks(tmp_path / "a.mps").names == ("3",)


def test_entities_are_not_opened(tmp_path):
    head = '<!DOCTYPE a [<!ENTITY b "' + "b" * 100 + '">]>'
    with pytest.raises(InputError, match="document type"):
        parse(put(tmp_path / "a.mps", POINT.format(0, "&b;"), head=head))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<point_set_file>", "damaged or no point set"),
        ("<point_set_file></point_set_file>", "holds 0 point sets"),
        ("<a><point_set/><point_set/></a>", "holds 2 point sets"),
        ("<a><point_set/></a>", "holds no landmark"),
        ("<a><point_set><point><id>0</id><x>1</x></point></point_set></a>", "damaged or no point set"),
        (f"<a><point_set>{POINT.format(0, 'x')}</point_set></a>", "damaged or no point set"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    (tmp_path / "a.mps").write_text(text)
    with pytest.raises(InputError, match=answer):
        parse(tmp_path / "a.mps")
