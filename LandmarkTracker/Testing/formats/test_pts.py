import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.pts import parse
from LandmarkTrackerLib.geometry import Grid

IMAGE = Grid((100, 80, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def put(path, text):
    path.write_text(text)
    return path


def test_idav_landmarks_are_ras_as_slicermorph_takes_them_unless_told_otherwise(tmp_path):
    path = put(tmp_path / "a.pts", "Version 1.0\n2\nS000 1 2 3\nleft orbit 4 5 6\n")
    read = read_landmarks(path)
    assert read.names == ("S000", "left orbit")
    assert read.positions.tolist() == [[-1, -2, 3], [-4, -5, 6]]
    assert read_landmarks(path, coordinates="lps")["S000"].position.tolist() == [1, 2, 3]


def test_idav_writes_9999_where_a_landmark_is_missing(tmp_path):
    path = put(tmp_path / "a.pts", "Version 1.0\n2\nS0 9999 9999 9999\nS1 4 5 6\n")
    assert [mark.status for mark in read_landmarks(path)] == ["missing", "defined"]


@pytest.mark.parametrize("braces", [("{\n", "}\n"), ("", "")])
def test_face_landmarks_are_pixels_counted_from_1(tmp_path, braces):
    path = put(tmp_path / "a.pts", f"version: 1\nn_points:  2\n{braces[0]}1 1\n11.5 21\n{braces[1]}")
    assert read_landmarks(path, IMAGE).positions.tolist() == [[0, 0, 0], [10.5, 20, 0]]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 2 3\n", "does not start with 'Version'"),
        ("Version 1.0\n", "does not start with 'Version'"),
        ("Version 1.0\n2\nS0 1 2 3\n", "says 2 landmarks and holds 1"),
        ("Version 1.0\nmany\nS0 1 2 3\n", "says many landmarks and holds 1"),
        ("Version 1.0\n1\n1 2 3\n", "does not have 3 numbers"),
        ("Version 1.0\n1\nS0 1 2 x\n", "'S0 1 2 x' is not a landmark"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer):
        parse(put(tmp_path / "a.pts", text))
