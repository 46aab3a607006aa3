"""Folders of cases on the command line, and the script that Slicer runs."""

from __future__ import annotations

import csv
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats import read_landmarks, write_cine, write_landmarks
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.simulation.phantom import Phantom

PATIENTS = {f"patient {seed}": Phantom(seed, frames=4) for seed in (11, 12)}


@pytest.fixture
def cines(tmp_path: Path) -> Path:
    """Two cines with the landmarks of their frame 1, and one whose landmarks were forgotten."""
    folder = tmp_path / "cines"
    for name, phantom in PATIENTS.items():
        write_cine(folder / f"{name}.seq.nrrd", phantom.cine())
        write_landmarks(folder / f"{name}.mrk.json", phantom.landmarks(1))
    write_cine(folder / "forgotten.seq.nrrd", Phantom(13, frames=2).cine())
    return folder


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    """Three frames of one patient as images of their own, one of them damaged, and the first as example."""
    import SimpleITK as sitk

    phantom = PATIENTS["patient 11"]
    (tmp_path / "images").mkdir()
    for frame in range(3):
        sitk.WriteImage(phantom.cine()[frame], str(tmp_path / "images" / f"frame {frame}.nrrd"))
    damaged = tmp_path / "images" / "frame 2.nrrd"
    damaged.write_bytes(damaged.read_bytes()[:4000])
    (tmp_path / "images" / "frame 0.nrrd").rename(tmp_path / "example.nrrd")
    write_landmarks(tmp_path / "example.csv", phantom.landmarks(0))
    return tmp_path


def batch(*words: object) -> int:
    return main(["batch", *map(str, words), "--model", "ncc"])


def table(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "cases.csv").open(newline="") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


def test_every_cine_of_a_folder_is_tracked_with_its_own_landmarks(cines, tmp_path, capsys):
    output = tmp_path / "out"
    assert batch(cines, "--frame", 1, "--output", output) == 1
    for name, phantom in PATIENTS.items():
        track = read_track_csv(output / name / "track.csv")
        error = np.linalg.norm(track.positions - phantom.track().positions, axis=2)
        assert np.nanmedian(error) < 1
    rows = table(output)
    assert list(rows) == ["forgotten", "patient 11", "patient 12"]
    assert [row["status"] for row in rows.values()] == ["failed", "done", "done"]
    assert rows["patient 11"]["points"] == "28"
    assert "no landmarks beside it" in rows["forgotten"]["message"]
    told = capsys.readouterr()
    assert told.out.startswith("2 done, 0 complete already, 1 failed")
    assert told.err.splitlines()[-1].startswith("forgotten: ")


def test_a_rerun_does_only_what_is_left(cines, tmp_path, capsys):
    output = tmp_path / "out"
    batch(cines, "--frame", 1, "--output", output)
    before = table(output)["patient 11"]
    done = (output / "patient 11" / "track.csv").stat().st_mtime_ns
    write_landmarks(cines / "forgotten.csv", Phantom(13, frames=2).landmarks(1))
    capsys.readouterr()
    assert batch(cines, "--frame", 1, "--output", output) == 0
    assert capsys.readouterr().out.startswith("1 done, 2 complete already, 0 failed")
    assert (output / "patient 11" / "track.csv").stat().st_mtime_ns == done
    assert table(output)["patient 11"] == before
    assert table(output)["forgotten"]["status"] == "done"


def test_results_may_lie_in_the_folder_of_the_cines(cines):
    batch(cines, "--frame", 1, "--output", cines / "results")
    (cines / "forgotten.seq.nrrd").unlink()
    assert batch(cines, "--frame", 1, "--output", cines / "results") == 0
    assert list(table(cines / "results")) == ["patient 11", "patient 12"]


def test_what_is_complete_is_done_again_when_told(cines, tmp_path):
    output = tmp_path / "out"
    batch(cines, "--frame", 1, "--output", output)
    done = (output / "patient 11" / "track.csv").stat().st_mtime_ns
    batch(cines, "--frame", 1, "--output", output, "--overwrite")
    assert (output / "patient 11" / "track.csv").stat().st_mtime_ns > done


def test_one_example_is_found_in_a_folder_of_subjects(subjects, capsys):
    example = (subjects / "example.nrrd", subjects / "example.csv")
    assert batch(subjects / "images", "--example", *example, "--output", subjects / "out") == 1
    found = read_landmarks(subjects / "out" / "frame 1.mrk.json")
    error = found.positions - PATIENTS["patient 11"].landmarks(1).positions
    assert np.nanmedian(np.linalg.norm(error, axis=1)) < 1
    assert not (subjects / "out" / "frame 2.mrk.json").exists()
    assert "frame 2.nrrd" in table(subjects / "out")["frame 2"]["message"]


def test_several_examples_may_show_different_landmarks(subjects):
    shown = PATIENTS["patient 11"].landmarks(0)
    parts = (shown.names[:3], shown.names[3:])
    for n, names in enumerate(parts):
        write_landmarks(subjects / f"some {n}.csv", shown.select(names))
    examples = [("--example", subjects / "example.nrrd", subjects / f"some {n}.csv") for n in range(2)]
    batch(subjects / "images", *examples[0], *examples[1], "--output", subjects / "out")
    assert set(read_landmarks(subjects / "out" / "frame 1.mrk.json").names) == set(shown.names)


def test_a_failure_that_nobody_foresaw_is_a_row_too(cines, tmp_path, monkeypatch):
    def broken(*_arguments: object, **_options: object) -> None:
        raise MemoryError("no memory left")

    monkeypatch.setattr("LandmarkTrackerLib.jobs.batch.open_cine", broken)
    assert batch(cines, "--output", tmp_path / "out") == 1
    assert table(tmp_path / "out")["patient 11"]["message"] == "MemoryError: no memory left"


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: None, "is not a folder"),
        (lambda folder: folder.mkdir(), "there is nothing to do"),
        (lambda folder: (folder / "a").mkdir(parents=True) or (folder / "a.nii").touch(), "are named 'a'"),
    ],
)
def test_a_folder_that_is_no_batch_is_refused(tmp_path, prepare, message, capsys):
    prepare(tmp_path / "cines")
    assert batch(tmp_path / "cines", "--output", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_script_runs_in_a_plain_python_with_the_same_exit_codes(root, cines, tmp_path):
    script = root / "LandmarkTracker" / "Resources" / "landmark-tracker.py"
    words = ["batch", cines, "--frame", 1, "--model", "ncc", "--output", tmp_path / "out"]

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=_bare())

    assert run().returncode == 1
    (cines / "forgotten.seq.nrrd").unlink()
    again = run()
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("0 done, 2 complete already")


def test_the_script_runs_as_slicer_runs_it(root, cines, tmp_path, monkeypatch):
    """`--python-script` executes the file as __main__, with the arguments after it in sys.argv."""
    script = root / "LandmarkTracker" / "Resources" / "landmark-tracker.py"
    words = ["batch", cines, "--frame", 1, "--model", "ncc", "--output", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 1
    assert table(tmp_path / "out")["patient 12"]["status"] == "done"


def as_slicer_runs_it(root, monkeypatch, *words: object) -> int:
    """The script as __main__, in a Python that has neither matplotlib nor tqdm."""
    script = root / "LandmarkTracker" / "Resources" / "landmark-tracker.py"
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
    for name in ("matplotlib", "tqdm"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    return end.value.code


def test_a_detector_finds_its_landmarks_in_a_folder_of_images_from_the_script(
    root, dots, dots_model, tmp_path, monkeypatch, capsys
):
    import SimpleITK as sitk

    (tmp_path / "images").mkdir()
    for seed in (21, 22):
        sitk.WriteImage(dots(seed)[0], str(tmp_path / "images" / f"patient {seed}.nrrd"))
    (tmp_path / "images" / "damaged.nrrd").write_bytes(b"NRRD0004\n")
    words = ("batch", tmp_path / "images", "--detector", dots_model, "--output", tmp_path / "out")
    assert as_slicer_runs_it(root, monkeypatch, *words) == 1
    for seed in (21, 22):
        found = read_landmarks(tmp_path / "out" / f"patient {seed}.mrk.json")
        assert np.linalg.norm(found.positions - dots(seed)[1], axis=1).max() < 3
    assert table(tmp_path / "out")["patient 22"]["points"] == "3"
    assert "damaged.nrrd" in table(tmp_path / "out")["damaged"]["message"]
    one = ("detect", tmp_path / "images" / "patient 21.nrrd", "--model", dots_model)
    assert as_slicer_runs_it(root, monkeypatch, *one, "--output", tmp_path / "one") == 0
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"patient 21.mrk.json", "detections.csv"}


def test_a_folder_of_pairs_of_scans_is_matched_from_the_script(root, tmp_path, monkeypatch, capsys):
    import SimpleITK as sitk
    from conftest import textured

    large = textured((180, 160)).astype(np.float32) * 1.5 - 150
    (tmp_path / "pairs" / "anna").mkdir(parents=True)
    for name, (i, j) in (("a", (30, 30)), ("b", (18, 39))):
        image = sitk.GetImageFromArray(large[None, j : j + 112, i : i + 128])
        sitk.WriteImage(image, str(tmp_path / "pairs" / "anna" / f"{name}.nrrd"))
    words = ("match", tmp_path / "pairs", "--output", tmp_path / "out")
    assert as_slicer_runs_it(root, monkeypatch, *words) == 0
    fixed, moving = (read_landmarks(tmp_path / "out" / "anna" / f"{n}.mrk.json") for n in ("fixed", "moving"))
    assert fixed.names == moving.names
    off = np.linalg.norm(moving.positions - fixed.positions - (12, -9, 0), axis=1)
    assert np.median(off) < 0.5


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
