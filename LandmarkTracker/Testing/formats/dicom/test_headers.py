"""What a file is, before its pixels are looked at."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.dicom.headers import Tags, is_dicom
from pydicom.data import get_testdata_file, get_testdata_files
from pydicom.uid import MPEG2MPML, UID

# Files in pydicom's test data that hold a picture this program reads.
PICTURES = [path for path in get_testdata_files("*.dcm") if "dicomdir" not in path]


def outcome(read: Callable[[], str]) -> str:
    """What is read, or why it is not."""
    try:
        return read()
    except InputError as error:
        return str(error)


def test_a_file_is_known_by_its_content(write, tmp_path):
    assert is_dicom(write(1, name="IM0001"))
    (tmp_path / "notes.dcm").write_text("first visit")
    assert not is_dicom(tmp_path / "notes.dcm")
    assert not is_dicom(tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_garbled_tags_read_as_nothing():
    data = pydicom.Dataset()
    data.FrameTime, data.CineRate, data.Rows = "33", "", 5
    data.PixelSpacing = [0.5, 0.25]
    tags = Tags(data)
    assert (tags.number("FrameTime"), tags.number("CineRate"), tags.number("Nothing")) == (33, None, None)
    assert (tags.numbers("PixelSpacing", 2), tags.number("PixelSpacing")) == ((0.5, 0.25), None)
    assert (tags.text("PixelSpacing"), tags.text("Rows")) == ("0.5\\0.25", "5")
    assert tags.positive("Rows") == 5
    assert not tags.item("SharedFunctionalGroupsSequence")
    data._dict[pydicom.tag.Tag("FrameTime")] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag("FrameTime"), "DS", 4, b"abc ", 0, False, True
    )
    assert tags.number("FrameTime") is None


def test_a_video_is_said_to_be_one(write):
    path = write(np.zeros((2, 5, 7)), "US")
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = UID(MPEG2MPML)
    data.PixelData = pydicom.encaps.encapsulate([b"video!"])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    with pytest.raises(InputError, match=r"is compressed as MPEG2 .*, which is not read"):
        read_image(path)


def test_a_file_that_may_not_be_read_is_said_to_be_one(write, monkeypatch):
    path = write(1)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"0001\.dcm cannot be read \(Permission denied\)"):
        read_image(path)


@pytest.mark.parametrize("name", ["notes.dcm", "zeros.dcm"])
def test_what_is_no_dicom_file_is_said_to_be_none(tmp_path, name):
    (tmp_path / name).write_bytes(b"first visit" if name == "notes.dcm" else bytes(1000))
    with pytest.raises(InputError, match=f"{name} is damaged or no DICOM file"):
        read_image(tmp_path / name)


def test_the_index_of_a_medium_is_no_image(tmp_path):
    path = tmp_path / "index.dcm"
    path.write_bytes(Path(get_testdata_file("DICOMDIR")).read_bytes())
    with pytest.raises(InputError, match="is the index of a DICOM medium without its images"):
        read_image(path)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.rpartition("/")[2])
def test_every_odd_file_is_described_or_refused_in_a_sentence(path):
    said = outcome(lambda: "\n".join(describe_file(path)))
    assert "\nsize: " in said or path in said


def test_random_damage_gives_an_image_or_a_sentence(write, tmp_path):
    rng = np.random.default_rng(0)
    whole = write(rng.integers(0, 99, (5, 7)), TriggerTime=3, SequenceOfUltrasoundRegions=[{}]).read_bytes()
    path = tmp_path / "damaged.dcm"
    for _ in range(100):
        data = bytearray(whole[: rng.integers(len(whole))] if rng.random() < 0.3 else whole)
        for at in rng.integers(len(data), size=rng.integers(1, 8)) if data else ():
            data[at] = rng.integers(256)
        path.write_bytes(data)
        assert outcome(lambda: f"{path}: {read_image(path).GetSize()}").startswith(str(path))
