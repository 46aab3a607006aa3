import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import (
    Cine,
    annotated,
    as_volume,
    is_calibrated,
    is_constant,
    notes_of,
    pixels,
    with_spacing,
)


def image_of(array, vector: bool = False) -> sitk.Image:
    return sitk.GetImageFromArray(np.asarray(array), isVector=vector)


def test_a_2d_image_becomes_one_slice_at_its_place():
    flat = image_of(np.arange(6, dtype=np.int16).reshape(2, 3))
    flat.SetSpacing((0.5, 2.0))
    flat.SetOrigin((10.0, -4.0))
    volume = as_volume(flat)
    assert Grid.of(volume) == Grid((3, 2, 1), (0.5, 2, 1), (10, -4, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert volume.GetPixelID() == sitk.sitkInt16
    assert sitk.GetArrayFromImage(volume)[0].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_becomes_luminance_and_keeps_the_geometry(channels):
    colour = np.zeros((2, 2, 2, channels), np.uint8)
    colour[1, 0, 1, :3] = (100, 200, 50)
    image = image_of(colour, vector=True)
    image.SetOrigin((1.0, 2.0, 3.0))
    grey = as_volume(image)
    assert grey.GetNumberOfComponentsPerPixel() == 1
    assert grey.GetOrigin() == (1, 2, 3)
    assert grey[1, 0, 1] == pytest.approx(0.299 * 100 + 0.587 * 200 + 0.114 * 50)
    assert grey[0, 0, 0] == 0


def test_an_image_of_two_parts_shows_the_first():
    image = image_of(np.dstack([np.full((2, 2), 7.0), np.full((2, 2), 9.0)]), vector=True)
    assert as_volume(image)[0, 0, 0] == 7


def test_a_volume_is_left_as_it_is():
    volume = image_of(np.zeros((2, 3, 4), np.float64))
    assert as_volume(volume) is volume


def test_four_axes_are_no_image():
    with pytest.raises(InputError, match="an image with 4 axes is not one frame; open it as a cine"):
        as_volume(image_of(np.zeros((2, 2, 2, 2), np.uint8)))


def test_pixels_that_are_no_numbers_become_background():
    array = np.array([[[1.0, np.nan], [np.inf, -np.inf]], [[5.0, 6.0], [7.0, 8.0]]])
    assert pixels(image_of(array))[0].tolist() == [[1, 1], [1, 1]]
    assert pixels(image_of(array))[1].tolist() == [[5, 6], [7, 8]]
    with pytest.raises(InputError, match="holds no finite number; check how it was exported"):
        pixels(image_of(np.full((1, 2, 2), np.nan)))


@pytest.mark.parametrize(
    ("array", "constant"),
    [
        (np.full((1, 2, 2), 7), True),
        (np.array([[[7.0, np.nan], [7.0, np.inf]]]), True),
        (np.full((1, 2, 2), np.nan), True),
        (np.array([[[7, 7], [7, 8]]]), False),
        (np.array([[[7.0, np.nan], [7.0, 7.5]]]), False),
    ],
)
def test_an_image_in_which_nothing_can_be_seen_is_constant(array, constant):
    assert is_constant(image_of(array)) is constant


def test_a_cine_reads_a_frame_when_it_is_asked_for_it():
    read = []

    def frame(t: int) -> sitk.Image:
        read.append(t)
        return image_of(np.full((1, 2, 3), t))

    cine = Cine([0.0, 40.0, 80.0], frame, Grid.of(image_of(np.zeros((1, 2, 3)))), "heart", "ms")
    assert len(cine) == 3
    assert read == []
    assert cine[2][0, 0, 0] == 2
    assert cine[-1][0, 0, 0] == 2
    assert read == [2, 2]
    assert [image[0, 0, 0] for image in cine] == [0, 1, 2]
    with pytest.raises(IndexError, match="heart has frames 0 to 2, not 3"):
        cine[3]


def test_frames_in_memory_are_a_cine_that_counts_them():
    cine = Cine.of([image_of(np.full((2, 3), t, np.uint8)) for t in range(4)])
    assert (list(cine.times), cine.time_unit) == ([0, 1, 2, 3], "frame")
    assert cine[3].GetSize() == (3, 2, 1)
    assert cine[3][0, 0, 0] == 3


def test_a_frame_of_another_size_or_place_is_refused():
    good = image_of(np.zeros((1, 4, 5), np.uint8))
    larger = image_of(np.zeros((1, 4, 6), np.uint8))
    moved, finer = sitk.Image(good), sitk.Image(good)
    moved.SetOrigin((0.0, 0.5, 0.0))
    finer.SetSpacing((0.9, 1.0, 1.0))
    cine = Cine.of([good, larger, moved, finer], "heart")
    with pytest.raises(InputError, match=r"frame 1 has size \(6, 4, 1\) where frame 0 has \(5, 4, 1\)"):
        cine[1]
    for frame in (2, 3):
        with pytest.raises(InputError, match=f"frame {frame} has another position, spacing or orientation"):
            cine[frame]


def test_an_image_carries_what_its_reader_understood():
    colour = annotated(image_of(np.zeros((2, 2, 3)), vector=True), ("first",), calibrated=False)
    grey = as_volume(annotated(colour, ("second", "first")))
    assert notes_of(grey) == ("first", "second")
    assert not is_calibrated(grey)
    assert is_calibrated(image_of(np.zeros((2, 2, 2))))
    cine = Cine.of([grey, grey])
    assert (cine.notes, cine.calibrated, cine.length_unit) == (("first", "second"), False, "px")
    assert not is_calibrated(cine[1])


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
def test_a_file_of_an_annotated_image_is_whole_and_still_not_calibrated(tmp_path, name):
    image = annotated(image_of(np.ones((2, 3, 4), np.uint8)), ("first: a = b", "second"), calibrated=False)
    sitk.WriteImage(image, str(tmp_path / name))
    read = sitk.ReadImage(str(tmp_path / name))
    assert (sitk.GetArrayFromImage(read) == 1).all()
    assert not is_calibrated(read)


@pytest.mark.parametrize(
    ("given", "spacing"), [([0.5], (0.5, 0.5, 0.5)), ([0.5, 2], (0.5, 2, 1)), ([1, 2, 3], (1, 2, 3))]
)
def test_a_user_calibrates_an_image_or_a_cine(given, spacing):
    image = annotated(image_of(np.zeros((1, 2, 3))), calibrated=False)
    for calibrated in (with_spacing(image, given), Cine.of([image]).with_spacing(given)[0]):
        assert calibrated.GetSpacing() == spacing
        assert is_calibrated(calibrated)
        assert "as given by the user" in notes_of(calibrated)[-1]
    cine = Cine.of([image]).with_spacing(given)
    assert (cine.grid.spacing, cine.length_unit) == (spacing, "mm")
    assert (image.GetSpacing(), is_calibrated(image)) == ((1, 1, 1), False)


@pytest.mark.parametrize("given", [[], [0], [1, -1], [float("nan")], [1, 1, 1, 1]])
def test_a_spacing_that_is_none_is_refused(given):
    with pytest.raises(InputError, match="give one to three numbers above 0"):
        with_spacing(image_of(np.zeros((1, 2, 3))), given)
