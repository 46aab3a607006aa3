"""From a path to the right reader of points, and what is said of it."""

import json

import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import landmarks_beside, read_landmarks, read_points
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.formats.mrk_json import document_of
from LandmarkTrackerLib.formats.point_files import READERS, is_landmark_file
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

DONE = LandmarkSet.of({"a": (1, 2, 3), "b": (4, 5, 6)})


def put(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text", "format", "positions"),
    [
        ("a.json", json.dumps(document_of(DONE)), "Slicer Markups", [[1, 2, 3], [4, 5, 6]]),
        ("a.tsv", "label\tr\ta\ts\tdefined\nF-1\t1\t2\t3\t1\n", "table of landmarks", [[-1, -2, 3]]),
        ("a.csv", "name;l;p;s\na;1,5;2;3\n", "table of landmarks", [[1.5, 2, 3]]),
        ("a.txt", "name\tl\tp\ts\na\t1,5\t2\t3\n", "table of landmarks", [[1.5, 2, 3]]),
        ("a.csv", "x,y,z,t,label\n1,2,3,0,1\n", "ANTs points", [[1, 2, 3]]),
        ("a.txt", "point\n2\n1 2 3\n4 5 6\n", "elastix points", [[1, 2, 3], [4, 5, 6]]),
        ("a.txt", "0 0 0 0\n1 2 3 5\n0 0 0 0\n", "ANTs point set", [[1, 2, 3]]),
        ("a.txt", "# by me\n1.5, 2, 3\n", "plastimatch points", [[1.5, 2, 3]]),
        (
            "outputpoints.txt",
            "Point\t0\t; InputIndex = [ 0 0 0 ]\t; InputPoint = [ 0 0 0 ]\t; "
            "OutputIndexFixed = [ 1 -2 3 ]\t; OutputPoint = [ 1.000000 -2.000000 3.5 ]\t; "
            "Deformation = [ 1 -2 3 ]\n",
            "transformix output points",
            [[1, -2, 3.5]],
        ),
        ("a.pts", "Version 1.0\n1\nS000 1 2 3\n", "IDAV landmarks", [[-1, -2, 3]]),
        ("A.FCSV", "F,1,2,3,1,1\n", "Slicer 3 fiducials", [[-1, -2, 3]]),
    ],
)
def test_every_format_is_known_by_its_name_and_what_it_holds(tmp_path, name, text, format, positions):
    path = put(tmp_path / name, text)
    assert read_points(path).format == format
    assert read_landmarks(path).positions.tolist() == positions
    assert is_landmark_file(path)
    assert f"format: {format}" in describe_file(path)


@pytest.mark.parametrize(
    ("name", "text", "format", "index"),
    [
        ("a.csv", "label,x,y\na,3,4\n", "table of landmarks", [3, 4, 0]),
        ("a.csv", ",X,Y\n1,3,4\n", "table of landmarks", [3, 4, 0]),
        ("a.csv", "i,j\n3,4\n", "table of landmarks", [3, 4, 0]),
        ("a.tsv", "name\ti\tj\tk\na\t3\t4\t0\n", "table of landmarks", [3, 4, 0]),
        ("a.csv", "scorer,me,me\nbodyparts,a,a\ncoords,x,y\nimg.png,3,4\n", "DeepLabCut table", [3, 4, 0]),
        ("a.txt", "index\n1\n3 4 0\n", "elastix points", [3, 4, 0]),
        ("a.txt", "1\n3 4\n", "elastix points", [3, 4, 0]),
        ("case1_dirLab300_T00_xyz.txt", "4\t5\t1\n", "DIR-Lab voxels", [3, 4, 0]),
        ("a.pts", "version: 1\nn_points: 1\n{\n4 5\n}\n", "300-W landmarks", [3, 4, 0]),
        ("a.tps", "LM=1\n3 1\n", "tps landmarks", [3, 4, 0]),
    ],
)
def test_pixels_are_put_on_their_image_and_told_apart_without_it(tmp_path, volume, name, text, format, index):
    image = volume(size=(7, 5, 1))
    path = put(tmp_path / name, text)
    read = read_landmarks(path, Grid.of(image))
    assert read.positions[0] == pytest.approx(image.TransformContinuousIndexToPhysicalPoint(index))
    with pytest.raises(InputError, match="give the image that they lie on"):
        read_landmarks(path)
    lines = describe_file(path)
    assert f"format: {format}" in lines
    assert "give the image with --image to have them in LPS mm" in lines
    sitk.WriteImage(image, str(tmp_path / "image.mha"))
    with_image = describe_file(path, tmp_path / "image.mha")
    assert "give the image with --image to have them in LPS mm" not in with_image
    assert with_image[-1].endswith(" mm")


@pytest.mark.parametrize("dimension", [2, 3])
def test_what_is_exported_is_read_back(tmp_path, scan_pair, dimension):
    scans = scan_pair(dimension)
    grids = [Grid.of(scan.image) for scan in (scans.fixed, scans.moving)]
    programs = {"elastix", "ants", "niftyreg", *(("plastimatch", "dirlab") if dimension == 3 else ())}
    read = 0
    for program in programs:
        folder = tmp_path / program
        folder.mkdir()
        EXPORTS[program](folder, scans)
        # DIR-Lab keeps whole voxels only.
        tolerance = 3.0 if program == "dirlab" else 1e-6
        for role, grid, points in zip(
            ("fixed", "moving"), grids, (scans.pairs.fixed, scans.pairs.moving), strict=True
        ):
            for path in sorted(folder.glob(f"{role}*")):
                if path.suffix in (".csv", ".txt", ".fcsv"):
                    got = read_landmarks(path, grid)
                    assert got.positions == pytest.approx(points, abs=tolerance)
                    read += 1
        if program == "niftyreg":
            pairs = read_points(folder / "landmarks.txt").pairs(*grids)
            assert pairs.fixed == pytest.approx(scans.pairs.fixed)
            assert pairs.moving == pytest.approx(scans.pairs.moving)
    assert read == 6 if dimension == 2 else 10


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "1 2 3\n4 5 6\n"),
        ("a.txt", "1 2\n3.5 4\n"),
        ("a.csv", "label,x,y,z\na,1,2,3\n"),
        ("a.tps", "LM3=1\n1 2 3\n"),
    ],
)
def test_what_may_mean_anything_is_not_guessed(tmp_path, name, text):
    path = put(tmp_path / name, text)
    with pytest.raises(InputError, match="does not say whether its numbers are LPS or RAS mm or pixels"):
        read_landmarks(path)
    assert "say what the numbers mean with --coordinates" in describe_file(path)
    assert any(line.startswith("coordinates: LPS mm, as given") for line in describe_file(path, None, "lps"))


@pytest.mark.parametrize(
    "text", ["first visit\n", "1 2 3 4 5\n", "1 2 3\n4 5\n", '"a";b;c\n', "\x00\x01\n", "name age\nx 3\n"]
)
def test_other_text_is_no_landmark_file(tmp_path, text):
    path = put(tmp_path / "notes.txt", text)
    assert not is_landmark_file(path)
    with pytest.raises(InputError, match="is not a landmark file"):
        read_points(path)


def test_other_json_is_no_landmark_file(tmp_path):
    path = put(tmp_path / "frame-rate.json", '{"frame_rate": 4.0}')
    assert not is_landmark_file(path)
    with pytest.raises(InputError, match="is not a Markups file"):
        read_points(path)


def test_pairs_and_several_images_are_described(tmp_path):
    path = put(tmp_path / "a.tag", 'MNI Tag Point File\nVolumes = 2;\nPoints =\n 1 2 3 4 5 6 "";\n')
    assert describe_file(path)[0] == "1 pairs of a fixed and a moving image, 1 complete"
    head = "scorer,me,me\nbodyparts,nose,nose\ncoords,x,y\n"
    rows = "".join(f"img{n}.png,{n},2\n" for n in range(5)) + "img9.png,,\n"
    lines = describe_file(put(tmp_path / "a.csv", head + rows))
    assert lines[:3] == [
        "points of 6 images, 1 landmarks",
        "images: img0.png, img1.png, img2.png, ..., img9.png",
        "nose: defined in 5 of 6 images",
    ]


def test_landmarks_beside_an_image_are_found_in_any_format_but_not_in_its_other_files(tmp_path):
    image = tmp_path / "a.nii.gz"
    put(tmp_path / "a.json", '{"RepetitionTime": 2}')
    with pytest.raises(InputError, match=r"has no landmarks beside it; save them as a\.mrk\.json"):
        landmarks_beside(image)
    put(tmp_path / "a.txt", "point\n1\n1 2 3\n")
    assert landmarks_beside(image).name == "a.txt"
    put(tmp_path / "a.mrk.json", json.dumps(document_of(DONE)))
    assert landmarks_beside(image).name == "a.mrk.json"


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\x00" * 50,
        b"\xff" * 50,
        b"\xff\xfe" + b"\x00\xd8" * 20,
        b",,,,\n,,,,\n",
        b"\n\n\n",
        b"[" * 200_000,
        b"<a>" * 20_000,
        b"9" * 5000,
        b"9" * 5000 + b"\n1 2\n",
        b'{"markups": [{"controlPoints": [{"label": 7, "position": [' + b"9" * 5000 + b", 1, 1]}]}]}",
        b'{"markups": {"a": 1}}',
        b'{"Markups": [{"Points": [{"x": null}]}]}',
        b"point\n-1\n",
        b"index\n99999999999999999999999\n1 2 3\n",
        b"label,l,p,s\n" + b"a" * 140_000 + b",1,2,3\n",
        b'label,l,p,s\n"a,1,2,3\n',
        b"1e999 1 1\n",
        b"nan nan nan\n",
        b"Version 1.0\n0\n",
        b"LM=999999999\n",
        b"MNI Tag Point File\nVolumes = 2;\nPoints =\n;",
        b"OutputPoint = [ x ]",
        b"OutputPoint = [ 1 1 1 1 1 1 1 1 ]",
        b"OutputPoint = [ inf 1 1 ]",
        b'# Markups fiducial file version = 5\n1,\'"x\ny"',
        b"label,l,p,s\na," + b"9" * 100_000 + b"x,2,3\n",
    ],
)
def test_whatever_a_file_holds_is_read_or_refused_in_a_sentence(tmp_path, suffix, content):
    path = tmp_path / f"p{suffix}"
    path.write_bytes(content)
    try:
        said = describe_file(path)
    except InputError as error:
        said = [str(error)]
    assert all(line and len(line.splitlines()) == 1 for line in said)
