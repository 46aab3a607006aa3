"""Train, detect and evaluate from a shell, on a network that learns in seconds."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats import read_landmarks


@pytest.fixture
def training_file(dots_training, tmp_path):
    file = tmp_path / "dots.toml"
    file.write_text(
        dots_training.replace("steps = 120", "steps = 4").replace("validate_every = 60", "validate_every = 2")
    )
    return file


def test_a_new_image_gets_its_named_landmarks(dots, dots_model, tmp_path, capsys):
    image, truth = dots(100)
    sitk.WriteImage(image, str(tmp_path / "new.nrrd"))
    output = tmp_path / "out"
    arguments = ["detect", str(tmp_path / "new.nrrd"), "--model", str(dots_model), "--output", str(output)]
    assert main(arguments) == 0
    found = read_landmarks(output / "new.mrk.json")
    assert found.names == ("left", "right", "bottom")
    assert np.abs(found.positions - truth).max() < 1.0
    assert (output / "overview.png").stat().st_size > 1000
    assert main(arguments) == 2
    assert "exists" in capsys.readouterr().err


def test_an_image_that_failed_is_named_and_the_exit_code_says_so(dots, dots_model, tmp_path, capsys):
    sitk.WriteImage(dots(100)[0], str(tmp_path / "new.nrrd"))
    (tmp_path / "bad.nrrd").write_text("x")
    images = [str(tmp_path / name) for name in ("bad.nrrd", "new.nrrd")]
    assert main(["detect", *images, "--model", str(dots_model), "--output", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert "bad: failed" in printed.out
    assert "1 of 2 images could not be used" in printed.err
    assert (tmp_path / "out" / "new.mrk.json").exists()


def test_a_model_of_another_kind_is_refused(tmp_path, capsys):
    assert main(["detect", "x.png", "--model", "nothing", "--output", str(tmp_path / "out")]) == 2
    assert "there is no model 'nothing'" in capsys.readouterr().err


def test_training_from_a_file_leaves_a_log_and_a_model_that_detects(training_file, tmp_path, dots):
    run = tmp_path / "run"
    assert main(["train", "scn", str(training_file), "--output", str(run)]) == 0
    rows = list(csv.DictReader((run / "validation.csv").open()))
    assert [int(row["step"]) for row in rows] == [2, 4]
    assert {"error_mm", "median_mm", "min_height", "sigma_scale"} <= rows[0].keys()
    sitk.WriteImage(dots(100)[0], str(tmp_path / "new.nrrd"))
    model = str(run / "run.pt")
    assert (
        main(["detect", str(tmp_path / "new.nrrd"), "--model", model, "--output", str(tmp_path / "out")]) == 0
    )


def test_a_model_is_measured_on_an_annotated_folder(dots_folder, dots_model, tmp_path, capsys):
    output = tmp_path / "report"
    assert main(["evaluate", str(dots_folder), "--model", str(dots_model), "--output", str(output)]) == 0
    assert "of 36 reported missing" in capsys.readouterr().out
    errors = [
        float(row["error_mm"]) for row in csv.DictReader((output / "errors.csv").open()) if row["error_mm"]
    ]
    assert np.mean(errors) < 0.5
    scaled = ["--scale", "left", "right", "50", "--overwrite"]
    assert (
        main(["evaluate", str(dots_folder), "--model", str(dots_model), "--output", str(output), *scaled])
        == 0
    )


def test_a_model_is_measured_on_the_subjects_that_its_training_file_holds_out(
    training_file, dots_model, tmp_path, capsys
):
    arguments = [
        "evaluate",
        str(training_file),
        "--model",
        str(dots_model),
        "--output",
        str(tmp_path / "report"),
    ]
    assert main(arguments) == 2
    assert "names no test subject" in capsys.readouterr().err
    text = training_file.read_text()
    training_file.write_text(text + "\n[split]\ntest = ['dots-3', 'dots-4']\n")
    assert main(arguments) == 0
    images = {row["image"] for row in csv.DictReader((tmp_path / "report" / "errors.csv").open())}
    assert images == {"dots-3", "dots-4"}


def test_cross_validation_tests_every_subject_once_and_goes_on_after_an_interruption(
    training_file, tmp_path, capsys
):
    output = tmp_path / "cv"
    arguments = ["evaluate", str(training_file), "--folds", "2", "--output", str(output)]
    assert main(arguments) == 0
    images = [row["image"] for row in csv.DictReader((output / "errors.csv").open())]
    assert sorted(set(images)) == sorted(f"dots-{n}" for n in range(12))
    assert len(images) == 36
    logs = {path: path.read_bytes() for path in output.glob("fold-*/training.csv")}
    # What was trained is not trained again.
    (output / "report.md").unlink()
    assert main([*arguments, "--overwrite"]) == 0
    assert {path: path.read_bytes() for path in output.glob("fold-*/training.csv")} == logs
    assert len(logs) == 2
    assert (output / "report.md").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["folder", "--folds", "2"], "needs a training file"),
        (["folder", "--model", "x"], "is not a folder"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments, words, tmp_path, capsys):
    folder = str(tmp_path / arguments[0])
    assert main(["evaluate", folder, *arguments[1:], "--output", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err


def test_a_scale_between_landmarks_that_do_not_exist_is_refused(dots_folder, dots_model, tmp_path, capsys):
    arguments = ["evaluate", str(dots_folder), "--model", str(dots_model), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--scale", "left", "thumb", "50"]) == 2
    assert "there is no landmark 'thumb'" in capsys.readouterr().err
