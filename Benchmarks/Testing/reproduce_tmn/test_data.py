"""A folder is split by patient, and what is wrong with it is said with the file and the remedy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.landmarks import LandmarkSet
from reproduce_tmn.config import Data
from reproduce_tmn.data import PARTS, in_turn, read_cases

PATIENT = Data(subject=r"^(\w+)-")


@pytest.fixture
def folder(tmp_path, dots) -> Path:
    """Ten patients with three slices each; the third is not annotated."""
    for n in range(10):
        for k in range(3):
            image, positions = dots(3 * n + k)
            sitk.WriteImage(image, str(tmp_path / f"p{n}-{k}.nrrd"))
            if k < 2:
                landmarks = LandmarkSet(("left", "right", "bottom"), positions)
                write_landmarks(tmp_path / f"p{n}-{k}.mrk.json", landmarks)
    return tmp_path


def test_no_patient_is_in_two_parts_and_every_image_is_in_one(folder):
    cases = read_cases(folder, PATIENT)
    assert [sum(part == p for part in cases.parts.values()) for p in PARTS] == [6, 2, 2]
    assert len(cases.rows) == 30
    assert sum(count == 3 for *_, count in cases.rows) == 20
    for part in PARTS:
        subjects = {item.subject for item in cases.of(part)}
        assert subjects == {patient for patient, where in cases.parts.items() if where == part}
    assert cases.split.test == tuple(p for p, where in cases.parts.items() if where == "test")


def test_every_patients_first_example_comes_before_any_patients_second(folder):
    cases = read_cases(folder, PATIENT)
    orders = [cases.examples(draw, seed=0) for draw in range(2)]
    for order in orders:
        assert len({item.subject for item in order[:6]}) == 6
        assert {item.subject for item in order[6:]} == {item.subject for item in order[:6]}
    assert orders[0] != orders[1]
    assert in_turn(cases.annotated, (1,)) == in_turn(cases.annotated, (1,))


def test_a_table_may_name_the_patients(folder):
    rows = [f"p{n}-{k}.nrrd,{'ab'[n % 2]}{n // 2}" for n in range(10) for k in range(3)]
    (folder / "who.csv").write_text("\n".join(["file,patient", *rows]))
    cases = read_cases(folder, Data(subject="who.csv"))
    assert set(cases.parts) == {f"{letter}{n}" for letter in "ab" for n in range(5)}


def test_too_few_patients_are_refused(folder):
    for n in range(3, 10):
        for path in folder.glob(f"p{n}-*"):
            path.unlink()
    with pytest.raises(InputError, match="the annotated images are of 3 patients and 4 are needed"):
        read_cases(folder, PATIENT)


def test_a_patient_who_cannot_be_told_is_refused(folder):
    with pytest.raises(InputError, match=r"p0-0\.nrrd cannot be told by"):
        read_cases(folder, replace(PATIENT, subject="q(.)"))


def test_an_annotated_volume_is_refused(folder, dots):
    image, _ = dots(0)
    (folder / "p0-0.nrrd").unlink()
    sitk.WriteImage(sitk.Tile([image, image], (1, 1, 2)), str(folder / "p0-0.nrrd"))
    with pytest.raises(InputError, match=r"p0-0\.nrrd is a volume of 2 slices; annotate single slices"):
        read_cases(folder, PATIENT)


def test_landmarks_that_no_image_shows_together_are_refused(folder, dots):
    for path in folder.glob("*.mrk.json"):
        positions = dots(0)[1]
        kept = ("left", "right") if "-0" in path.name else ("right", "bottom")
        shutil.move(path, path.with_suffix(".old"))
        write_landmarks(path, LandmarkSet(("left", "right", "bottom"), positions).select(kept))
    with pytest.raises(InputError, match=r"no training image .* shows all of left, right, bottom"):
        read_cases(folder, PATIENT)
    cases = read_cases(folder, replace(PATIENT, landmarks=("right",)))
    assert len(cases.examples(0, seed=0)) == 12
