import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.deeplabcut import parse
from LandmarkTrackerLib.geometry import Grid

IMAGE = Grid((320, 240, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
HEAD = "scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n"


def put(path, text):
    path.write_text(text)
    return path


def test_labels_are_pixels_of_the_image_that_the_row_names(tmp_path):
    path = put(tmp_path / "a.csv", HEAD + "img000.png,10,20,30,40\nimg012.png,11.5,21,31,41\n")
    read = read_landmarks(path, IMAGE, frame=12)
    assert read.names == ("nose", "tail")
    assert read.positions.tolist() == [[11.5, 21, 0], [31, 41, 0]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("labeled-data\\v\\img0003.png", "labeled-data\\v\\img0010.png"),
        ("\\labeled-data\\v\\img0003.png", "\\labeled-data\\v\\img0010.png"),
        ("labeled-data/v/img0003.png", "labeled-data/v/img0010.png"),
        ("3", "10"),
    ],
)
def test_paths_of_any_system_name_a_frame(tmp_path, first, second):
    path = put(tmp_path / "a.csv", HEAD + f"{first},1,2,3,4\n{second},5,6,7,8\n")
    assert read_landmarks(path, IMAGE, frame=10)["nose"].position.tolist() == [5, 6, 0]


def test_the_three_columns_that_name_an_image_in_newer_files_are_read(tmp_path):
    head = "scorer,,,me,me\nbodyparts,,,nose,nose\ncoords,,,x,y\n"
    path = put(tmp_path / "a.csv", head + "labeled-data,v,img3.png,1,2\nlabeled-data,v,img4.png,5,6\n")
    assert list(parse(path).images) == ["labeled-data/v/img3.png", "labeled-data/v/img4.png"]
    assert read_landmarks(path, IMAGE, frame=4)["nose"].position.tolist() == [5, 6, 0]


def test_what_was_not_seen_is_missing(tmp_path):
    path = put(tmp_path / "a.csv", HEAD + "img0.png,,,30,40\nimg1.png,nan,NaN,1,2\n")
    for frame in (0, 1):
        read = read_landmarks(path, IMAGE, frame=frame)
        assert [mark.status for mark in read] == ["missing", "defined"]


def test_the_likelihood_of_an_analysed_video_is_the_score(tmp_path):
    head = "scorer,net,net,net\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n"
    read = read_landmarks(put(tmp_path / "a.csv", head + "0,1,2,0.75\n"), IMAGE)
    assert read["nose"].score == 0.75


def test_parts_of_several_animals_carry_the_animals_name(tmp_path):
    head = "scorer,me,me,me,me\nindividuals,a,a,b,b\nbodyparts,nose,nose,nose,nose\ncoords,x,y,x,y\n"
    read = read_landmarks(put(tmp_path / "a.csv", head + "0,1,2,3,4\n"), IMAGE)
    assert read.names == ("a nose", "b nose")
    np.testing.assert_array_equal(read.positions[:, 0], [1, 3])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (HEAD, "holds no landmark"),
        (HEAD + "a,1,2,3\n", "row 4: 4 cells under 5 headings"),
        (HEAD + "a,1,2,3,x\n", "row 4: 'x' under y is not a number"),
        (HEAD + "a,1,2,3,4\na,1,2,3,4\n", "row 5: 'a' comes twice"),
        (
            HEAD.replace("coords,x,y,x,y", "coords,x,y,x,z") + "a,1,2,3,4\n",
            "'z' under coords is none of x, y",
        ),
        (HEAD.replace("coords,x,y,x,y", "coords,x,y,x,x") + "a,1,2,3,4\n", "'tail' lacks x or y"),
        ("scorer,me\nbodyparts,nose\n0,1\n", "lacks the rows bodyparts and coords"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_remedy(tmp_path, text, answer):
    with pytest.raises(InputError, match=answer):
        parse(put(tmp_path / "a.csv", text))


def test_real_labels_fall_on_their_video_and_name_its_frames(real_data):
    for path in sorted((real_data / "tongue_us").glob("*.csv")):
        labels = parse(path)
        assert len(labels.names) == 14
        for image in labels.images:
            values = labels.values(image)
            assert np.nanmin(values) >= 0
            assert np.nanmax(values) < 1000
