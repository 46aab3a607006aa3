"""Detecting in many images: nothing lost, nothing overwritten, one bad file stops nobody."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.jobs.detect import detect, detect_files
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.step import results


class BrightestPixel:
    """A Detector of one point, the brightest pixel; a second one is never found."""

    names = ("bright", "absent")

    def detect(self, image: sitk.Image) -> LandmarkSet:
        values = sitk.GetArrayFromImage(image)
        if values.shape[0] > 1:
            raise InputError("the model is for single slices and the image is a volume; give one slice of it")
        k, j, i = np.unravel_index(values.argmax(), values.shape)
        positions = np.array([image.TransformIndexToPhysicalPoint((int(i), int(j), int(k))), [np.nan] * 3])
        return LandmarkSet(self.names, positions, np.full((2, 3), 0.5), defined=np.array([True, False]))


def slice_with(i: int, j: int) -> sitk.Image:
    image = sitk.Image(12, 10, 1, sitk.sitkFloat32)
    image.SetSpacing((2.0, 2.0, 1.0))
    image[i, j, 0] = 1.0
    return image


@pytest.fixture
def paths(tmp_path) -> list[Path]:
    folder = tmp_path / "images"
    folder.mkdir()
    for n in range(3):
        sitk.WriteImage(slice_with(n + 1, 4), str(folder / f"case-{n}.nrrd"))
    return sorted(folder.iterdir())


def test_every_image_becomes_a_point_list_and_a_row_of_the_table(paths, tmp_path):
    output = tmp_path / "out"
    found = list(results(detect_files(paths, BrightestPixel(), output)))
    assert [f.name for f in found] == ["case-0", "case-1", "case-2"]
    assert sorted(p.name for p in output.iterdir()) == [
        "case-0.mrk.json",
        "case-1.mrk.json",
        "case-2.mrk.json",
        "detections.csv",
        "overview.png",
    ]
    marks = read_landmarks(output / "case-1.mrk.json")
    assert np.allclose(marks["bright"].position, (4, 8, 0))
    assert marks["absent"].status == "missing"
    rows = list(csv.DictReader((output / "detections.csv").open()))
    assert [row["status"] for row in rows] == ["defined", "missing"] * 3
    assert [float(rows[2][c]) for c in "lps"] == [4, 8, 0]
    assert float(rows[2]["sigma_mm"]) == pytest.approx(0.5)
    assert rows[3]["l"] == ""


def test_an_image_that_cannot_be_used_does_not_stop_the_others(paths, tmp_path):
    paths[0].write_bytes(b"no image")
    volume = sitk.GetImageFromArray(np.random.default_rng(0).random((8, 8, 8)))
    sitk.WriteImage(volume, str(paths[1]))
    found = list(results(detect_files(paths, BrightestPixel(), tmp_path / "out")))
    assert [f.landmarks is None for f in found] == [True, True, False]
    assert "case-0" in found[0].failure
    assert "one slice of it" in found[1].failure
    assert not (tmp_path / "out" / "case-0.mrk.json").exists()


def test_an_image_without_contrast_holds_no_landmark():
    (found,) = results(detect({"flat": lambda: sitk.Image(8, 8, 1, sitk.sitkInt16)}, BrightestPixel()))
    assert not found.landmarks.defined.any()
    assert found.landmarks.names == BrightestPixel.names


def test_images_are_read_when_it_is_their_turn():
    opened = []

    def read(n: int) -> sitk.Image:
        opened.append(n)
        return slice_with(n, n)

    steps = results(detect({str(n): lambda n=n: read(n) for n in range(5)}, BrightestPixel()))
    next(steps)
    assert opened == [0]


def test_a_caller_who_stops_early_keeps_what_was_finished(paths, tmp_path):
    steps = results(detect_files(paths, BrightestPixel(), tmp_path / "out"))
    next(steps)
    steps.close()
    assert len(list(csv.DictReader((tmp_path / "out" / "detections.csv").open()))) == 2
    assert not (tmp_path / "out" / "case-2.mrk.json").exists()


def test_results_that_are_there_already_are_not_touched_unasked(paths, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    (output / "case-2.mrk.json").write_text("mine")
    with pytest.raises(InputError, match=r"case-2.mrk.json exists"):
        next(results(detect_files(paths, BrightestPixel(), output)))
    assert (output / "case-2.mrk.json").read_text() == "mine"
    assert len(list(results(detect_files(paths, BrightestPixel(), output, overwrite=True)))) == 3
    assert len(read_landmarks(output / "case-2.mrk.json")) == 2


def test_two_images_of_one_name_are_refused(paths, tmp_path):
    with pytest.raises(InputError, match="two images are named 'case-0'"):
        next(results(detect_files([paths[0], paths[0]], BrightestPixel(), tmp_path / "out")))
