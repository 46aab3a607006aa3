import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.mni_tag import parse

ONE = "MNI Tag Point File\nVolumes = 1;\n% by me\n\nPoints =\n"


def put(path, text):
    path.write_text(text)
    return path


def test_tags_of_one_volume_are_landmarks_in_ras(tmp_path):
    path = put(tmp_path / "a.tag", ONE + ' 1 2 3 "left eye"\n 4 5 6 1 -1 -1 "a \\"b\\"";\n')
    read = read_landmarks(path)
    assert read.names == ("left eye", 'a "b"')
    assert read.positions.tolist() == [[-1, -2, 3], [-4, -5, 6]]


def test_tags_of_two_volumes_are_pairs(tmp_path):
    text = 'MNI Tag Point File\nVolumes = 2;\n\nPoints =\n 1 2 3 4 5 6 "";\n'
    pairs = parse(put(tmp_path / "a.tag", text)).pairs(None, None)
    assert pairs.fixed.tolist() == [[-1, -2, 3]]
    assert pairs.moving.tolist() == [[-4, -5, 6]]


def test_tags_without_labels_are_numbered(tmp_path):
    assert read_landmarks(put(tmp_path / "a.tag", ONE + "1 2 3\n4 5 6;\n")).names == ("1", "2")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1 2 3\n", "is not a tag file"),
        (ONE.replace("1;", "3;") + "1 2 3;", "is not a tag file"),
        (ONE, "holds no landmark"),
        (ONE + "1 2;\n", "does not have 3 coordinates"),
        (ONE + '1 2 x "a";\n', "is not a tag"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer):
        parse(put(tmp_path / "a.tag", text))
