import zipfile

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.seq_mrb import read_seq_mrb, write_seq_mrb
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

STORAGE = "vtkMRMLSequenceStorageNode"
# Slicer's JSON reader is off by one in the last of 17 digits.
SLICERS_DIGITS = 4e-16


def test_a_round_trip_keeps_every_digit(tmp_path, track, assert_same):
    write_seq_mrb(tmp_path / "track.seq.mrb", track)
    read = read_seq_mrb(tmp_path / "track.seq.mrb")
    assert np.array_equal(read.times, track.times)
    assert read.time_unit == "ms"
    for a, b in zip(read, track, strict=True):
        assert_same(a, b)


@pytest.mark.parametrize("name", ["track.seq.mrb", 'left & "right" é.seq.mrb'])
def test_slicer_loads_times_names_positions_status_and_sigma(tmp_path, track, slicer_app, name):
    write_seq_mrb(tmp_path / name, track)
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    assert slicer_app.stored(sequence, STORAGE, tmp_path / name)
    assert (sequence.GetIndexName(), sequence.GetIndexUnit()) == ("time", "ms")
    assert [float(sequence.GetNthIndexValue(t)) for t in range(3)] == list(track.times)
    for t, landmarks in enumerate(track):
        node = sequence.GetNthDataNode(t)
        assert node.GetClassName() == "vtkMRMLMarkupsFiducialNode"
        assert [node.GetNthControlPointLabel(n) for n in range(3)] == list(track.names)
        statuses = [node.GetNthControlPointPositionStatus(n) for n in range(3)]
        assert statuses == [2 if defined else 3 for defined in landmarks.defined]
        for n in np.flatnonzero(landmarks.defined):
            ras = landmarks.positions[n] * (-1, -1, 1)
            assert node.GetNthControlPointPosition(n) == pytest.approx(ras, rel=SLICERS_DIGITS, abs=0)
        sigma = node.GetMeasurement("sigma_mm").GetControlPointValues()
        np.testing.assert_allclose([sigma.GetValue(n) for n in range(3)], landmarks.sigma_mm, SLICERS_DIGITS)


def test_slicer_plays_the_track_frame_by_frame(tmp_path, track, slicer_app):
    write_seq_mrb(tmp_path / "track.seq.mrb", track)
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    slicer_app.stored(sequence, STORAGE, tmp_path / "track.seq.mrb")
    browser = slicer_app.node("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    shown = []
    for t in range(3):
        browser.SetSelectedItemNumber(t)
        slicer_app.sequences.UpdateProxyNodesFromSequences(browser)
        shown.append(browser.GetProxyNode(sequence).GetNthControlPointPositionStatus(0))
    assert shown == [2, 3, 2]


def test_what_slicer_saves_is_read(tmp_path, track, slicer_app, assert_same):
    write_seq_mrb(tmp_path / "track.seq.mrb", track)
    sequence = slicer_app.node("vtkMRMLSequenceNode", "my track")
    slicer_app.stored(sequence, STORAGE, tmp_path / "track.seq.mrb")
    assert slicer_app.stored(sequence, STORAGE, tmp_path / "by slicer.seq.mrb", write=True)
    read = read_seq_mrb(tmp_path / "by slicer.seq.mrb")
    assert np.array_equal(read.times, track.times)
    assert read.time_unit == "ms"
    for a, b in zip(read, track, strict=True):
        assert_same(a, b, 2 * SLICERS_DIGITS)


def test_frame_numbers_are_no_unit_of_time_in_slicer(tmp_path, slicer_app):
    still = LandmarkSet.of({"a": (1, 2, 3)})
    write_seq_mrb(tmp_path / "track.seq.mrb", Track(np.arange(3.0), (still,) * 3))
    sequence = slicer_app.node("vtkMRMLSequenceNode")
    slicer_app.stored(sequence, STORAGE, tmp_path / "track.seq.mrb")
    assert (sequence.GetIndexName(), sequence.GetIndexUnit() or "") == ("frame", "")
    assert [sequence.GetNthIndexValue(t) for t in range(3)] == ["0", "1", "2"]
    assert read_seq_mrb(tmp_path / "track.seq.mrb").time_unit == "frame"


def test_the_same_track_makes_the_same_file(tmp_path, track):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_seq_mrb(tmp_path / name / "track.seq.mrb", track)
    assert (tmp_path / "a/track.seq.mrb").read_bytes() == (tmp_path / "b/track.seq.mrb").read_bytes()


def test_only_a_sequence_name_is_written(tmp_path, track):
    with pytest.raises(InputError, match=r"end it with \.seq\.mrb"):
        write_seq_mrb(tmp_path / "track.mrb", track)


def test_what_is_no_sequence_of_point_lists_is_named(tmp_path, track):
    path = tmp_path / "track.seq.mrb"
    write_seq_mrb(path, track)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(InputError, match=r"track\.seq\.mrb is damaged or no sequence"):
        read_seq_mrb(path)
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("notes.txt", "no scene")
    with pytest.raises(InputError, match=r"track\.seq\.mrb is damaged or no sequence"):
        read_seq_mrb(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        read_seq_mrb(path)
