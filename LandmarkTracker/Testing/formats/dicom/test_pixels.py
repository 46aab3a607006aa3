"""Pixels in every layout come out as they went in, one frame at a time."""

import tracemalloc
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.formats.dicom.pixels import read_frame
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGBaseline8Bit

RNG = np.random.default_rng(0)
WORDS, BYTES = RNG.integers(-2000, 2000, (3, 5, 7)), RNG.integers(0, 255, (3, 5, 7)).astype(np.uint8)


def shipped(name: str) -> Path:
    """A file that comes with pydicom."""
    return Path(str(get_testdata_file(name)))


def pixels(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)[0]


@pytest.mark.parametrize("stack", [WORDS, BYTES])
def test_each_frame_is_read_alone(write, stack):
    path = write(stack, "US")
    for n in (2, 0, 1):
        assert np.array_equal(pixels(read_frame(path, n)), stack[n])


def test_a_file_that_is_replaced_is_read_anew(write):
    for value in (1, 2):
        assert pixels(read_frame(write(np.full((5, 7 + value), value), name="a.dcm")))[0, 0] == value


def test_colour_is_kept_in_a_frame_and_becomes_luminance_in_a_cine(write):
    colour = RNG.integers(0, 255, (2, 5, 7, 3)).astype(np.uint8)
    path = write(colour, "US")
    assert np.array_equal(pixels(read_frame(path, 1)), colour[1])
    np.testing.assert_allclose(pixels(open_cine(path)[1]), colour[1] @ (0.299, 0.587, 0.114), rtol=1e-5)


def big_endian(path: Path) -> None:
    """Rewrite a file with the bytes of its words turned."""
    data = pydicom.dcmread(path)
    turned = pydicom.Dataset({element.tag: element for element in data})
    for element in list(turned):
        if element.keyword == "PixelData" or element.keyword.endswith("TableData"):
            swapped = np.frombuffer(element.value, "<u2").astype(">u2").tobytes()
            turned.add_new(element.tag, "OW", swapped)
    turned.file_meta = data.file_meta
    turned.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    turned.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("stack", [WORDS, BYTES])
def test_big_endian_words_are_turned_even_where_frames_have_an_odd_length(write, stack):
    path = write(stack, "US")
    big_endian(path)
    for n in range(3):
        assert np.array_equal(pixels(read_frame(path, n)), stack[n])


def test_single_bits_are_unpacked(write):
    bits = RNG.integers(0, 2, (3, 5, 7))
    path = write(BYTES, "US", BitsAllocated=1, BitsStored=1, HighBit=0)
    data = pydicom.dcmread(path)
    data.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data.save_as(path)
    for n in range(3):
        assert np.array_equal(pixels(read_frame(path, n)), bits[n])


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -1024.0), (0.684, 200.0), (1.0, -1024.0)])
def test_stored_values_are_rescaled(write, slope, intercept):
    image = read_image(write(WORDS[0], "MR", RescaleSlope=slope, RescaleIntercept=intercept))
    np.testing.assert_allclose(pixels(image), WORDS[0] * slope + intercept)


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_implicit.dcm", "MR_small.dcm"),
        ("SC_rgb_small_odd_big_endian.dcm", "SC_rgb_small_odd.dcm"),
    ],
)
def test_every_lossless_compression_gives_the_same_pixels(name, twin):
    read = [read_frame(shipped(which)) for which in (name, twin)]
    assert np.array_equal(*map(sitk.GetArrayFromImage, read))


def compressed(path, frames, syntax=JPEG2000Lossless):
    """Replace the pixels of a file by these compressed frames."""
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = syntax
    data.NumberOfFrames = len(frames)
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    data.save_as(path)
    return path


def one_compressed_frame() -> bytes:
    data = pydicom.dcmread(shipped("MR_small_jp2klossless.dcm"))
    return next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))


def test_compressed_frames_are_read_one_by_one(tmp_path):
    path = tmp_path / "a.dcm"
    pydicom.dcmread(shipped("MR_small.dcm")).save_as(path)
    compressed(path, [one_compressed_frame()] * 3)
    expected = sitk.GetArrayFromImage(read_frame(shipped("MR_small.dcm")))
    assert np.array_equal(sitk.GetArrayFromImage(read_frame(path, 2)), expected)


def test_a_compressed_frame_that_is_cut_short_is_named(tmp_path):
    path = tmp_path / "a.dcm"
    pydicom.dcmread(shipped("MR_small.dcm")).save_as(path)
    frame = one_compressed_frame()
    compressed(path, [frame, frame[: len(frame) // 2]])
    read_frame(path, 0)
    with pytest.raises(InputError, match=r"a\.dcm: frame 1 is cut short; copy it again"):
        read_frame(path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-400])
    with pytest.raises(InputError, match=r"a\.dcm is damaged or cut short"):
        open_cine(path)
    path.write_bytes(whole)
    data = pydicom.dcmread(compressed(path, [frame]))
    data.NumberOfFrames = 2
    data.save_as(path)
    with pytest.raises(InputError, match="holds 1 of 2 frames"):
        open_cine(path)


def test_bytes_that_are_no_jpeg_are_refused(tmp_path):
    path = tmp_path / "a.dcm"
    pydicom.dcmread(shipped("MR_small.dcm")).save_as(path)
    compressed(path, [b"\xff\xd8 no picture \xff\xd9"], JPEGBaseline8Bit)
    with pytest.raises(InputError, match=r"frame 0 cannot be decoded; it is damaged, or"):
        read_image(path)


def test_a_small_file_that_states_a_huge_image_is_refused(tmp_path):
    path = tmp_path / "a.dcm"
    pydicom.dcmread(shipped("MR_small.dcm")).save_as(path)
    compressed(path, [one_compressed_frame()])
    data = pydicom.dcmread(path)
    data.Rows = data.Columns = 65535
    data.save_as(path)
    with pytest.raises(InputError, match="states 65535 x 65535 pixels but holds"):
        read_image(path)


def test_a_long_cine_needs_the_memory_of_a_frame(write):
    stack = np.zeros((400, 128, 128), np.int16)
    stack[:, 0, 0] = np.arange(400)
    cine = open_cine(write(stack, "US", FrameTime=20))
    cine[0]
    tracemalloc.start()
    assert [int(cine[t][0, 0, 0]) for t in (399, 0, 250)] == [399, 0, 250]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 2**20 < stack.nbytes


def test_a_full_temporary_folder_is_said_to_be_one(write, monkeypatch):
    path = write(WORDS[0])
    monkeypatch.setattr("tempfile.tempdir", str(path.parent / "gone"))
    with pytest.raises(InputError, match=r"the temporary folder .*gone cannot be written"):
        read_image(path)


@pytest.mark.parametrize(
    "tags",
    [
        {"BitsStored": 17, "HighBit": 16},
        {"HighBit": 3},
        {"PhotometricInterpretation": "RGB"},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"SamplesPerPixel": 2},
        {"BitsAllocated": 12},
        {"Rows": 0},
    ],
)
def test_a_layout_that_cannot_be_is_refused_before_it_is_decoded(write, tags):
    with pytest.raises(InputError, match="export it"):
        read_image(write(WORDS[0], **tags))


def colours(**tags) -> dict[str, object]:
    """A palette of 256 entries: red rises, green falls, blue stays."""
    rising = np.arange(256) * 256
    tables = {"Red": rising, "Green": rising[::-1], "Blue": np.full(256, 512)}
    return {
        "PhotometricInterpretation": "PALETTE COLOR",
        **{f"{name}PaletteColorLookupTableDescriptor": [256, 0, 16] for name in tables},
        **{
            f"{name}PaletteColorLookupTableData": table.astype("<u2").tobytes()
            for name, table in tables.items()
        },
        **tags,
    }


def segmented() -> dict[str, object]:
    """The same palette in segments."""
    lines = {
        "Red": [0, 1, 0, 1, 255, 65280],
        "Green": [0, 1, 65280, 1, 255, 0],
        "Blue": [0, 256, *[512] * 256],
    }
    return {
        **{f"{name}PaletteColorLookupTableData": None for name in lines},
        **{
            f"Segmented{name}PaletteColorLookupTableData": np.array(words, "<u2").tobytes()
            for name, words in lines.items()
        },
    }


@pytest.mark.parametrize("other", [{}, segmented()])
def test_a_palette_gives_colours_however_it_is_stored(write, other):
    image = pixels(read_frame(write(BYTES[0], "US", **colours(**other))))
    expected = np.stack([BYTES[0], 255 - BYTES[0], np.full_like(BYTES[0], 2)], -1)
    assert np.array_equal(image >> 8 if image.dtype == np.uint16 else image, expected)


def test_a_palette_of_big_endian_words_is_turned(write):
    path = write(BYTES, "US", **colours())
    expected = [pixels(read_frame(path, n)) for n in range(3)]
    big_endian(path)
    for n in range(3):
        assert np.array_equal(pixels(read_frame(path, n)), expected[n])
