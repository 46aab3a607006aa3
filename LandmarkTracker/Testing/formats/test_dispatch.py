"""From a path to the right reader, and what is said of it."""

import re
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import (
    open_cine,
    read_image,
    read_landmarks,
    write_cine,
    write_landmarks,
)
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.seq_mrb import read_seq_mrb, write_seq_mrb
from LandmarkTrackerLib.formats.track_csv import read_track_csv, write_track_csv
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.propagate import propagate
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.ncc import NccLocator
from LandmarkTrackerLib.step import results


@pytest.mark.parametrize("name", ["p.mrk.json", "p.fcsv", "p.csv", "P.FCSV"])
def test_landmarks_are_written_and_read_by_suffix(tmp_path, landmarks, name):
    write_landmarks(tmp_path / name, landmarks)
    read = read_landmarks(tmp_path / name)
    assert np.array_equal(read.positions, landmarks.positions, equal_nan=True)
    with pytest.raises(InputError, match="exists; add --overwrite"):
        write_landmarks(tmp_path / name, landmarks)
    write_landmarks(tmp_path / name, landmarks, overwrite=True)


@pytest.mark.parametrize("name", ["p.mrk.json", "p.fcsv", "p.csv"])
def test_every_format_keeps_what_needs_a_look(tmp_path, doubted, name):
    write_landmarks(tmp_path / name, doubted)
    read = read_landmarks(tmp_path / name)
    assert [landmark.status for landmark in read] == ["defined", "missing", "uncertain"]
    assert np.array_equal(read.positions, doubted.positions, equal_nan=True)
    assert np.array_equal(read.scores, doubted.scores)
    assert describe_file(tmp_path / name)[0] == "3 landmarks, 1 defined, 1 uncertain, 1 missing"
    assert describe_file(tmp_path / name)[-1].endswith(" mm, uncertain")


def test_every_format_of_tracks_keeps_what_needs_a_look(tmp_path, doubted, track):
    one = replace(track, frames=(doubted, *track.frames[1:]))
    write_track_csv(tmp_path / "track.csv", one)
    write_seq_mrb(tmp_path / "track.seq.mrb", one)
    for read in (read_track_csv(tmp_path / "track.csv"), read_seq_mrb(tmp_path / "track.seq.mrb")):
        assert [landmark.status for landmark in read[0]] == ["defined", "missing", "uncertain"]
        assert [landmark.status for landmark in read[2]] == ["defined", "missing", "defined"]
    for name in ("track.csv", "track.seq.mrb"):
        assert "left" in describe_file(tmp_path / name)[-1]
        assert describe_file(tmp_path / name)[-1].endswith(": defined in 2 of 3 frames, uncertain in 1")


def test_a_path_may_be_given_as_text(tmp_path, landmarks, volume):
    write_landmarks(str(tmp_path / "p.csv"), landmarks)
    assert len(read_landmarks(str(tmp_path / "p.csv"))) == 3
    sitk.WriteImage(volume(), str(tmp_path / "a.mha"))
    assert read_image(str(tmp_path / "a.mha")).GetSize() == (7, 5, 3)


@pytest.mark.parametrize("read", [open_cine, read_image, read_landmarks, describe_file])
@pytest.mark.parametrize("name", ["gone.nrrd", "gone.mrk.json", "gone.nii.gz", "gone"])
def test_a_missing_file_is_named(tmp_path, read, name):
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / name} does not exist; check the path")):
        read(tmp_path / name)


@pytest.mark.parametrize("read", [open_cine, read_image, read_landmarks, describe_file])
def test_a_file_of_an_unknown_format_is_answered_with_those_that_are_known(tmp_path, read):
    (tmp_path / "notes.txt").write_text("first visit")
    with pytest.raises(InputError, match=r"notes\.txt is not .*(\.mha|\.mrk\.json)"):
        read(tmp_path / "notes.txt")


def test_a_slice_is_chosen_in_a_dicom_folder_only(tmp_path, volume):
    write_cine(tmp_path / "a.seq.nrrd", Cine.of([volume(0), volume(1)]))
    for path in (tmp_path / "a.seq.nrrd", tmp_path):
        with pytest.raises(InputError, match="is not DICOM; leave --slice out"):
            open_cine(path, "SA/slice 01")


def test_an_image_is_described(tmp_path, volume):
    sitk.WriteImage(volume(), str(tmp_path / "a.mha"))
    lines = describe_file(tmp_path / "a.mha")
    assert lines[:4] == [
        "volume",
        "size: 7 x 5 x 3 pixels",
        "spacing: 1.25 x 0.3333333333333333 x 8 mm",
        "first pixel: LPS (-30.1, 12.25, 7) mm",
    ]
    assert lines[4] == "axis i: LPS (0.8, 0, -0.6)"
    assert lines[-1] == "pixels: 16-bit signed integer, 0 to 104"


def test_a_cine_is_described(tmp_path, volume):
    path = tmp_path / "a.seq.nrrd"
    write_cine(
        path,
        Cine([20.0, 60.0], lambda t: volume(t, size=(7, 5, 1)), Grid.of(volume(size=(7, 5, 1))), "a", "ms"),
    )
    lines = describe_file(path)
    assert lines[:2] == ["cine of 2 frames, 20 to 60 ms", "size: 7 x 5 x 1 pixels"]
    assert lines[-1] == "frame 0: 16-bit signed integer, 0 to 34"


def test_landmarks_and_tracks_are_described(tmp_path, landmarks, track):
    write_landmarks(tmp_path / "p.csv", landmarks)
    lines = describe_file(tmp_path / "p.csv")
    assert lines[0] == "3 landmarks, 2 defined, 1 missing"
    assert lines[1:4] == [
        "format: table of landmarks",
        "coordinates: LPS mm, as its columns state",
        "bounds: L -104.93659210205001 to 0.3333333333333333, P -2 to 257.35, S 1e-07 to 141.75 mm",
    ]
    assert lines[4] == "dome: LPS (0.3333333333333333, -2, 1e-07) mm"
    assert lines[5] == "lost: missing"
    write_track_csv(tmp_path / "track.csv", track)
    write_seq_mrb(tmp_path / "track.seq.mrb", track)
    for name in ("track.csv", "track.seq.mrb"):
        lines = describe_file(tmp_path / name)
        assert lines[:3] == [
            "track of 3 landmarks over 3 frames",
            "dome: defined in 2 of 3 frames",
            "lost: defined in 0 of 3 frames",
        ]


def test_an_image_of_no_numbers_is_described_without_failing(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.full((1, 2, 2), np.nan, np.float32)), str(tmp_path / "a.mha"))
    assert describe_file(tmp_path / "a.mha")[-1] == "pixels: 32-bit float, no finite number"


@pytest.mark.parametrize("name", ["p.mrk.json", "p.fcsv", "p.csv"])
def test_a_file_with_no_defined_point_is_read_as_a_protocol_and_refused_by_the_job(
    tmp_path, name, oblique_cine
):
    write_landmarks(tmp_path / name, LandmarkSet.missing(["nasion", "sella"]))
    protocol = read_landmarks(tmp_path / name)
    assert protocol.names == ("nasion", "sella")
    assert not protocol.defined.any()
    with pytest.raises(InputError, match="no landmark is placed in any frame; click at least one"):
        next(results(propagate(oblique_cine[0], NccLocator(), {0: protocol})))


@pytest.mark.parametrize("name", ["p.mrk.json", "p.fcsv", "p.csv"])
def test_landmarks_in_pixels_say_so_and_keep_their_sigma(tmp_path, landmarks, name):
    write_landmarks(tmp_path / name, landmarks, unit="px")
    text = (tmp_path / name).read_text()
    assert "sigma_px" in text
    assert "sigma_mm" not in text
    np.testing.assert_allclose(read_landmarks(tmp_path / name).sigma_mm, landmarks.sigma_mm, rtol=1e-15)


def test_a_track_in_pixels_says_so(tmp_path, track):
    write_track_csv(tmp_path / "t.csv", replace(track, length_unit="px"))
    assert "sigma_px" in (tmp_path / "t.csv").read_text()
    read = read_track_csv(tmp_path / "t.csv")
    assert read.length_unit == "px"
    np.testing.assert_array_equal(read.sigma_mm, track.sigma_mm)
    assert describe_file(tmp_path / "t.csv")[0].startswith("track of 3 landmarks")
