import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.tps import parse
from LandmarkTrackerLib.geometry import Grid

IMAGE = Grid((100, 80, 1), (0.5, 0.5, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
SKULL = "LM=2\n10 20\n30 40\nIMAGE=a.jpg\nID=0\nSCALE=0.5\n"


def put(path, text):
    path.write_text(text)
    return path


def test_rows_count_upwards_from_the_lower_edge(tmp_path):
    read = read_landmarks(put(tmp_path / "a.tps", SKULL), IMAGE)
    assert read.names == ("1", "2")
    np.testing.assert_allclose(read.positions, [[5, 30, 0], [15, 20, 0]])


def test_curves_and_keys_in_any_case_are_passed_over(tmp_path):
    text = "lm=1\n10 20\ncurves=1\nPOINTS=2\n1 1\n2 2\nImage=b7.jpg\n\nCOMMENT=by me\n"
    file = parse(put(tmp_path / "a.tps", text))
    assert list(file.images) == ["b7.jpg"]
    assert file.values("b7.jpg").tolist() == [[10, 20]]


def test_landmarks_that_were_not_found_are_missing(tmp_path):
    read = read_landmarks(put(tmp_path / "a.tps", "LM=3\n-1 -1\nNA NA\n10 20\nID=x\n"), IMAGE)
    assert [mark.status for mark in read] == ["missing", "missing", "defined"]


def test_one_of_several_images_is_chosen_by_its_frame(tmp_path):
    text = SKULL.replace("a.jpg", "f1.jpg") + SKULL.replace("a.jpg", "f2.jpg").replace("10", "12")
    assert read_landmarks(put(tmp_path / "a.tps", text), IMAGE, frame=2)["1"].position[0] == 6


def test_three_numbers_have_no_stated_meaning(tmp_path):
    path = put(tmp_path / "a.tps", "LM3=1\n1 2 3\nID=a\n")
    with pytest.raises(InputError, match="does not say whether its numbers are LPS"):
        read_landmarks(path)
    assert read_landmarks(path, coordinates="ras")["1"].position.tolist() == [-1, -2, 3]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("LM=2\n10 20\nID=0\nLM=1\n1 2\n", "fewer landmarks than it says"),
        ("LM=2\n10 20\n", "fewer landmarks than it says"),
        ("LM=1\n10 x\n", "'10 x' is not a landmark"),
        ("LM=1\n10\n", "'10' does not have 2 numbers"),
        ("LM=many\n", "LM=many is no number of landmarks"),
        ("nothing\n", "holds no landmark"),
        (SKULL + SKULL, "two images named 'a.jpg'"),
        (SKULL + "LM3=1\n1 2 3\nID=b\n", "of two numbers and of three"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer):
        parse(put(tmp_path / "a.tps", text))
