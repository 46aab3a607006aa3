"""Training from the workbench: annotated images saved, another process that learns, its report."""

from __future__ import annotations

import importlib.util
import time

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats import read_image, read_landmarks, write_landmarks
from LandmarkTrackerLib.formats.annotated import annotated_images
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from LandmarkTrackerLib.scene.process import last_lines
from LandmarkTrackerLib.scene.sections import learning
from LandmarkTrackerLib.training import recipe
from LandmarkTrackerLib.training.recipe import until

SECONDS = 600  # on a machine that is busy with other things


@pytest.fixture
def small(monkeypatch):
    """A network that takes no time."""
    tiny = recipe.Defaults(48, 8, "width = 8\nlevels = 2\nfactor = 4\nkernel = 5", 2)
    monkeypatch.setitem(recipe.DEFAULTS, 2, tiny)


def wait(bench, until=lambda: False):
    """Poll as a view does."""
    end = time.monotonic() + SECONDS
    while bench.learning.poll() and not until():
        assert time.monotonic() < end, bench.learning.log
        time.sleep(0.05)


def test_training_stops_goes_on_and_its_model_can_be_chosen(bench, small, dots_folder, tmp_path, dots):
    training = bench.learning
    training.images, training.folder, training.steps = dots_folder, tmp_path / "my dots", 5000
    assert not training.obstacle
    training.start()
    assert not bench.problem
    assert training.running
    assert training.text == "Preparing"
    assert training.obstacle == training.obstacle_continue == "A training is running."
    wait(bench, until=lambda: training.progress[0] >= 10)
    assert "of 5000" in training.text
    training.stop()
    assert training.obstacle_stop == "It ends after the step in hand."
    wait(bench)
    assert bench.status == "The training was stopped; press Continue to go on."
    assert training.obstacle.endswith("continue it, or choose another folder.")
    stopped = training.progress[0]
    training.steps = stopped + 10
    training.resume()
    wait(bench)
    assert bench.status.startswith("The detector 'my dots' is trained")
    assert training.progress[0] == stopped + 10
    assert "at best" in training.text
    assert training.obstacle_continue == "This training is complete; raise the number of steps to go on."
    assert "my dots" in [choice.label for choice in bench.detection.choices()]
    chart = training.show_chart()
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    assert table.GetNumberOfRows() == len((tmp_path / "my dots" / "training.csv").read_text().split()) - 1
    assert chart.GetNthPlotSeriesNode(0).GetName() == "loss"


def test_what_training_finds_wrong_with_the_images_is_said_in_its_words(bench, small, dots_folder, tmp_path):
    for n in range(12):
        read = read_landmarks(dots_folder / f"dots-{n}.mrk.json")
        if n == 5:
            read = LandmarkSet(read.names, read.positions + 500)
        write_landmarks(tmp_path / f"dots-{n}.mrk.json", read)
        (tmp_path / f"dots-{n}.nrrd").write_bytes((dots_folder / f"dots-{n}.nrrd").read_bytes())
    bench.learning.images, bench.learning.folder = tmp_path, tmp_path / "model"
    bench.learning.start()
    wait(bench)
    assert bench.problem.startswith(str(tmp_path / "dots-5.nrrd"))
    assert "lies outside the image" in bench.problem


def test_a_training_that_breaks_shows_the_last_that_it_said(bench, dots_folder, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    text = recipe.recipe(dots_folder, "", 20)
    (folder / "training.toml").write_text(text)
    (folder / "last.ckpt").write_bytes(b"this is no checkpoint")
    bench.learning.images, bench.learning.folder = dots_folder, folder
    bench.learning.resume()
    wait(bench)
    assert bench.problem.startswith("The training ended by itself. The last that it said: ")
    assert "Error" in bench.problem


def test_closing_the_workbench_ends_the_process(bench, small, dots_folder, tmp_path):
    bench.learning.images, bench.learning.folder = dots_folder, tmp_path / "model"
    bench.learning.start()
    process = bench.learning._process
    bench.close()
    assert process.code is not None
    assert not bench.learning.running


def test_nothing_begins_on_images_that_cannot_be_trained_on(bench, tmp_path, dots_folder):
    bench.learning.images, bench.learning.folder = tmp_path / "nowhere", tmp_path / "model"
    assert "is not there" in bench.learning.obstacle
    bench.learning.images = tmp_path
    bench.learning.start()
    assert "holds no annotated image" in bench.problem
    assert not (tmp_path / "model").exists()
    bench.learning.images, bench.learning.subject_until = dots_folder, "-"
    bench.learning.start()
    assert "add images of more subjects" in bench.problem
    assert not bench.learning.running


def test_a_training_file_of_the_users_is_not_replaced(bench, tmp_path, dots_folder):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "training.toml").write_text("mine")
    bench.learning.images, bench.learning.folder = dots_folder, tmp_path / "model"
    bench.learning.start()
    assert "was written by hand" in bench.problem
    assert (tmp_path / "model" / "training.toml").read_text() == "mine"


def test_missing_packages_are_named_with_what_to_type(bench, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "lightning_fabric" else found(name)
    )
    bench.learning.images = tmp_path
    assert "slicer.util.pip_install('lightning-fabric')" in bench.learning.obstacle


def test_annotated_volumes_and_frames_are_saved_as_training_reads_them(bench, scene, oblique_cine, tmp_path):
    cine = oblique_cine[0]
    assert bench.learning.obstacle_save
    bench.inputs.choose_image(add_cine(scene, cine))
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "patient / 2")
    fill_volume(volume, cine[3])
    bench.inputs.choose_others([volume])
    places = {"apex": cine.grid.to_world((40, 30, 0)), "base": cine.grid.to_world((20, 12, 0))}
    for subject, frame in ((bench.inputs.subject, 2), (bench.inputs.others[0], 0)):
        subject.show(subject.record.with_placed(frame, LandmarkSet.of(places)))
    other = bench.inputs.others[0]
    other.show(other.record.with_known(0, LandmarkSet.missing(["base"])).with_names(["not looked for"]))
    bench.learning.images = tmp_path / "annotated"
    bench.learning.save()
    assert bench.status == f"2 annotated images were written to {tmp_path / 'annotated'}"
    saved = annotated_images(tmp_path / "annotated", until(bench.learning.subject_until))
    assert [item.path.name for item in saved] == ["oblique-frame-0002.nrrd", "patient _ 2.nrrd"]
    assert [item.subject for item in saved] == ["oblique", "patient _ 2"]
    np.testing.assert_allclose(saved[0].landmarks["apex"].position, places["apex"], atol=1e-6)
    assert saved[1].landmarks["base"].status == "missing"
    assert saved[1].landmarks.names == ("apex", "base")
    np.testing.assert_allclose(
        sitk.GetArrayFromImage(read_image(saved[0].path)), sitk.GetArrayFromImage(cine[2])
    )
    bench.learning.save()
    assert "is there already" in bench.problem
    bench.learning.save(overwrite=True)
    assert not bench.problem


def test_the_last_lines_of_a_log_leave_out_what_a_progress_bar_showed_before(tmp_path):
    log = tmp_path / "log.txt"
    assert last_lines(log) == []
    log.write_bytes(b"read\r\n\rrun:  0%\rrun: 10%\r        \rstep 10: error 3\n\rrun: 20%")
    assert last_lines(log) == ["read", "step 10: error 3", "run: 20%"]


def test_the_loss_curve_is_the_mean_of_what_was_logged_lately():
    values = np.array([4.0, 2.0, *([0.0] * 12)])
    smooth = learning._smooth(values)
    assert smooth[:3].tolist() == [4, 3, 2]
    assert smooth[9] == pytest.approx(0.6)
    assert smooth[11] == 0
