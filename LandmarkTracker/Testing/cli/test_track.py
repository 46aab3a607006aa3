"""The command line on files, as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from LandmarkTrackerLib import open_cine, write_landmarks
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats import write_cine
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.simulation.phantom import Phantom

PHANTOM = Phantom(11, frames=6)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A folder with a cine and the landmarks of its frame 2."""
    write_cine(tmp_path / "torso.seq.nrrd", PHANTOM.cine())
    write_landmarks(tmp_path / "points.mrk.json", PHANTOM.landmarks(2))
    return tmp_path


def track(case: Path, *more: object) -> int:
    words = ["track", case / "torso.seq.nrrd", "--landmarks", case / "points.mrk.json", "--frame", 2]
    return main([str(word) for word in [*words, "--model", "ncc", "--output", case / "out", *more]])


def test_a_click_becomes_a_track_in_three_files(case, capsys):
    assert track(case) == 0
    written = {"track.csv", "track.seq.mrb", "overview.png"}
    assert {path.name for path in (case / "out").iterdir()} == written
    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} >= written
    found = read_track_csv(case / "out" / "track.csv")
    assert found.numbers == tuple(range(6))
    np.testing.assert_array_equal(found[2].positions, PHANTOM.landmarks(2).positions)
    error = np.linalg.norm(found.positions - PHANTOM.track().positions, axis=2)
    assert np.nanmedian(error) < 1
    assert (case / "out" / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_landmarks_in_pixels_of_the_shown_frame_are_tracked_and_it_is_said(case, capsys):
    shown = PHANTOM.landmarks(2)
    index = PHANTOM.grid.to_index(shown.positions)
    parts = ",".join(f"{name},{name}" for name in shown.names)
    rows = [
        f"img{n}.png," + ",".join(f"{x:.6f}" for x in (index[:, :2] + 5 * (n - 2)).ravel()) for n in (1, 2)
    ]
    lines = ["scorer" + ",me" * 2 * len(shown), f"bodyparts,{parts}", "coords" + ",x,y" * len(shown), *rows]
    (case / "labels.csv").write_text("\n".join(lines))
    assert track(case, "--landmarks", case / "labels.csv") == 0
    assert "labels.csv: DeepLabCut table, pixels, the first is 0" in capsys.readouterr().err
    found = read_track_csv(case / "out" / "track.csv")
    np.testing.assert_allclose(found[2].positions, shown.positions, atol=1e-4)


def test_a_forecast_is_written_beside_the_track(case):
    assert track(case, "--forecast", 250) == 0
    found, ahead = (read_track_csv(case / "out" / name) for name in ("track.csv", "forecast.csv"))
    assert ahead.numbers == found.numbers
    np.testing.assert_allclose(ahead.times, found.times + 0.25)
    assert np.isnan(ahead.positions[0]).all()
    # The first frames are too few to learn from: the landmarks are expected where they are.
    np.testing.assert_allclose(ahead.positions[-1], found.positions[-1], atol=1e-3)
    assert (ahead.sigma_mm[-1] > found.sigma_mm[-1]).all()
    assert track(case, "--forecast", 250) == 2


def test_one_direction_leaves_the_other_frames_out(case):
    assert track(case, "--direction", "backward") == 0
    assert read_track_csv(case / "out" / "track.csv").numbers == (0, 1, 2)


def test_results_are_replaced_only_when_told(case, capsys):
    assert track(case) == 0
    before = (case / "out" / "track.csv").stat().st_mtime_ns
    assert track(case) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (case / "out" / "track.csv").stat().st_mtime_ns == before
    assert track(case, "--overwrite") == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--frame", "17"], "there is no frame 17"),
        (["--model", "nobody"], "there is no model 'nobody'"),
        (["--landmarks", "nowhere.mrk.json"], "nowhere.mrk.json"),
        (["--max-sigma", "-1"], "--max-sigma"),
        (["--forecast", "0"], "--forecast"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(case, capsys, change, sentence):
    assert track(case, *change) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not (case / "out").exists()


def test_without_times_nothing_is_predicted(case, capsys):
    untimed = replace(PHANTOM.cine(), times=list(range(6)), time_unit="frame")
    write_cine(case / "torso.seq.nrrd", untimed, overwrite=True)
    assert track(case, "--forecast", "250") == 2
    assert "does not state when its frames were taken" in capsys.readouterr().err
    assert not (case / "out").exists()


def test_points_of_another_patient_are_refused_by_name(case, capsys):
    write_landmarks(case / "points.mrk.json", LandmarkSet.of({"dome": (900, 0, 0)}), overwrite=True)
    assert track(case) == 2
    assert "'dome'" in capsys.readouterr().err


def test_a_cancelled_run_exits_130_and_leaves_nothing_behind(tmp_path):
    write_cine(tmp_path / "torso.seq.nrrd", Phantom(11, frames=400, size=(160, 192)).cine())
    write_landmarks(tmp_path / "points.mrk.json", PHANTOM.landmarks(0))
    words = ["track", tmp_path / "torso.seq.nrrd", "--landmarks", tmp_path / "points.mrk.json"]
    command = [
        sys.executable,
        "-m",
        "LandmarkTrackerLib",
        *words,
        "--model",
        "ncc",
        "--output",
        tmp_path / "out",
    ]
    process = subprocess.Popen(
        [str(word) for word in command], stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stderr is not None
    os.set_blocking(process.stderr.fileno(), False)
    said, waited = b"", time.monotonic()
    while b"torso" not in said and time.monotonic() - waited < 60:
        said += process.stderr.read() or b""
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_models_and_info_say_what_there_is(case, capsys):
    assert main(["models"]) == 0
    assert "ncc" in capsys.readouterr().out
    assert main(["info", str(case / "torso.seq.nrrd")]) == 0
    said = capsys.readouterr().out
    assert "6 frames" in said
    assert main(["info", str(case / "points.mrk.json")]) == 0
    assert "lesion" in capsys.readouterr().out


def test_a_real_heart_is_tracked(real_data, tmp_path):
    cine = open_cine(real_data / "cardiac_cine" / "SCD0000301_slice04.seq.nrrd")
    points = LandmarkSet.of({"septum": cine.grid.to_world((110.0, 122.0, 0))})
    write_landmarks(tmp_path / "points.mrk.json", points)
    words = ["track", real_data / "cardiac_cine" / "SCD0000301_slice04.seq.nrrd", "--landmarks"]
    words += [tmp_path / "points.mrk.json", "--frame", 19, "--model", "ncc", "--output", tmp_path / "out"]
    assert main([str(word) for word in words]) == 0
    assert len(read_track_csv(tmp_path / "out" / "track.csv")) == 20


def test_a_model_that_was_trained_on_other_images_is_warned_of(tmp_path, capsys):
    phantom = Phantom(3, frames=2)
    write_cine(tmp_path / "torso.seq.nrrd", phantom.cine())
    write_landmarks(tmp_path / "torso.mrk.json", phantom.landmarks(0))
    arguments = ["track", str(tmp_path / "torso.seq.nrrd"), "--landmarks", str(tmp_path / "torso.mrk.json")]
    assert main([*arguments, "--model", "tmn-chest-xray", "--output", str(tmp_path / "out")]) == 0
    error = capsys.readouterr().err
    assert "warning: torso: model tmn-chest-xray was trained on other images" in error
    assert main([*arguments, "--model", "ncc", "--output", str(tmp_path / "ncc")]) == 0
    assert "warning" not in capsys.readouterr().err
