"""What people leave in a folder: handled, or refused in words that say what to do."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks, write_landmarks
from LandmarkTrackerLib.formats.annotated import annotated_images, landmark_names
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet


@pytest.fixture
def folder(tmp_path):
    """Three annotated slices of two subjects, and one image that nobody annotated."""
    for name in ("anna-1", "anna-2", "bert-1", "carl-1"):
        image = sitk.Image(20, 16, 1, sitk.sitkUInt8)
        image.SetSpacing((2.0, 2.0, 5.0))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
        if name != "carl-1":
            write_landmarks(
                tmp_path / f"{name}.mrk.json", LandmarkSet.of({"tip": (4, 6, 0), "base": (8, 10, 0)})
            )
    return tmp_path


def replace(folder, name: str, points: dict[str, tuple[float, float, float]]) -> None:
    write_landmarks(folder / f"{name}.mrk.json", LandmarkSet.of(points), overwrite=True)


def test_annotated_images_are_found_with_their_subjects(folder):
    data = annotated_images(folder, subject="^(.+?)-")
    assert [(item.name, item.subject) for item in data] == [
        ("anna-1", "anna"),
        ("anna-2", "anna"),
        ("bert-1", "bert"),
    ]
    assert landmark_names(data) == ("tip", "base")
    assert np.allclose(data[0].landmarks["base"].position, (8, 10, 0))


def test_the_order_of_landmarks_in_a_file_does_not_matter(folder):
    replace(folder, "bert-1", {"base": (8, 10, 0), "tip": (4, 6, 0)})
    data = annotated_images(folder)
    names = landmark_names(data)
    assert np.allclose(data[2].landmarks.select(names).positions, data[0].landmarks.select(names).positions)


def test_a_misspelt_landmark_is_refused_with_the_name_it_resembles(folder):
    replace(folder, "bert-1", {"Tip": (4, 6, 0), "base": (8, 10, 0)})
    with pytest.raises(InputError, match=r"bert-1: no other file has a landmark 'Tip'; .*'tip'"):
        landmark_names(annotated_images(folder))


def test_listing_the_landmarks_leaves_others_out(folder):
    replace(folder, "bert-1", {"extra": (4, 6, 0), "base": (8, 10, 0)})
    assert landmark_names(annotated_images(folder), ("base",)) == ("base",)
    with pytest.raises(InputError, match="no file has a landmark 'bse'; did you mean 'base'"):
        landmark_names(annotated_images(folder), ("bse",))


def test_a_landmark_that_some_files_lack_is_kept(folder):
    replace(folder, "bert-1", {"base": (8, 10, 0)})
    assert landmark_names(annotated_images(folder)) == ("tip", "base")


def test_points_that_belong_to_no_image_are_refused(folder):
    replace(folder, "dora-1", {"tip": (4, 6, 0)})
    with pytest.raises(InputError, match="holds no image of that name"):
        annotated_images(folder)


def test_a_landmark_outside_its_image_is_refused(folder):
    replace(folder, "bert-1", {"tip": (-4, -6, 0), "base": (8, 10, 0)})
    with pytest.raises(
        InputError, match=r"bert-1.nrrd: landmark 'tip' at LPS \(-4.0, -6.0, 0.0\) mm lies outside"
    ):
        annotated_images(folder)[2].read()


def test_a_mirrored_slice_is_refused(folder):
    image = sitk.ReadImage(str(folder / "bert-1.nrrd"))
    image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, -1))
    image.SetOrigin((38.0, 0.0, 0.0))
    sitk.WriteImage(image, str(folder / "bert-1.nrrd"))
    first, _, mirrored = annotated_images(folder)
    with pytest.raises(InputError, match=r"bert-1.nrrd is mirrored or turned"):
        mirrored.read(like=Grid.of(first.read()))


def test_one_table_of_points_stands_for_many_files(folder):
    for path in folder.glob("*.mrk.json"):
        path.unlink()
    (folder / "landmarks.csv").write_text(
        "image,label,i,j\nanna-1.nrrd,tip,2,3\nanna-1.nrrd,base,,\nbert-1,tip,1,1\nbert-1,base,5,5\n"
    )
    data = annotated_images(folder)
    assert [item.name for item in data] == ["anna-1", "bert-1"]
    assert np.allclose(data[0].landmarks["tip"].position, (4, 6, 0))
    assert data[0].landmarks["base"].status == "missing"
    (folder / "landmarks.csv").write_text("image,name,r,a,s\nanna-1,tip,-4,-6,0\n")
    assert np.allclose(annotated_images(folder)[0].landmarks["tip"].position, (4, 6, 0))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,name,x,y,z\n", "needs the columns image, name"),
        ("image,label,l,p,s\nanna-1,tip,4,six,0\n", "row 2"),
        (
            "image,label,l,p,s\nanna-1,tip,4,6,0\nanna-1,tip,4,6,0\n",
            "row 3: 'anna-1' has a second landmark 'tip'",
        ),
        ("image,label,l,p,s\nanna-9,tip,4,6,0\n", "no image of that name"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_row(folder, text, words):
    (folder / "landmarks.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        annotated_images(folder)


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no annotated image"):
        annotated_images(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        annotated_images(tmp_path / "nowhere")


def test_point_files_of_every_format_and_a_table_by_its_name_are_read(folder):
    expected = {item.name: item.landmarks["tip"].position for item in annotated_images(folder)}
    (folder / "landmarks.csv").write_text(
        "image,name,l,p,s\n"
        + "".join(f"{name},tip,{','.join(map(str, at))}\n" for name, at in expected.items())
    )
    for item in annotated_images(folder / "landmarks.csv"):
        assert np.allclose(item.landmarks["tip"].position, expected[item.name])
    (folder / "landmarks.csv").unlink()
    for path in folder.glob("*.mrk.json"):
        write_landmarks(path.with_name(path.name.replace(".mrk.json", ".fcsv")), read_landmarks(path))
        path.unlink()
    for item in annotated_images(folder):
        assert np.allclose(item.landmarks["tip"].position, expected[item.name], atol=1e-3)


def test_the_subject_of_a_file_is_told_by_an_expression_or_a_table(folder):
    assert [item.subject for item in annotated_images(folder)] == ["anna-1", "anna-2", "bert-1"]
    assert [item.subject for item in annotated_images(folder, "^(.+?)-")] == ["anna", "anna", "bert"]
    names = [item.path.name for item in annotated_images(folder)]
    (folder / "who.csv").write_text(f"file,subject\n{names[0]},x\n{names[2]},y\n")
    assert [item.subject for item in annotated_images(folder, "who.csv")] == ["x", "y"]
    with pytest.raises(InputError, match="cannot be told by"):
        annotated_images(folder, "^(z.+)")
    (folder / "wrong.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="CSV file with the columns"):
        annotated_images(folder, "wrong.csv")
