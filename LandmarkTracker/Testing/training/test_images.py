from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import write_cine
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.training.images import Source, Split, read_split

FIELD = Field((40, 32), 2.0)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three PNG patients with two images each, in a folder that LANDMARKTRACKER_DATA names."""
    monkeypatch.setenv("LANDMARKTRACKER_DATA", str(tmp_path))
    folder = tmp_path / "set"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for patient in "abc":
        for number in (1, 2):
            image = sitk.GetImageFromArray(rng.integers(0, 255, (32, 32), dtype=np.uint8))
            sitk.WriteImage(image, str(folder / f"{patient}-IM-{number}.png"))
    return tmp_path


def png(**changes: object) -> Source:
    return Source(**({"folder": "set", "files": "*.png", "patient": "^(.+)-IM-"} | changes))  # type: ignore[arg-type]


def test_every_patient_is_in_one_part_only(data: Path) -> None:
    parts = read_split((png(),), Split(("b",), ("c",)), FIELD, ("train", "validation", "test"))
    assert {part: images.patients for part, images in parts.items()} == {
        "train": ("a", "a"),
        "validation": ("b", "b"),
        "test": ("c", "c"),
    }
    assert parts["train"].brightness.shape == (2, 32, 40)


def test_the_files_of_test_patients_are_not_opened_for_training(data: Path) -> None:
    (data / "set" / "c-IM-1.png").write_bytes(b"not an image")
    read_split((png(),), Split(("b",), ("c",)), FIELD)
    with pytest.raises(InputError, match="c-IM-1"):
        read_split((png(),), Split(("b",)), FIELD)


def test_images_without_geometry_take_the_spacing_that_is_configured(data: Path) -> None:
    parts = read_split((png(spacing_mm=1.5),), Split(("b",)), FIELD)
    np.testing.assert_allclose(parts["train"].extent, 32 * 1.5 / 2.0)
    np.testing.assert_allclose(read_split((png(),), Split(("b",)), FIELD)["train"].extent, 16.0)


def test_a_table_tells_the_patients_and_files_it_does_not_name_are_left_out(data: Path) -> None:
    (data / "set" / "images.csv").write_text("file,patient\na-IM-1.png,x\nb-IM-2.png,y\n")
    parts = read_split((png(table="images.csv"),), Split(("y",)), FIELD)
    assert (parts["train"].patients, parts["validation"].patients) == (("x",), ("y",))


def test_cines_volumes_and_phantoms_are_data_too(data: Path, oblique_cine: tuple[Cine, np.ndarray]) -> None:
    write_cine(data / "set" / "p1.seq.nrrd", oblique_cine[0])
    volume = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32))
    sitk.WriteImage(volume, str(data / "set" / "p2.nii.gz"))
    sources = (
        Source(folder="set", files="*.seq.nrrd", patient="^(p.)"),
        Source(folder="set", files="*.nii.gz", patient="^(p.)"),
        Source(phantoms=2, frames=2),
    )
    parts = read_split(sources, Split(("phantom-1001",)), FIELD)
    assert parts["train"].patients == ("p1",) * 6 + ("p2",) * 3 + ("phantom-1000",) * 2
    assert parts["validation"].patients == ("phantom-1001",) * 2


@pytest.mark.parametrize(
    ("source", "split", "message"),
    [
        (png(folder="nowhere"), Split(("a",)), "set LANDMARKTRACKER_DATA"),
        (png(files="*.dcm"), Split(("a",)), "no file that fits"),
        (png(patient="^(x.+)"), Split(("a",)), "cannot be told by"),
        (png(), Split(("d",)), "patient 'd' of the split is not in the data"),
        (png(), Split(("a", "b", "c")), "no image is left for train"),
        (png(table="none.csv"), Split(("a",)), "CSV file with the columns"),
    ],
)
def test_what_does_not_fit_is_named(data: Path, source: Source, split: Split, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_split((source,), split, FIELD)


def test_contradictions_in_the_tables_are_named() -> None:
    with pytest.raises(InputError, match="either a folder or"):
        Source()
    with pytest.raises(InputError, match="no group"):
        Source(folder="x", patient="a.*")
    with pytest.raises(InputError, match="not a regular expression"):
        Source(folder="x", patient="(")
    with pytest.raises(InputError, match="at least one patient"):
        Split(())
    with pytest.raises(InputError, match="in validation and in test"):
        Split(("a", "b"), ("b",))
