import gzip
import os
import tracemalloc
from pathlib import Path

import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.seq_nrrd import read_cine, write_cine
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine

STORAGE = "vtkMRMLVolumeSequenceStorageNode"
# Slicer takes index values that differ by less than 0.001 for one.
TIMES = [100 / 3, 40.5, 1e3, 1000.0100000000001]


@pytest.fixture
def cine(volume) -> Cine:
    """Four oblique volumes at times that no short decimal holds."""
    return Cine(TIMES, volume, Grid.of(volume()), "beating", "ms")


def pixels(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


def write_by_hand(path: Path, header: str, data: bytes) -> Path:
    path.write_bytes(b"NRRD0005\n" + header.encode() + b"\n\n" + data)
    return path


@pytest.mark.parametrize("compress", [True, False])
def test_a_round_trip_keeps_pixels_geometry_and_times_to_the_last_digit(tmp_path, cine, compress):
    path = tmp_path / "beating.seq.nrrd"
    write_cine(path, cine, compress=compress)
    read = read_cine(path)
    assert (read.times, read.time_unit, read.name) == (TIMES, "ms", "beating")
    assert read.grid == cine.grid
    for t in range(4):
        assert read[t].GetPixelID() == sitk.sitkInt16
        assert np.array_equal(pixels(read[t]), pixels(cine[t]))
        assert Grid.of(read[t]) == cine.grid


@pytest.mark.parametrize("compress", [True, False])
def test_slicer_loads_what_is_written(tmp_path, cine, slicer_app, compress):
    from vtk import vtkMatrix4x4
    from vtk.util.numpy_support import vtk_to_numpy

    write_cine(tmp_path / "beating.seq.nrrd", cine, compress=compress)
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    assert slicer_app.stored(sequence, STORAGE, tmp_path / "beating.seq.nrrd")
    assert (sequence.GetIndexName(), sequence.GetIndexUnit()) == ("time", "ms")
    assert [float(sequence.GetNthIndexValue(t)) for t in range(4)] == TIMES
    to_ras = vtkMatrix4x4()
    for t in range(4):
        node = sequence.GetNthDataNode(t)
        shown = vtk_to_numpy(node.GetImageData().GetPointData().GetScalars())
        assert np.array_equal(shown.reshape(3, 5, 7), pixels(cine[t]))
        node.GetIJKToRASMatrix(to_ras)
        for index in np.eye(4)[:, :3]:
            ras = to_ras.MultiplyPoint((*index, 1.0))[:3]
            np.testing.assert_allclose(ras * np.array([-1, -1, 1]), cine.grid.to_world(index), atol=1e-13)


def test_what_slicer_writes_is_read(tmp_path, cine, slicer_app):
    write_cine(tmp_path / "a.seq.nrrd", cine)
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    slicer_app.stored(sequence, STORAGE, tmp_path / "a.seq.nrrd")
    assert slicer_app.stored(sequence, STORAGE, tmp_path / "b.seq.nrrd", write=True)
    read = read_cine(tmp_path / "b.seq.nrrd")
    assert (read.times, read.time_unit) == (TIMES, "ms")
    assert all(np.array_equal(pixels(read[t]), pixels(cine[t])) for t in range(4))
    np.testing.assert_allclose(read.grid.to_world(np.eye(3)), cine.grid.to_world(np.eye(3)), atol=1e-13)


def test_pynrrd_reads_what_is_written(tmp_path, cine):
    write_cine(tmp_path / "a.seq.nrrd", cine)
    data, header = nrrd.read(str(tmp_path / "a.seq.nrrd"))
    assert data.shape == (7, 5, 3, 4)
    assert np.array_equal(data[..., 2].T, pixels(cine[2]))
    np.testing.assert_allclose(header["space directions"][:3].T, cine.grid.axes, rtol=1e-15)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
)
def test_every_type_of_pixel_is_written_as_slicer_and_pynrrd_name_it(tmp_path, volume, slicer_app, dtype):
    from vtk.util.numpy_support import vtk_to_numpy

    frames = [volume(0, dtype=dtype), volume(0, dtype=dtype) + 3]
    path = tmp_path / "a.seq.nrrd"
    write_cine(path, Cine.of(frames))
    assert np.array_equal(pixels(read_cine(path)[1]), pixels(frames[1]))
    assert read_cine(path)[1].GetPixelID() == frames[1].GetPixelID()
    data, _ = nrrd.read(str(path))
    assert data.dtype == dtype
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    assert slicer_app.stored(sequence, STORAGE, path)
    shown = sequence.GetNthDataNode(1).GetImageData().GetPointData().GetScalars()
    assert np.array_equal(vtk_to_numpy(shown).reshape(3, 5, 7), pixels(frames[1]))


@pytest.mark.parametrize("encoding", ["gzip", "raw"])
@pytest.mark.parametrize("first", [True, False])
def test_frames_are_found_on_the_first_axis_and_on_the_last(tmp_path, encoding, first):
    data = np.random.default_rng(0).integers(0, 999, (4, 7, 5, 3)).astype(np.uint16)
    vectors = [[np.nan] * 3, [1, 0, 0], [0, 2, 0], [0, 0, 3]]
    kinds = ["list", "domain", "domain", "domain"]
    header = {"kinds": kinds, "space": "left-posterior-superior", "space directions": np.array(vectors)}
    header |= {"space origin": [1, 2, 3], "encoding": encoding, "axis 0 index values": "0 0.5 1 1.5"}
    stored = data
    if not first:
        stored = np.moveaxis(data, 0, -1)
        header |= {"kinds": kinds[1:] + kinds[:1], "space directions": np.array(vectors[1:] + vectors[:1])}
        header["axis 3 index values"] = header.pop("axis 0 index values")
    nrrd.write(str(tmp_path / "a.seq.nrrd"), stored, header)
    read = read_cine(tmp_path / "a.seq.nrrd")
    assert read.times == [0, 0.5, 1, 1.5]
    assert read.grid == Grid((7, 5, 3), (1, 2, 3), (1, 2, 3), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert all(np.array_equal(pixels(read[t]).T, data[t]) for t in range(4))


@pytest.mark.parametrize("space", ["right-anterior-superior", "RAS"])
def test_ras_becomes_lps(tmp_path, space):
    header = (
        f"type: uchar\ndimension: 4\nspace: {space}\nsizes: 2 2 1 2\nkinds: domain domain domain list\n"
        "space directions: (0,2,0) (-3,0,0) (0,0,4) none\nspace origin: (10,20,30)\nencoding: raw"
    )
    read = read_cine(write_by_hand(tmp_path / "a.seq.nrrd", header, bytes(range(8))))
    assert read.grid.origin == (-10, -20, 30)
    assert read.grid.to_world((1, 0, 0)).tolist() == [-10, -22, 30]
    assert read.grid.to_world((0, 1, 0)).tolist() == [-7, -20, 30]
    assert pixels(read[1]).tolist() == [[[4, 5], [6, 7]]]


def test_a_2d_sequence_without_geometry_has_spacing_1_and_origin_0(tmp_path):
    header = "type: short\ndimension: 3\nsizes: 2 3 2\nkinds: domain domain time\nendian: big\nencoding: raw"
    data = np.arange(12, dtype=">i2").tobytes()
    read = read_cine(write_by_hand(tmp_path / "a.nrrd", header, data))
    assert read.grid == Grid((2, 3, 1), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert (read.times, read.time_unit) == ([0, 1], "frame")
    assert pixels(read[1]).ravel().tolist() == [6, 7, 8, 9, 10, 11]


def test_a_slice_in_space_keeps_its_orientation(tmp_path):
    header = (
        "type: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 2 2\nkinds: domain domain list\n"
        "space directions: (0,1.5,0) (0,0,-2) none\nspace origin: (5,6,7)\nencoding: raw"
    )
    read = read_cine(write_by_hand(tmp_path / "a.nrrd", header, bytes(8)))
    assert read.grid.spacing == (1.5, 2, 1)
    assert read.grid.to_world((1, 1, 0)).tolist() == [5, 7.5, 5]
    assert read.grid.to_world((0, 0, 1)).tolist() == [4, 6, 7]


def test_a_4d_image_of_itk_has_its_times_on_the_fourth_axis(tmp_path):
    image = sitk.GetImageFromArray(np.arange(120, dtype=np.float32).reshape(5, 2, 3, 4), isVector=False)
    image.SetSpacing((1.1, 2.2, 3.3, 0.25))
    image.SetOrigin((1.0, 2.0, 3.0, 10.0))
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    read = read_cine(tmp_path / "a.nrrd")
    assert read.times == [10, 10.25, 10.5, 10.75, 11]
    assert read.time_unit == "unstated"
    assert read.grid.spacing == (1.1, 2.2, 3.3)
    assert read.grid.origin == (1, 2, 3)
    assert np.array_equal(pixels(read[3]), pixels(image)[3])


def test_colour_becomes_brightness(tmp_path):
    data = np.zeros((3, 2, 2, 1, 2), np.uint8)
    data[:, 1, 0, 0, 1] = (10, 20, 30)
    kinds = ["RGB-color", "domain", "domain", "domain", "list"]
    nrrd.write(str(tmp_path / "a.seq.nrrd"), data, {"kinds": kinds, "encoding": "gzip"})
    read = read_cine(tmp_path / "a.seq.nrrd")
    assert read[1][1, 0, 0] == pytest.approx(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert read[1].GetSize() == (2, 2, 1)


def test_a_detached_header_finds_its_data(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"head" + bytes(range(8)))
    header = "type: uchar\ndimension: 4\nsizes: 2 2 1 2\nkinds: domain domain domain list\nencoding: raw\n"
    path = tmp_path / "a.seq.nhdr"
    path.write_text("NRRD0005\n" + header + "byte skip: 4\ndata file: a.raw\n")
    assert pixels(read_cine(path)[1]).ravel().tolist() == [4, 5, 6, 7]
    path.write_text("NRRD0005\n" + header + "byte skip: -1\ndata file: a.raw\n")
    assert pixels(read_cine(path)[1]).ravel().tolist() == [4, 5, 6, 7]
    (tmp_path / "a.raw").unlink()
    with pytest.raises(InputError, match=r"a\.raw does not exist"):
        read_cine(path)[0]


def test_a_thousand_frames_need_the_memory_of_one(tmp_path):
    frame = sitk.GetImageFromArray(np.zeros((1, 256, 256), np.uint8))
    path = tmp_path / "long.seq.nrrd"
    tracemalloc.start()
    write_cine(path, Cine(range(1000), lambda t: frame, Grid.of(frame), "long"))
    read = read_cine(path)
    assert sum(1 for _ in read) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20 < 1000 * 256 * 256


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's account of memory")
def test_what_was_read_does_not_stay_mapped(tmp_path):
    frame = sitk.GetImageFromArray(np.ones((1, 512, 512), np.int16))
    path = tmp_path / "long.seq.nrrd"
    write_cine(path, Cine(range(400), lambda t: frame, Grid.of(frame), "long"), compress=False)
    read = read_cine(path)
    read[0]

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    for _ in read:
        pass
    assert resident() - before < 20 * 2**20 < path.stat().st_size


def test_unpacked_frames_leave_no_file_behind(tmp_path, cine, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    write_cine(tmp_path / "a.seq.nrrd", cine)
    read_cine(tmp_path / "a.seq.nrrd")[0]
    assert list((tmp_path / "scratch").iterdir()) == []


GOOD = "type: uchar\ndimension: 4\nsizes: 2 2 1 2\nkinds: domain domain domain list\nencoding: raw"


@pytest.mark.parametrize(
    ("header", "data", "answer"),
    [
        (GOOD, bytes(7), "is cut short: it should hold 8 bytes"),
        (GOOD.replace("raw", "gzip"), gzip.compress(bytes(8), mtime=0)[:-9], "is damaged or cut short"),
        (GOOD.replace("raw", "gzip"), b"not gzip", "is damaged or cut short"),
        (GOOD.replace("raw", "gzip"), gzip.compress(bytes(7), mtime=0), "is cut short"),
        (GOOD.replace("raw", "ascii"), b"0 1 2 3 4 5 6 7", "is encoded as ascii; save it as raw or gzip"),
        (GOOD.replace("uchar", "block"), bytes(8), "pixels of type 'block'"),
        (GOOD + "\ndata file: LIST", bytes(8), "spreads its pixels over several files"),
    ],
)
def test_pixels_that_cannot_be_read_are_named_with_the_remedy(tmp_path, header, data, answer):
    path = write_by_hand(tmp_path / "a.seq.nrrd", header, data)
    with pytest.raises(InputError, match=answer) as raised:
        read_cine(path)[0]
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("", "damaged or incomplete NRRD header"),
        (GOOD.replace("sizes: 2 2 1 2", "sizes: 2 two"), "damaged or incomplete NRRD header"),
        (GOOD.replace("type: uchar\n", ""), "damaged or incomplete NRRD header"),
        (GOOD + "\naxis 3 index values:=0 1 2", "states 3 times for 2 frames"),
        (GOOD + "\naxis 3 index values:=0 x", "an index value that is no number"),
        (GOOD + "\nspace directions: (1,0,0) (1,0,0) (0,0,1) none", "span no volume"),
        (GOOD + "\nspace directions: (1,0,0) (0,0,0) (0,0,1) none", "span no volume"),
        (
            GOOD.replace("domain domain domain", "domain vector matrix"),
            "has 4 axes; a cine has 2 or 3 in space",
        ),
        (GOOD.replace("2 2 1 2", "2 2 2").replace("domain list", "domain"), "is one image, not a cine"),
    ],
)
def test_a_header_that_cannot_be_used_is_named_with_the_remedy(tmp_path, header, answer):
    with pytest.raises(InputError, match=answer) as raised:
        read_cine(write_by_hand(tmp_path / "a.seq.nrrd", header, bytes(8)))
    assert "a.seq.nrrd" in str(raised.value)


def test_another_format_is_not_taken_for_nrrd(tmp_path):
    (tmp_path / "a.seq.nrrd").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match="is not a NRRD file"):
        read_cine(tmp_path / "a.seq.nrrd")


def test_frames_of_another_type_or_grid_are_refused_and_nothing_is_written(tmp_path, volume):
    path = tmp_path / "a.seq.nrrd"
    frames = [volume(0), volume(1, dtype="float32")]
    with pytest.raises(InputError, match="frame 1 holds float32, frame 0 int16; cast them to one"):
        write_cine(path, Cine.of(frames))
    with pytest.raises(InputError, match="frame 1 has size"):
        write_cine(path, Cine.of([volume(0), volume(1, size=(6, 5, 3))]))
    with pytest.raises(InputError, match="holds int64, which Slicer does not read in a sequence; cast it"):
        write_cine(path, Cine.of([volume(0, dtype="int64")]))
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_is_named_as_one_and_never_overwritten_unasked(tmp_path, cine):
    with pytest.raises(InputError, match=r"end it with \.seq\.nrrd"):
        write_cine(tmp_path / "a.nrrd", cine)
    write_cine(tmp_path / "a.seq.nrrd", cine)
    with pytest.raises(InputError, match="add --overwrite"):
        write_cine(tmp_path / "a.seq.nrrd", cine)
