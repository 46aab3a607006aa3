import gzip
import struct
import tracemalloc

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import is_calibrated, notes_of

VOLUMES = ["a.mha", "a.mhd", "a.nrrd", "a.nhdr", "a.nii", "a.nii.gz"]
CINES = ["a.mha", "a.mhd", "a.nrrd", "a.nii", "a.nii.gz"]


def pixels(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


@pytest.fixture
def image_4d(volume) -> sitk.Image:
    """Five oblique volumes, one every 40 from 100 on."""
    image = sitk.JoinSeries([volume(t) for t in range(5)], 100.0, 40.0)
    direction = np.eye(4)
    direction[:3, :3] = np.array(volume().GetDirection()).reshape(3, 3)
    image.SetDirection(direction.ravel())
    return image


def cut(path, share):
    """Keep only a part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("name", VOLUMES)
def test_a_volume_keeps_its_pixels_and_geometry(tmp_path, volume, name, compress):
    sitk.WriteImage(volume(), str(tmp_path / name), compress)
    read = read_image(tmp_path / name)
    assert np.array_equal(pixels(read), pixels(volume()))
    # NIfTI holds geometry in single precision.
    digits = 1e-6 if ".nii" in name else 1e-15
    grid, expected = Grid.of(read), Grid.of(volume())
    np.testing.assert_allclose(grid.axes, expected.axes, rtol=digits, atol=digits)
    np.testing.assert_allclose(grid.origin, expected.origin, rtol=digits)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("name", CINES)
def test_a_4d_file_is_read_frame_by_frame(tmp_path, volume, image_4d, name, compress):
    sitk.WriteImage(image_4d, str(tmp_path / name), compress)
    cine = open_cine(tmp_path / name)
    assert list(cine.times) == [100, 140, 180, 220, 260]
    # What SimpleITK writes as NIfTI states seconds; the other formats cannot state a unit.
    assert cine.time_unit == ("s" if ".nii" in name else "unstated")
    digits = 1e-6 if ".nii" in name else 1e-15
    np.testing.assert_allclose(cine.grid.axes, Grid.of(volume()).axes, rtol=digits, atol=digits)
    for t in (4, 0, 2):
        assert np.array_equal(pixels(cine[t]), pixels(volume(t)))
        assert Grid.of(cine[t]).same_place(cine.grid)
    np.testing.assert_allclose(Grid.of(cine[3]).axes, cine.grid.axes, rtol=1e-15)


@pytest.mark.parametrize("name", CINES)
def test_a_cine_of_slices_is_a_4d_file_with_one_pixel_of_depth(tmp_path, volume, name):
    slices = [volume(t, size=(7, 5, 1)) for t in range(3)]
    sitk.WriteImage(sitk.JoinSeries(slices), str(tmp_path / name))
    cine = open_cine(tmp_path / name)
    assert cine.grid.is_slice
    assert all(np.array_equal(pixels(cine[t]), pixels(slices[t])) for t in range(3))


@pytest.mark.parametrize(
    ("code", "unit", "times"),
    [(8, "s", [0.5, 0.54, 0.58]), (16, "ms", [0.5, 0.54, 0.58]), (24, "us", [0.5, 0.54, 0.58])],
)
def test_nifti_states_its_unit_of_time(tmp_path, volume, code, unit, times):
    path = tmp_path / "a.nii"
    sitk.WriteImage(sitk.JoinSeries([volume(t) for t in range(3)], 0.5, 0.04), str(path))
    header = bytearray(path.read_bytes())
    header[123] = 2 + code
    path.write_bytes(header)
    cine = open_cine(path)
    assert cine.time_unit == unit
    np.testing.assert_allclose(cine.times, times, rtol=1e-15)


def test_a_nifti_without_times_counts_frames(tmp_path, volume):
    path = tmp_path / "a.nii.gz"
    sitk.WriteImage(sitk.JoinSeries([volume(t) for t in range(3)]), str(path))
    header = bytearray(gzip.decompress(path.read_bytes()))
    header[123] = 2
    header[92:96] = struct.pack("<f", 0.0)
    path.write_bytes(gzip.compress(header))
    assert (list(open_cine(path).times), open_cine(path).time_unit) == ([0, 1, 2], "frame")


def test_the_pages_of_a_tiff_are_frames(tmp_path):
    stack = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    sitk.WriteImage(sitk.GetImageFromArray(stack), str(tmp_path / "a.tif"))
    cine = open_cine(tmp_path / "a.tif")
    assert (list(cine.times), cine.time_unit) == ([0, 1, 2, 3], "frame")
    assert cine.grid.size == (3, 2, 1)
    assert all(np.array_equal(pixels(cine[t])[0], stack[t]) for t in range(4))


@pytest.mark.parametrize("name", ["a.png", "a.mha", "a.nii.gz"])
def test_an_image_without_geometry_has_spacing_1_and_origin_0(tmp_path, name):
    flat = sitk.GetImageFromArray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    sitk.WriteImage(flat, str(tmp_path / name))
    read = read_image(tmp_path / name)
    assert Grid.of(read) == Grid((3, 2, 1), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert pixels(read)[0].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("name", CINES)
def test_a_4d_file_with_one_frame_is_an_image_and_no_cine(tmp_path, volume, name):
    sitk.WriteImage(sitk.JoinSeries([volume()]), str(tmp_path / name))
    assert np.array_equal(pixels(read_image(tmp_path / name)), pixels(volume()))
    with pytest.raises(InputError, match=r"holds one frame; a cine has two frames or more"):
        open_cine(tmp_path / name)


@pytest.mark.parametrize("name", [*VOLUMES, "a.tif", "a.png", "a.dcm"])
def test_one_image_given_as_a_cine_is_said_to_be_one(tmp_path, volume, name):
    flat = sitk.GetImageFromArray(np.zeros((5, 7), np.uint8))
    image = volume() if name in VOLUMES else flat
    sitk.WriteImage(image, str(tmp_path / name))
    with pytest.raises(InputError, match=r"is one .*, not a cine; give a \.seq\.nrrd, a 4D file or a folder"):
        open_cine(tmp_path / name)


@pytest.mark.parametrize("name", CINES)
def test_a_cine_given_as_an_image_is_said_to_be_one(tmp_path, image_4d, name):
    sitk.WriteImage(image_4d, str(tmp_path / name))
    with pytest.raises(InputError, match="is a cine of 5 frames; give one image"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nii", "a.nii.gz", "a.png", "a.jpg", "a.tif", "a.dcm"])
def test_an_image_that_is_empty_or_cut_short_is_named(tmp_path, name, share, compress):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(noise), str(tmp_path / name), compress)
    cut(tmp_path / name, share)
    with pytest.raises(InputError, match=r"empty|cut short|damaged|not an image") as raised:
        read_image(tmp_path / name)
    assert name in str(raised.value)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nii", "a.nii.gz"])
def test_a_cine_that_is_empty_or_cut_short_is_named(tmp_path, name, share, compress):
    noise = np.random.default_rng(0).integers(0, 999, (6, 1, 32, 32)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(noise, isVector=False), str(tmp_path / name), compress)
    cut(tmp_path / name, share)

    def read_all():
        return list(open_cine(tmp_path / name))

    with pytest.raises(InputError, match=r"empty|cut short|damaged|NRRD") as raised:
        read_all()
    assert name in str(raised.value)


def test_a_metaimage_without_its_pixels_is_named(tmp_path, volume):
    sitk.WriteImage(volume(), str(tmp_path / "a.mhd"))
    (tmp_path / "a.raw").unlink()
    with pytest.raises(InputError, match=r"a\.raw does not exist"):
        read_image(tmp_path / "a.mhd")


@pytest.mark.parametrize("name", ["a.mha", "a.nii.gz"])
def test_a_compressed_cine_is_unpacked_block_by_block(tmp_path, name):
    array = np.zeros((500, 1, 128, 128), np.int16)
    array[:, 0, 0, 0] = np.arange(500)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=False), str(tmp_path / name), True)
    cine = open_cine(tmp_path / name)
    tracemalloc.start()
    assert [int(cine[t][0, 0, 0]) for t in (499, 0, 250)] == [499, 0, 250]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 2**20 < array.nbytes


def test_what_is_unpacked_goes_with_the_cine(tmp_path, image_4d, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    sitk.WriteImage(image_4d, str(tmp_path / "a.nii.gz"))
    cine = open_cine(tmp_path / "a.nii.gz")
    cine[0]
    assert [path.name for path in scratch.glob("*/*")] == ["a.nii"]
    del cine
    assert list(scratch.iterdir()) == []
    read_image_of_one = sitk.JoinSeries([image_4d[:, :, :, 0]])
    sitk.WriteImage(read_image_of_one, str(tmp_path / "b.nii.gz"))
    read_image(tmp_path / "b.nii.gz")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_a_picture_without_a_pixel_size_is_not_calibrated(tmp_path, name):
    for folder in ("one", "frames"):
        (tmp_path / folder).mkdir()
    flat = sitk.GetImageFromArray(np.zeros((5, 7), np.uint8))
    sitk.WriteImage(flat, str(tmp_path / "one" / name))
    image = read_image(tmp_path / "one" / name)
    np.testing.assert_allclose(image.GetSpacing(), 1, atol=1e-6)
    assert not is_calibrated(image)
    for frame in range(2):
        sitk.WriteImage(flat, str(tmp_path / "frames" / f"{frame}-{name}"))
    cine = open_cine(tmp_path / "frames")
    assert (cine.calibrated, cine.length_unit) == (False, "px")
    assert "spacing: not calibrated" in "\n".join(describe_file(tmp_path / "frames"))


def test_a_print_resolution_is_said_to_be_one(tmp_path):
    flat = sitk.GetImageFromArray(np.zeros((5, 7), np.uint8))
    flat.SetSpacing((0.254, 0.254))
    sitk.WriteImage(flat, str(tmp_path / "a.tif"))
    image = read_image(tmp_path / "a.tif")
    assert is_calibrated(image)
    assert notes_of(image) == ("spacing from the print resolution (100 dpi), not from the scanner",)


def test_a_file_with_geometry_is_calibrated(tmp_path, volume):
    sitk.WriteImage(volume(), str(tmp_path / "a.mha"))
    assert is_calibrated(read_image(tmp_path / "a.mha"))
