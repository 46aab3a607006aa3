import csv

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.track_csv import read_track_csv, write_track_csv
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

HEADER = "frame,time,name,l,p,s,sigma_mm,score,status\n"
FIRST = HEADER + "0,0,a,1,2,3,0,1,defined\n"


def test_the_columns_are_those_that_other_programs_expect(tmp_path, track):
    write_track_csv(tmp_path / "track.csv", track)
    lines = (tmp_path / "track.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] + "\n" == HEADER
    assert len(lines) == 1 + len(track) * 3


def test_a_missing_landmark_keeps_its_row_without_any_number_that_looks_like_a_place(tmp_path, track):
    write_track_csv(tmp_path / "track.csv", track)
    with (tmp_path / "track.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lost = [row for row in rows if row["status"] == "missing"]
    assert [(row["frame"], row["name"]) for row in lost] == [
        ("4", "lost"),
        ("5", "dome"),
        ("5", "lost"),
        ("9", "lost"),
    ]
    assert all(row["l"] == row["p"] == row["s"] == row["sigma_mm"] == "" for row in lost)


def test_a_round_trip_keeps_frames_times_and_positions_to_the_last_digit(tmp_path, track):
    write_track_csv(tmp_path / "track.csv", track)
    read = read_track_csv(tmp_path / "track.csv")
    assert read.numbers == (4, 5, 9)
    assert np.array_equal(read.times, track.times)
    assert read.names == track.names
    assert np.array_equal(read.positions, track.positions, equal_nan=True)
    np.testing.assert_allclose(read.sigma_mm, track.sigma_mm, rtol=1e-15)
    assert all(np.array_equal(a.defined, b.defined) for a, b in zip(read, track, strict=True))
    assert all(np.array_equal(a.scores, b.scores) for a, b in zip(read, track, strict=True))


def test_rows_may_stand_in_any_order(tmp_path, track):
    write_track_csv(tmp_path / "track.csv", track)
    header, *rows = (tmp_path / "track.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    by_name = sorted(rows, key=lambda row: row.split(",")[2])
    (tmp_path / "track.csv").write_text(header + "".join(reversed(by_name)), encoding="utf-8")
    read = read_track_csv(tmp_path / "track.csv")
    assert read.numbers == track.numbers
    for frame, known in zip(read, track, strict=True):
        assert np.array_equal(frame.select(known.names).positions, known.positions, equal_nan=True)


def test_a_place_of_nan_is_missing(tmp_path):
    (tmp_path / "track.csv").write_text(HEADER + "0,0,a,nan,nan,nan,0,1,defined\n")
    assert read_track_csv(tmp_path / "track.csv")[0]["a"].status == "missing"


def test_times_that_are_frame_numbers_count_frames(tmp_path):
    still = LandmarkSet.of({"a": (1, 2, 3)})
    write_track_csv(tmp_path / "track.csv", Track(np.arange(3.0), (still,) * 3))
    assert read_track_csv(tmp_path / "track.csv").time_unit == "frame"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "is empty"),
        (HEADER, "is not a track"),
        ("label,l,p,s\na,1,2,3\n", "is not a track"),
        (HEADER + "0,0,a,1,2,3,0,1,lost\n", "status 'lost' is none of defined, uncertain, missing"),
        (FIRST + "0,0,a,1,2,3,0,1,defined\n", "row 3: frame 0 has 'a' twice"),
        (
            FIRST + "1,1,b,1,2,3,0,1,defined\n",
            "frame 1 does not hold the landmarks",
        ),
        (FIRST + "1,1,a,1,2,3,0,1,defined\n0,0,a,4,5,6,0,1,defined\n", "row 4: frame 0 has 'a' twice"),
        (FIRST + "0,1,b,1,2,3,0,1,defined\n", "row 3: frame 0 is at time 1; give it one time"),
        (HEADER + "0,nan,a,1,2,3,0,1,defined\n", "frame 0 is at time nan"),
        (HEADER + "0.5,0,a,1,2,3,0,1,defined\n", "row 2: '0.5' under frame is not a whole number"),
        (HEADER + "inf,0,a,1,2,3,0,1,defined\n", "row 2: 'inf' under frame is not a whole number"),
        (FIRST + "1,1,a,1,", "row 3: 5 cells under 9 columns"),
        (HEADER + "0,0,a,1,2,x,0,1,defined\n", "row 2: 'x' under s is not a number"),
    ],
)
def test_a_table_that_is_no_track_is_named_with_its_remedy(tmp_path, text, answer):
    (tmp_path / "track.csv").write_text(text)
    with pytest.raises(InputError, match=answer) as raised:
        read_track_csv(tmp_path / "track.csv")
    assert "track.csv" in str(raised.value)
