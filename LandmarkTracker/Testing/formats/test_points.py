"""What the numbers of a point file mean, and the way from them to LPS mm."""

from pathlib import Path

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.points import CHOICES, PAIR, Coordinates, Point, PointFile, frame_number
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.plane import Plane

# Columns run anterior, rows inferior: no axis is where a mirrored one would be.
SLICE = Grid((40, 30, 1), (0.5, 2.0, 3.0), (10.0, -20.0, 7.0), (0, 0, 1, -1, 0, 0, 0, -1, 0))
VOLUME = Grid((40, 30, 20), SLICE.spacing, SLICE.origin, SLICE.direction)
PLACE = Path("points.txt")


def to_lps(coordinates: Coordinates, values: list[float], grid: Grid | None = None) -> list[float]:
    return coordinates.to_lps(np.array([values]), grid)[0].tolist()


def test_mm_in_the_world_need_no_image_and_ras_is_turned():
    assert to_lps(Coordinates("LPS"), [1, 2, 3]) == [1, 2, 3]
    assert to_lps(Coordinates("RAS"), [1, 2, 3]) == [-1, -2, 3]


@pytest.mark.parametrize("grid", [SLICE, VOLUME])
def test_pixels_are_counted_from_the_centre_of_the_first(grid):
    assert to_lps(Coordinates("pixel"), [0, 0, 0], grid) == [10, -20, 7]
    assert to_lps(Coordinates("pixel", first=1), [1, 1, 1], grid) == [10, -20, 7]
    # Four columns are 2 mm anterior, three rows 6 mm inferior.
    assert to_lps(Coordinates("pixel"), [4, 3, 0], grid) == [10, -22, 1]


def test_pixels_of_a_slice_have_two_numbers():
    assert to_lps(Coordinates("pixel"), [4, 3], SLICE) == [10, -22, 1]
    with pytest.raises(InputError, match="two numbers each, and the image is a volume; give a slice"):
        to_lps(Coordinates("pixel"), [4, 3], VOLUME)


def test_rows_that_count_upwards_count_from_the_lower_edge():
    upwards = Coordinates("pixel", upwards=True)
    assert to_lps(upwards, [4, 30 - 3], SLICE) == to_lps(Coordinates("pixel"), [4, 3], SLICE)


def test_two_numbers_in_mm_lie_in_the_plane_of_the_slice():
    world = SLICE.to_world([[4, 3, 0], [39, 29, 0]])
    flat = Plane(SLICE).to_plane(world)
    np.testing.assert_allclose(Coordinates("LPS").to_lps(flat, SLICE), world)
    np.testing.assert_allclose(Coordinates("RAS").to_lps(-flat, SLICE), world)


def test_a_third_number_that_is_always_0_is_none_on_a_slice():
    flat = Coordinates("LPS", flat=True)
    world = SLICE.to_world([[4, 3, 0]])
    in_plane = np.hstack([Plane(SLICE).to_plane(world), [[0.0]]])
    np.testing.assert_allclose(flat.to_lps(in_plane, SLICE), world)
    assert flat.to_lps(in_plane, VOLUME).tolist() == in_plane.tolist()
    assert flat.to_lps(world, SLICE).tolist() == world.tolist()


@pytest.mark.parametrize(
    ("coordinates", "values"), [(Coordinates("pixel"), [1, 2, 3]), (Coordinates("LPS"), [1, 2])]
)
def test_what_needs_its_image_says_so(coordinates, values):
    points = PointFile(PLACE, "points", coordinates, {"": (Point("a", values),)})
    assert points.needs_image
    with pytest.raises(InputError, match=r"points\.txt: its points are .*; give the image that they lie on"):
        points.landmarks()


def test_a_protocol_in_pixels_needs_no_image():
    points = PointFile(PLACE, "points", Coordinates("pixel"), {"": (Point("a", None), Point("b", None))})
    assert points.landmarks().names == points.names == ("a", "b")


def test_a_place_of_nan_is_missing_and_half_a_place_is_an_error():
    nan = float("nan")
    points = (Point("a", [1, 2, 3]), Point("b", [nan, nan, nan]), Point("c", None))
    read = PointFile(PLACE, "points", Coordinates("RAS"), {"": points}).landmarks()
    assert [mark.status for mark in read] == ["defined", "missing", "missing"]
    with pytest.raises(InputError, match="'d' has no finite position"):
        PointFile(PLACE, "points", Coordinates("LPS"), {"": (Point("d", [1, nan, 3]),)}).landmarks()


def test_blanks_around_a_name_and_line_ends_in_it_do_not_make_another_landmark():
    assert Point(" left  ventricle\n\u00a0", None).name == "left ventricle"
    assert Point("broken \ud83d", None).name == "broken ?"


def test_names_that_are_shared_or_blank_are_refused_or_numbered_when_asked():
    for names in (("a", "a"), ("a", "")):
        points = PointFile(PLACE, "p", Coordinates("LPS"), {"": tuple(Point(n, [1, 2, 3]) for n in names)})
        with pytest.raises(InputError, match=r"two landmarks are named 'a'|has no name"):
            points.landmarks()
        with pytest.raises(InputError):
            _ = points.names
        assert points.landmarks(numbered=True).names == ("1", "2")
    distinct = PointFile(PLACE, "p", Coordinates("LPS"), {"": (Point("x", [1, 2, 3]),)})
    assert distinct.landmarks(numbered=True).names == ("x",)


def test_the_user_says_what_the_file_does_not():
    points = {"": (Point("a", [1, 2, 3]),)}
    nobody = PointFile(PLACE, "points", None, points)
    with pytest.raises(InputError, match="does not say whether its numbers are LPS or RAS mm or pixels"):
        nobody.landmarks()
    assert nobody.understood("ras").landmarks()["a"].position.tolist() == [-1, -2, 3]
    assert nobody.understood("pixel-1").coordinates.first == 1
    convention = PointFile(PLACE, "points", Coordinates("LPS", "as a program has it", stated=False), points)
    assert convention.understood("ras").landmarks()["a"].position.tolist() == [-1, -2, 3]
    stated = PointFile(PLACE, "points", Coordinates("LPS"), points)
    assert stated.understood("lps") is stated
    with pytest.raises(InputError, match="states LPS, not ras; leave --coordinates out"):
        stated.understood("ras")
    assert set(CHOICES) == {"lps", "ras", "pixel", "pixel-1"}


def test_only_lps_that_the_file_states_goes_without_saying():
    points = {"": (Point("a", [1, 2, 3]),)}
    assert PointFile(PLACE, "points", Coordinates("LPS"), points).remark == ""
    convention = Coordinates("LPS", "as a program has it", stated=False)
    said = PointFile(PLACE, "points", convention, points).remark
    assert said == "points.txt: points, LPS mm, as a program has it"
    assert "RAS mm" in PointFile(PLACE, "points", Coordinates("RAS"), points).remark


def test_one_of_several_images_is_chosen_by_its_frame():
    images = {f"video\\img{n:03d}.png": (Point("a", [n, 0, 0]),) for n in (3, 14)}
    points = PointFile(PLACE, "points", Coordinates("LPS"), images)
    assert points.landmarks(frame=14)["a"].position[0] == 14
    with pytest.raises(InputError, match="holds the points of 2 images; choose the frame of one: "):
        points.landmarks()
    with pytest.raises(InputError, match="has no frame 4; it holds "):
        points.landmarks(frame=4)
    twice = PointFile(PLACE, "points", Coordinates("LPS"), {**images, "other/img3.png": images.popitem()[1]})
    with pytest.raises(InputError, match="has 2 images of frame 3"):
        twice.landmarks(frame=3)


def test_the_only_image_is_taken_whatever_its_frame():
    points = PointFile(PLACE, "points", Coordinates("LPS"), {"img7.png": (Point("a", [1, 2, 3]),)})
    assert points.landmarks(frame=0).names == ("a",)


@pytest.mark.parametrize(
    ("image", "number"),
    [
        ("labeled-data\\a\\img0014.png", 14),
        ("frame7", 7),
        ("12", 12),
        ("a.jpg", None),
        ("", None),
        ("9" * 5000, 10**15 - 1),
    ],
)
def test_the_frame_of_an_image_is_the_number_at_the_end_of_its_name(image, number):
    assert frame_number(image) == number


def test_the_points_of_two_images_are_pairs_and_not_landmarks():
    fixed = (Point("", [1, 2, 3]), Point("", None), Point("", [7, 8, 9]))
    moving = (Point("", [2, 2, 3]), Point("", [5, 5, 5]), Point("", [8, 8, 9]))
    points = PointFile(PLACE, "points", Coordinates("RAS"), dict(zip(PAIR, (fixed, moving), strict=True)))
    pairs = points.pairs(None, None)
    assert pairs.fixed.tolist() == [[-1, -2, 3], [-7, -8, 9]]
    assert pairs.moving.tolist() == [[-2, -2, 3], [-8, -8, 9]]
    assert pairs.names == ("1", "3")
    with pytest.raises(InputError, match="`landmark-tracker export` makes a list of each"):
        points.landmarks()
    with pytest.raises(InputError, match="holds the points of one image; give one file for each"):
        PointFile(PLACE, "points", Coordinates("LPS"), {"": fixed}).pairs(None, None)
