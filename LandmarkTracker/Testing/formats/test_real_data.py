"""The formats on real images and landmarks, where they are."""

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image, read_landmarks, write_cine
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.geometry import Grid

pytestmark = pytest.mark.real_data


def test_every_cardiac_sequence_has_all_its_frames(real_data):
    nrrd = pytest.importorskip("nrrd")
    files = sorted((real_data / "cardiac_cine").glob("*.seq.nrrd"))
    assert len(files) == 35
    for path in files[::6]:
        cine = open_cine(path)
        data, header = nrrd.read(str(path))
        assert len(cine) == data.shape[3] == 20
        assert cine.time_unit == "ms"
        assert cine.times == [float(time) for time in header["axis 3 index values"].split()]
        assert all(np.array_equal(sitk.GetArrayFromImage(cine[t]).T, data[..., t]) for t in range(20))
        np.testing.assert_allclose(cine.grid.axes, header["space directions"][:3].T, rtol=1e-14)
        assert cine.grid.origin == tuple(header["space origin"])


def test_slicer_shows_a_cardiac_sequence_where_we_do(real_data, slicer_app):
    from vtk import vtkMatrix4x4

    path = real_data / "cardiac_cine/SCD0000101_slice03.seq.nrrd"
    cine, sequence, to_ras = open_cine(path), slicer_app.node("vtkMRMLSequenceNode"), vtkMatrix4x4()
    assert slicer_app.stored(sequence, "vtkMRMLVolumeSequenceStorageNode", path)
    assert [float(sequence.GetNthIndexValue(t)) for t in range(20)] == cine.times
    sequence.GetNthDataNode(7).GetIJKToRASMatrix(to_ras)
    for index in ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 1)):
        ras = np.array(to_ras.MultiplyPoint((*index, 1.0))[:3])
        np.testing.assert_allclose(ras * (-1, -1, 1), cine.grid.to_world(index), atol=1e-10)


def test_the_dicom_files_of_a_slice_are_its_sequence(real_data):
    """The sequence was made from these files; its times are those of its own heart beat."""
    cine = open_cine(real_data / "cardiac_cine/dicom_SCD0000301")
    assert (len(cine), cine.time_unit, cine.times[0]) == (20, "ms", 10)
    assert np.all(np.diff(cine.times) > 0)
    matching = []
    for path in sorted((real_data / "cardiac_cine").glob("SCD0000301_*.seq.nrrd")):
        sequence = open_cine(path)
        if np.array_equal(sitk.GetArrayFromImage(sequence[0]), sitk.GetArrayFromImage(cine[0])):
            matching.append(sequence)
    assert len(matching) == 1
    for t in range(20):
        frames = (sitk.GetArrayFromImage(source[t]) for source in (cine, matching[0]))
        assert np.array_equal(*frames)
    assert matching[0].grid.same_place(cine.grid)


def test_the_liver_folder_is_a_cine_of_oriented_slices(real_data):
    cine = open_cine(real_data / "liver_cine/sagittal")
    assert (len(cine), cine.time_unit) == (36, "frame")
    assert cine.grid.size == (280, 80, 1)
    assert cine.grid.spacing == (1.3125, 3.5, 1.3125)
    assert cine.grid.direction == (0, 0, -1, 1, 0, 0, 0, -1, 0)
    first = sorted((real_data / "liver_cine/sagittal").glob("*.mha"))[0]
    assert np.array_equal(sitk.GetArrayFromImage(cine[0]), sitk.GetArrayFromImage(sitk.ReadImage(str(first))))
    assert sum(1 for _ in cine) == 36


def test_a_real_cine_survives_a_round_trip(real_data, tmp_path):
    cine = open_cine(real_data / "liver_cine/sagittal")
    write_cine(tmp_path / "liver.seq.nrrd", cine)
    read = open_cine(tmp_path / "liver.seq.nrrd")
    assert read.grid == cine.grid
    assert (read.times, read.time_unit) == (cine.times, "frame")
    for a, b in zip(read, cine, strict=True):
        assert np.array_equal(sitk.GetArrayFromImage(a), sitk.GetArrayFromImage(b))


def test_ct_volumes_are_images_and_no_cines(real_data):
    for path in sorted((real_data / "ct_volumes").glob("*.nii.gz")):
        image = read_image(path)
        assert Grid.of(image) == Grid.of(sitk.ReadImage(str(path)))
        with pytest.raises(InputError, match="is one 3D volume, not a cine"):
            open_cine(path)
    assert describe_file(path)[0] == "volume"


def test_every_skull_has_its_45_landmarks_on_its_volume(real_data):
    files = sorted((real_data / "mouse_skull").glob("*.mrk.json"))
    assert len(files) == 23
    for path in files:
        landmarks = read_landmarks(path)
        controls = json.loads(path.read_text())["markups"][0]["controlPoints"]
        assert landmarks.names == tuple(control["label"] for control in controls)
        assert landmarks.positions.tolist() == [control["position"] for control in controls]
        assert len(landmarks) == 45
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path).replace(".mrk.json", ".nii.gz"))
        reader.ReadImageInformation()
        grid = Grid(reader.GetSize(), reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection())
        assert grid.contains(landmarks.positions).mean() > 0.9


def test_photographs_and_films_are_images_of_one_slice(real_data):
    files = [
        *sorted((real_data / "chest_xray").glob("*.png"))[:3],
        *sorted((real_data / "hand_xray").glob("*.mha"))[:1],
    ]
    for path in files:
        assert read_image(path).GetSize()[2] == 1
        assert re.match("image of one slice", describe_file(path)[0])
