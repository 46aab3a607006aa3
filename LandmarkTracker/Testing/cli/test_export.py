"""`export` and `info` on point files of other programs, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Two slices of 40 x 30 pixels of 2 mm, that begin at other places."""
    for name, origin in (("fixed", (10.0, 20.0, 0.0)), ("moving", (110.0, 120.0, 0.0))):
        image = sitk.Image(40, 30, 1, sitk.sitkUInt8)
        image.SetSpacing((2.0, 2.0, 1.0))
        image.SetOrigin(origin)
        sitk.WriteImage(image, str(tmp_path / f"{name}.mha"))
    return tmp_path


def export(case: Path, *points: str, more: tuple[str, ...] = ()) -> int:
    images = [str(case / "fixed.mha"), str(case / "moving.mha")]
    return main(
        [
            "export",
            *(str(case / p) for p in points),
            "--images",
            *images,
            "--output",
            str(case / "out"),
            *more,
        ]
    )


def put(case: Path, name: str, text: str) -> str:
    (case / name).write_text(text)
    return name


def test_points_in_pixels_lie_on_their_own_image_and_it_is_said(case: Path, capsys) -> None:
    a = put(case, "a.csv", "name,x,y\nnose,3,4\ntail,5,6\n")
    b = put(case, "b.tps", "LM=2\n3 26\n5 24\nIMAGE=b.jpg\n")
    assert export(case, a, b, more=("--by-order",)) == 0
    said = capsys.readouterr().err
    assert "a.csv: table of landmarks, pixels, the first is 0" in said
    assert "b.tps: tps landmarks, pixels, the first is 0, rows upwards from the lower edge" in said
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    assert pairs.names == ("nose", "tail")
    np.testing.assert_allclose(pairs.fixed, [[16, 28, 0], [20, 32, 0]])
    np.testing.assert_allclose(pairs.moving, [[116, 128, 0], [120, 132, 0]])


def test_points_that_state_lps_are_read_without_a_word(case: Path, capsys) -> None:
    a = put(case, "a.csv", "name,l,p,s\nnose,16,28,0\n")
    assert export(case, a, a) == 0
    assert capsys.readouterr().err == ""


def test_points_without_or_with_shared_names_are_paired_by_order(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,l,p,s\nF,16,28,0\nF,20,32,0\nF,,,\n")
    b = put(case, "b.csv", "label,l,p,s\nG,1,2,0\nH,3,4,0\nI,5,6,0\n")
    assert export(case, a, b) == 2
    assert "two landmarks are named 'F'" in capsys.readouterr().err
    assert export(case, a, b, more=("--by-order",)) == 0
    assert "2 pairs; 1 landmarks are not in both images" in capsys.readouterr().out
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    assert pairs.names == ("1", "2")
    np.testing.assert_allclose(pairs.moving, [[1, 2, 0], [3, 4, 0]])


def test_lists_of_other_lengths_cannot_be_paired_by_order(case: Path, capsys) -> None:
    a = put(case, "a.csv", "l,p,s\n1,2,3\n4,5,6\n")
    b = put(case, "b.csv", "l,p,s\n1,2,3\n")
    assert export(case, a, b, more=("--by-order",)) == 2
    assert "2 landmarks cannot be paired by order with 1; give equally many" in capsys.readouterr().err


def test_lists_without_a_common_name_are_told_of_the_order(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,l,p,s\nnose,1,2,3\n")
    b = put(case, "b.csv", "label,l,p,s\nF-1,1,2,3\n")
    assert export(case, a, b) == 2
    error = capsys.readouterr().err
    assert "no landmark has one name in both files ('nose' and 'F-1', say)" in error
    assert "--by-order" in error


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tag", 'MNI Tag Point File\nVolumes = 2;\nPoints =\n -16 -28 0 -1 -2 0 "nose";\n'),
        ("a.txt", "-16 -28 0 -1 -2 0\n"),
        ("a.csv", "name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\nnose,16,28,0,1,2,0\n"),
    ],
)
def test_one_file_may_hold_the_points_of_both_images(case: Path, name: str, text: str) -> None:
    assert export(case, put(case, name, text)) == 0
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    np.testing.assert_allclose(pairs.fixed, [[16, 28, 0]])
    np.testing.assert_allclose(pairs.moving, [[1, 2, 0]])


def test_one_file_with_the_points_of_many_images_is_asked_for_two_of_them(case: Path, capsys) -> None:
    head = "scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\n"
    a = put(case, "a.csv", head + "img0.png,1,1\nimg4.png,3,4\nimg9.png,5,6\n")
    assert export(case, a) == 2
    assert export(case, a, a) == 2
    assert "holds the points of 3 images; choose the frame of one" in capsys.readouterr().err
    for files in ((a,), (a, a)):
        assert export(case, *files, more=("--frames", "4", "9", "--overwrite")) == 0
        pairs = read_pairs_csv(case / "out" / "pairs.csv")
        np.testing.assert_allclose(pairs.fixed, [[16, 28, 0]])
        np.testing.assert_allclose(pairs.moving, [[120, 132, 0]])


def test_one_file_of_one_image_is_not_enough(case: Path, capsys) -> None:
    assert export(case, put(case, "a.csv", "label,l,p,s\nnose,1,2,3\n")) == 2
    assert "give two point files and two images, or one file of pairs" in capsys.readouterr().err


def test_coordinates_that_are_not_stated_are_asked_for_and_taken(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,x,y,z\nnose,16,28,0\n")
    assert export(case, a, a) == 2
    assert "add --coordinates" in capsys.readouterr().err
    assert export(case, a, a, more=("--coordinates", "ras")) == 0
    assert "RAS mm, as given by --coordinates" in capsys.readouterr().err
    np.testing.assert_allclose(read_pairs_csv(case / "out" / "pairs.csv").fixed, [[-16, -28, 0]])


def test_uncertain_landmarks_are_exported_only_when_asked(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,l,p,s,status\nnose,16,28,0,uncertain\ntail,20,32,0,defined\n")
    b = put(case, "b.csv", "label,l,p,s,status\nnose,1,2,0,defined\ntail,3,4,0,defined\n")
    assert export(case, a, b) == 0
    assert "1 pairs; 1 are uncertain and left out" in capsys.readouterr().out
    assert read_pairs_csv(case / "out" / "pairs.csv").names == ("tail",)
    assert export(case, a, b, more=("--include-uncertain", "--overwrite")) == 0
    assert read_pairs_csv(case / "out" / "pairs.csv").names == ("nose", "tail")
    put(case, "b.csv", "label,l,p,s,status\nnose,1,2,0,defined\n")
    assert export(case, a, b, more=("--overwrite",)) == 2
    assert "every pair is uncertain; look at them, or add --include-uncertain" in capsys.readouterr().err


def test_info_puts_pixels_on_the_image_it_is_given(case: Path, capsys) -> None:
    a = put(case, "a.csv", "name,i,j\nnose,3,4\n")
    assert main(["info", str(case / a)]) == 0
    assert "nose: (3, 4)" in capsys.readouterr().out
    assert main(["info", str(case / a), "--image", str(case / "moving.mha")]) == 0
    assert "nose: LPS (116, 128, 0) mm" in capsys.readouterr().out
    assert main(["info", str(case / a), "--image", str(case / "fixed.mha"), "--coordinates", "pixel-1"]) == 0
    assert "nose: LPS (14, 26, 0) mm" in capsys.readouterr().out


def test_a_point_that_a_table_says_is_not_defined_is_missing(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,l,p,s,defined\na,0,0,-10,True\nb,0,0,0,False\nc,0,0,0,no\nd,0,0,0,\n")
    assert main(["info", str(case / a)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 landmarks, 1 defined, 3 missing\n")
    assert "b: missing" in out


def test_the_distances_of_two_files_are_those_of_their_points(case: Path, capsys) -> None:
    found = put(case, "outputpoints.txt", "".join(f"; OutputPoint = [ {n} 0 0 ]\n" for n in range(4)))
    truth = put(case, "truth.csv", "label,l,p,s\na,0,0,0\nb,1,3,4\nc,,,\nd,3,0,1\n")
    words = ["evaluate", "distances", str(case / found), str(case / truth)]
    assert main(words) == 2
    assert "--by-order" in capsys.readouterr().err
    assert main([*words, "--by-order"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["1: 0.00 mm", "2: 5.00 mm", "4: 1.00 mm"]
    assert lines[3].startswith(
        "3 pairs: mean 2.00, median 1.00, 95th percentile 4.60, largest 5.00 mm; 1 landm"
    )


def test_distances_of_pixels_are_measured_on_their_image(case: Path, capsys) -> None:
    a = put(case, "a.csv", "name,x,y\nnose,3,4\n")
    b = put(case, "b.csv", "name,x,y\nnose,6,8\n")
    words = ["evaluate", "distances", str(case / a), str(case / b)]
    assert main([*words, "--image", str(case / "fixed.mha")]) == 0
    assert "nose: 10.00 mm" in capsys.readouterr().out
    sitk.WriteImage(sitk.Image(40, 30, sitk.sitkUInt8), str(case / "picture.png"))
    assert main([*words, "--image", str(case / "picture.png")]) == 0
    assert "nose: 5.00 px" in capsys.readouterr().out


def test_nothing_to_pair_is_said(case: Path, capsys) -> None:
    a = put(case, "a.csv", "label,l,p,s\na,1,2,3\nb,,,\n")
    b = put(case, "b.csv", "label,l,p,s\na,,,\nb,1,2,3\n")
    assert main(["evaluate", "distances", str(case / a), str(case / b)]) == 2
    assert "no landmark has a place in both images" in capsys.readouterr().err
