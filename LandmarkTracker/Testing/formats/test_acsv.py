import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.acsv import parse

HEAD = "# Annotation file /old/F.acsv\n# Name = carina, left\n# pointColumns = type|x|y|z|sel|vis\n"


def put(path, text):
    path.write_text(text)
    return path


def test_a_fiducial_is_in_ras_and_named_in_a_comment(tmp_path):
    read = read_landmarks(put(tmp_path / "F.acsv", HEAD + "point|1.5|2|3|1|1\n"))
    assert read.names == ("carina, left",)
    assert read.positions.tolist() == [[-1.5, -2, 3]]


def test_a_fiducial_without_a_name_has_that_of_its_file(tmp_path):
    assert read_landmarks(put(tmp_path / "F.acsv", "point|1|2|3|1|1\n")).names == ("F",)


def test_several_points_are_numbered(tmp_path):
    read = read_landmarks(put(tmp_path / "F.acsv", "point|1|2|3|1|1\npoint|4|5|6|1|1\n"))
    assert read.names == ("F-1", "F-2")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (HEAD, "holds no landmark"),
        (HEAD + "point|1|2|3|1|1\npoint|4|5|6|1|1\nline|0|1|1|1\n", "is a ruler or a region"),
        (HEAD + "point|1|2\n", "a point that is none"),
        (HEAD + "point|1|2|x|1|1\n", "a point that is none"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer):
        parse(put(tmp_path / "F.acsv", text))
