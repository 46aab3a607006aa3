"""Nothing outside the data folder is reached, whatever a browser asks for."""

from __future__ import annotations

import pytest
from LandmarkTrackerLib.errors import InputError
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
        ("cines/b2.mrk.json", "landmarks"),
        ("cines/b2.seq.nrrd", "image"),
        ("cines/b10.seq.nrrd", "image"),
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
