"""Nothing outside the data folder is reached, whatever a browser asks for."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine
from LandmarkTrackerLib.web.data_root import DataRoot, safe_name


@pytest.fixture
def outside(tmp_path):
    """A folder that must not be reached, with a secret in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.nrrd").write_text("secret")
    return folder


@pytest.fixture
def root(tmp_path, outside):
    folder = tmp_path / "data"
    (folder / "cines").mkdir(parents=True)
    for name in ("cines/b10.seq.nrrd", "cines/b2.seq.nrrd", "cines/b2.mrk.json", "notes.txt", ".hidden.nrrd"):
        (folder / name).write_text("")
    (folder / "link").symlink_to(outside)
    (folder / "cines" / "link.nrrd").symlink_to(outside / "secret.nrrd")
    return DataRoot(folder)


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret.nrrd",
        "cines/../../outside",
        "cines\\..\\..\\outside",
        "/etc/passwd",
        "\\\\server\\share",
        "C:/windows",
        "cines/\0",
        "..",
    ],
)
def test_a_path_that_leads_outside_is_refused(root, path):
    with pytest.raises(InputError, match="outside the data folder"):
        root.find(path)


@pytest.mark.parametrize("path", ["link/secret.nrrd", "link", "cines/link.nrrd", "./cines//link.nrrd"])
def test_a_symbolic_link_is_refused_and_not_listed(root, path):
    with pytest.raises(InputError, match="symbolic link"):
        root.find(path)
    assert not any("link" in entry.name for entry in root.entries("") + root.entries("cines"))


def test_what_is_inside_is_found_and_listed_as_people_count(root):
    assert root.find("cines/b2.seq.nrrd") == root.folder / "cines" / "b2.seq.nrrd"
    assert root.find("") == root.folder
    assert [(entry.name, entry.kind) for entry in root.entries("")] == [("cines", "folder")]
    listed = [(entry.path, entry.kind) for entry in root.entries("cines")]
    assert listed == [
        ("cines/b2.seq.nrrd", "image"),
        ("cines/b10.seq.nrrd", "image"),
        ("cines/b2.mrk.json", "landmarks"),
    ]


def test_a_folder_to_write_into_need_not_exist_yet(root):
    assert root.find("results/p01") == root.folder / "results" / "p01"


def test_files_of_the_command_line_must_lie_inside(root, outside):
    assert root.relative(root.folder / "cines") == "cines"
    with pytest.raises(InputError, match="not inside the data folder"):
        root.relative(outside / "secret.nrrd")


def test_a_root_that_is_no_folder_is_refused(outside):
    with pytest.raises(InputError, match="is not a folder"):
        DataRoot(outside / "secret.nrrd")


def test_an_upload_keeps_its_name_and_loses_its_folder():
    assert safe_name("../../etc/cine.seq.nrrd") == "cine.seq.nrrd"
    assert safe_name("C:\\images\\cine.nii.gz") == "cine.nii.gz"
    for name in ("", "..", ".bashrc", "a:b.nrrd", "folder/", "a\n.nrrd"):
        with pytest.raises(InputError, match="cannot be uploaded"):
            safe_name(name)


def test_a_dicom_folder_with_several_cines_offers_each(root):
    folder = root.folder / "dicom"
    folder.mkdir()
    for n in range(6):
        image = sitk.GetImageFromArray(np.full((1, 5, 7), n, np.int16))
        image.SetOrigin((0.0, 0.0, 10.0 * (n % 2)))
        tags = {"0008|0060": "MR", "0020|000e": "1.2.3", "0008|103e": "SA", "0018|1060": 50 * (n // 2)}
        for key, value in (tags | {"0008|0018": f"1.2.3.4.{n + 1}"}).items():
            image.SetMetaData(key, str(value))
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{n}.dcm"))
        writer.Execute(image)
    slices = [entry for entry in root.entries("dicom") if entry.kind == "slice"]
    assert [(entry.name, entry.path) for entry in slices] == [
        ("SA", "dicom"),
        ("SA/slice 01", "dicom"),
        ("SA/slice 02", "dicom"),
    ]
    assert [len(open_cine(root.find(entry.path), entry.name)) for entry in slices] == [3, 3, 3]


def test_the_root_itself_may_be_reached_through_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "heart.nrrd").touch()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    root = DataRoot(tmp_path / "home")
    assert root.relative(tmp_path / "home" / "heart.nrrd") == "heart.nrrd"
    assert root.relative(tmp_path / "disk" / "heart.nrrd") == "heart.nrrd"
