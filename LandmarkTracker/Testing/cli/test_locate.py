"""Landmarks of one image, found in others from a shell."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats import read_landmarks, write_landmarks
from LandmarkTrackerLib.landmarks import LandmarkSet

PIXEL = np.array([45, 40, 0])


@pytest.fixture
def subjects(oblique_cine, tmp_path):
    """A folder with example.nrrd and its landmarks, and target-1 .. 3; returns it and the true landmarks."""
    cine, shifts = oblique_cine
    points = {"apex": PIXEL, "base": PIXEL - (8, 6, 0)}
    for n in range(4):
        sitk.WriteImage(cine[n], str(tmp_path / ("example.nrrd" if n == 0 else f"target-{n}.nrrd")))
    shown = LandmarkSet.of({name: cine.grid.to_world(p) for name, p in points.items()})
    write_landmarks(tmp_path / "example.mrk.json", shown)
    return tmp_path, [shown.positions + cine.grid.axes[:, :2] @ shift for shift in shifts]


def arguments(folder, *targets, examples=("example",)):
    return [
        "locate",
        *(str(folder / f"{name}.nrrd") for name in examples),
        "--targets",
        *(str(folder / f"{name}.nrrd") for name in targets),
        "--output",
        str(folder / "out"),
        "--model",
        "ncc",
    ]


def test_every_target_gets_the_landmarks_of_the_example(subjects, capsys):
    folder, truth = subjects
    assert main(arguments(folder, "target-1", "target-3")) == 0
    for n in (1, 3):
        found = read_landmarks(folder / "out" / f"target-{n}.mrk.json")
        assert found.names == ("apex", "base")
        assert np.abs(found.positions - truth[n]).max() < 0.3
    rows = list(csv.DictReader((folder / "out" / "detections.csv").open()))
    assert [(row["image"], row["name"]) for row in rows] == [
        ("target-1", "apex"), ("target-1", "base"), ("target-3", "apex"), ("target-3", "base"),
    ]  # fmt: skip
    assert (folder / "out" / "overview.png").stat().st_size > 10000
    assert str(folder / "out" / "detections.csv") in capsys.readouterr().out


def test_results_are_not_overwritten_unless_asked(subjects, capsys):
    folder, _ = subjects
    assert main(arguments(folder, "target-1")) == 0
    assert main(arguments(folder, "target-1")) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*arguments(folder, "target-1"), "--overwrite"]) == 0


def test_examples_may_each_hold_some_of_the_landmarks(subjects):
    folder, truth = subjects
    both = read_landmarks(folder / "example.mrk.json")
    write_landmarks(folder / "example.mrk.json", both.select(["apex"]), overwrite=True)
    second = LandmarkSet(both.names, truth[2]).select(["base"])
    write_landmarks(folder / "target-2.mrk.json", second)
    assert main(arguments(folder, "target-3", examples=("example", "target-2"))) == 0
    found = read_landmarks(folder / "out" / "target-3.mrk.json")
    assert found.names == ("apex", "base")
    assert np.abs(found.positions - truth[3]).max() < 0.3


def test_a_target_stored_otherwise_is_found_and_the_log_says_what_was_made_up_for(subjects, capsys):
    folder, truth = subjects
    image = sitk.ReadImage(str(folder / "target-1.nrrd"))
    sitk.WriteImage(sitk.Flip(image, (True, False, False)) * 5, str(folder / "target-1.nrrd"))
    assert main(arguments(folder, "target-1")) == 0
    assert "target-1: axes stored in the other direction; brightness" in capsys.readouterr().out
    found = read_landmarks(folder / "out" / "target-1.mrk.json")
    assert np.abs(found.positions - truth[1]).max() < 0.3


def test_one_bad_target_does_not_stop_the_others_and_the_exit_code_says_so(subjects, capsys):
    folder, _ = subjects
    (folder / "target-1.nrrd").write_text("x")
    assert main(arguments(folder, "target-1", "target-2")) == 2
    printed = capsys.readouterr()
    assert "target-1: failed" in printed.out
    assert "1 of 2 images could not be used" in printed.err
    assert (folder / "out" / "target-2.mrk.json").exists()


def test_an_example_that_cannot_be_used_is_named(subjects, capsys):
    folder, _ = subjects
    assert main(arguments(folder, "target-1", examples=("target-2",))) == 2
    assert "has no landmarks beside it" in capsys.readouterr().err
    write_landmarks(folder / "target-2.mrk.json", LandmarkSet.of({"far": (999, 0, 0)}))
    assert main(arguments(folder, "target-1", examples=("example", "target-2"))) == 2
    assert "target-2.nrrd: example: landmark 'far'" in capsys.readouterr().err


def test_where_a_click_can_be_trusted_is_measured_without_labels(subjects, capsys):
    folder, _ = subjects
    wanted = ["evaluate", "cyclic", str(folder / "example.nrrd"), "--model", "ncc", "--step", "16"]
    targets = ["--targets", *(str(folder / f"{name}.nrrd") for name in ("example", "target-1", "target-2"))]
    output = ["--output", str(folder / "trust")]
    assert main([*wanted, *targets, "--count", "1", *output]) == 0
    assert "cyclic error" in capsys.readouterr().out
    (row,) = csv.DictReader((folder / "trust" / "cyclic.csv").open())
    # It moves by whole pixels, less than the search reaches: there and back again is exact inside.
    assert (row["image"], row["targets"]) == ("example", "1")
    assert float(row["template_median"]) < 0.05
    assert float(row["cyclic_median"]) < 0.2
    overlay = sitk.ReadImage(str(folder / "trust" / "example-error.nrrd"))
    assert overlay.GetSize() == (96, 80, 1)
    assert overlay.GetSpacing() == pytest.approx((1.25, 1.5, 8.0))
    assert (folder / "trust" / "cyclic.png").stat().st_size > 20000
    assert main([*wanted, *targets, *output]) == 2
    assert "exists" in capsys.readouterr().err
    assert main([*wanted, "--targets", str(folder / "example.nrrd"), *output, "--overwrite"]) == 2
    assert "no target" in capsys.readouterr().err
