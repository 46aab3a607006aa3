"""Training files that the program writes for a folder of annotated images, and what it reads of a run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.formats.annotated import annotated_images
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.training.config import read_config
from LandmarkTrackerLib.training.heatmap_config import HeatmapTraining
from LandmarkTrackerLib.training.heatmap_task import HeatmapTask
from LandmarkTrackerLib.training.recipe import recipe, until
from LandmarkTrackerLib.training.report import read_report


def annotate(
    folder: Path, name: str, pixels: np.ndarray, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> None:
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(folder / f"{name}.nrrd"))
    middle = Grid.of(image).to_world((np.array(image.GetSize()) - 1) / 2)
    write_landmarks(folder / f"{name}.mrk.json", LandmarkSet.of({"middle": middle}))


def config(folder: Path, text: str) -> HeatmapTraining:
    path = folder / "training.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path, HeatmapTraining)


def test_a_recipe_for_slices_has_their_proportions_and_trains(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(3):
        annotate(tmp_path, f'a "quoted" {n}', rng.normal(size=(1, 60, 100)), (2.0, 1.5, 5.0))
    made = config(tmp_path, recipe(tmp_path, "-x-", 300, "cpu"))
    assert made.input.size == (128, 64)
    assert made.input.intensity == "image"
    assert (made.run.steps, made.run.device, made.data[0].subject) == (300, "cpu", until("-x-"))
    assert HeatmapTask(made).model.names == ("middle",)


def test_a_recipe_for_volumes_follows_the_patients_axes_and_knows_hounsfield_units(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(2):
        annotate(tmp_path, f"ct {n}", rng.normal(-900, 50, size=(20, 40, 30)), (1.0, 1.0, 4.0))
    made = config(tmp_path, recipe(tmp_path, "", 300))
    assert made.input.size == (24, 32, 64)
    assert made.input.intensity == "dataset"
    assert HeatmapTask(made).config.run.batch_size == 1


def test_slices_among_volumes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    annotate(tmp_path, "deep", np.random.default_rng(0).normal(size=(8, 20, 20)))
    annotate(tmp_path, "flat", np.random.default_rng(0).normal(size=(1, 20, 20)))
    with pytest.raises(InputError, match=r"flat\.nrrd is a slice and others are volumes"):
        recipe(tmp_path, "", 100)


def test_a_report_says_how_far_a_run_is_and_how_long_the_rest_takes(tmp_path: Path) -> None:
    assert read_report(tmp_path).step == 0
    assert math.isnan(read_report(tmp_path).seconds_left(100))
    (tmp_path / "training.csv").write_text(
        "step,seconds,loss,learning_rate\n5,10.0,4,0.1\n10,20.0,3,0.1\n15,30.0,2,0.1\n20,4"
    )
    (tmp_path / "validation.csv").write_text("step,seconds,error_mm,median_mm\n10,21.0,7.5,6\n")
    report = read_report(tmp_path)
    assert report.step == 15
    assert report.loss.tolist() == [4, 3, 2]
    assert report.seconds_left(100) == pytest.approx(170)
    assert (report.validated.tolist(), report.error_mm.tolist()) == ([10], [7.5])


def test_the_text_that_ends_a_subjects_name_may_hold_any_character(tmp_path: Path) -> None:
    for name in ("anna.b (1)-x", "anna.b (2)-x", "carl"):
        annotate(tmp_path, name, np.random.default_rng(0).normal(size=(1, 20, 20)))
    subjects = [item.subject for item in annotated_images(tmp_path, until(" ("))]
    assert subjects == ["anna.b", "anna.b", "carl"]
