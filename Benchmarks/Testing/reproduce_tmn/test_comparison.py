"""One command trains, measures and reports; interrupted anywhere, it goes on without loss."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import reproduce_tmn.comparison
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.training.config import read_config
from reproduce_tmn.__main__ import main
from reproduce_tmn.comparison import Comparison
from reproduce_tmn.config import ReproduceConfig
from reproduce_tmn.report import cell, verdict
from reproduce_tmn.result import Result

BASE = "tmn-light-patch32-layers2-gaussian"


def words(data: Path, output: Path, recipe: Path, *more: str) -> list[str]:
    return ["compare", "--data", str(data), "--output", str(output), "--recipe", str(recipe), *more]


@pytest.fixture(scope="module")
def finished(dots_folder, recipe, tmp_path_factory) -> Path:
    """A whole comparison."""
    output = tmp_path_factory.mktemp("finished") / "out"
    assert main(words(dots_folder, output, recipe)) == 0
    return output


def test_the_report_has_every_table_and_stands_alone(finished):
    html = (finished / "report.html").read_text()
    for name in ("Table 1", "Table 2, few-shot", "Table 2, single-shot", "Figure 4", "Figure 5", "Figure 6"):
        assert name in html
    for name in ("encoders", "depth", "distribution"):
        assert f"Table 3, {name}" in html
    assert html.count("data:image/png;base64,") == 4
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert "TMN was trained for 4 steps" in html
    assert "There are not enough for 50." in html
    assert "not finished yet" not in html
    assert "Every image counts as a patient of its own." in html
    assert "5.0 ± 3.4" in html  # the paper's TMN, few-shot


def test_the_table_of_numbers_holds_what_was_measured_beside_the_papers(finished):
    with (finished / "numbers.csv").open() as file:
        rows = {(r["table"], r["row"], r["figure"]): r for r in csv.DictReader(file)}
    base = json.loads((finished / "results" / f"{BASE}.json").read_text())
    errors = [error for draw in base["errors"]["1"] for error in draw]
    row = rows["Table 2, single-shot", "TMN", "mean"]
    assert float(row["here"]) == pytest.approx(sum(errors) / len(errors), rel=1e-3)
    assert float(row["paper"]) == 5.6
    assert float(rows["Figure 6", "Supervised baseline, 50 examples", "mean"]["paper"]) == 8.5
    assert rows["Figure 6", "Supervised baseline, 50 examples", "mean"]["here"] == ""
    for method in ("TMN", "SimCLR: patch", "SimCLR: pretrained", "Supervised baseline"):
        assert float(rows["Table 2, few-shot", method, "cpu"]["here"]) > 0
    assert float(rows["Table 3, depth", "1 layer", "mean"]["here"]) > 0
    assert float(rows["Figure 5", "40 x 40 px", "cyclic_mean"]["here"]) > 0
    assert {row for table, row, _ in rows if table == "Table 3, distribution"} == {"Normal", "Laplace"}


def test_a_finished_report_is_written_again_only_when_asked(finished, dots_folder, recipe, capsys):
    before = (finished / "numbers.csv").read_text()
    model = (finished / "models" / BASE / f"{BASE}.pt").stat().st_mtime_ns
    assert main(words(dots_folder, finished, recipe)) == 2
    assert "report.html exists" in capsys.readouterr().err
    (finished / "numbers.csv").write_text("")
    assert main(words(dots_folder, finished, recipe, "--overwrite")) == 0
    assert (finished / "numbers.csv").read_text() == before
    assert (finished / "models" / BASE / f"{BASE}.pt").stat().st_mtime_ns == model


def test_ctrl_c_loses_no_step_and_the_same_command_goes_on(
    finished, dots_folder, recipe, tmp_path, monkeypatch, capsys
):
    """The model that was stopped after its second step ends as the one that never was."""
    train = reproduce_tmn.comparison.train

    def interrupted(training, folder):
        for step in train(training, folder):
            if step == 2:
                signal.raise_signal(signal.SIGINT)
            yield step

    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(reproduce_tmn.comparison, "train", interrupted)
        assert main(words(dots_folder, output, recipe)) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert torch.load(output / "models" / BASE / "last.ckpt", weights_only=True)["step"] == 2
    assert not (output / "results" / f"{BASE}.json").exists()

    comparison = Comparison(dots_folder, output, read_config(recipe, ReproduceConfig))
    seen = []
    for step in comparison:
        seen.append(step.result)
        if (output / "report.html").exists():
            break
    assert "step 3 of 4" in seen[1]
    assert "13 of 14 models are not finished yet" in (output / "report.html").read_text()
    one, two = (json.loads((f / "results" / f"{BASE}.json").read_text()) for f in (finished, output))
    assert one["errors"] == two["errors"]
    assert one["maps"] == two["maps"]


def test_another_recipe_or_other_images_do_not_go_on_in_the_same_folder(
    finished, dots_folder, recipe, tmp_path, dots
):
    for name in ("settings.json", "split.csv"):
        shutil.copy(finished / name, tmp_path / name)
    config = read_config(recipe, ReproduceConfig)
    Comparison(dots_folder, tmp_path, config)
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text().replace("steps = 4", "steps = 5"))
    with pytest.raises(InputError, match=r"was begun with tmn\.run\.steps = 4, and it is 5 now"):
        Comparison(dots_folder, tmp_path, read_config(other, ReproduceConfig))
    fewer = tmp_path / "fewer"
    shutil.copytree(dots_folder, fewer)
    (fewer / "dots-3.mrk.json").unlink()
    with pytest.raises(InputError, match=r"or their landmarks, are not those that .*split\.csv lists"):
        Comparison(fewer, tmp_path, config)


def test_the_patient_may_be_told_on_the_command_line(dots_folder, recipe, tmp_path, capsys):
    assert main(words(dots_folder, tmp_path / "out", recipe, "--subject", "^(dots)-")) == 2
    assert "the annotated images are of 1 patient and 4 are needed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_left_alone(dots_folder, recipe, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(words(dots_folder, tmp_path, recipe)) == 2
    assert "holds other files; choose a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_first_sentence_says_who_learned_something():
    def off(mean: float) -> Result:
        return Result(1, 1.0, {1: [[mean]]}, 1)

    methods = {"tmn": off(2.0), "simclr": off(5.0), "pretrained": Result(0, 0.0), "same-place": off(3.0)}
    said = verdict(methods)
    assert "with one example: TMN 2.0, SimCLR: patch 5.0. To answer" in said
    assert "3.0 px off: better than that is TMN. With" in said
    assert "no method is better than that" in verdict(methods | {"tmn": off(4.0)})


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"mean": 5.04, "sd": 3.4}, "5.0 ± 3.4"),
        ({"mean": 5.04}, "5.0"),
        ({}, "–"),
    ],
)
def test_what_is_not_known_is_a_dash(figures, expected):
    assert cell("{mean:.1f} ± {sd:.1f}", figures) == expected


def test_the_folder_is_a_command_line_that_trains_the_baselines_too(root):
    command = [sys.executable, str(root / "Benchmarks" / "reproduce_tmn"), "train", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "{correspondence,regression,scn,simclr,tmn,tracker}" in said
