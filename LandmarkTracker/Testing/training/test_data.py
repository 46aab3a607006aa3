from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import write_cine
from LandmarkTrackerLib.formats.annotated import Annotated
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.training.config import DataConfig, SplitConfig
from LandmarkTrackerLib.training.data import drawn_share, parts_of, read_split, subject_folds

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


def png(**changes: object) -> DataConfig:
    return DataConfig(**({"folder": "set", "files": "*.png", "subject": "^(.+)-IM-"} | changes))  # type: ignore[arg-type]


def test_every_patient_is_in_one_part_only(data: Path) -> None:
    parts = read_split((png(),), SplitConfig(("b",), ("c",)), FIELD, ("train", "validation", "test"))
    assert {part: images.subjects for part, images in parts.items()} == {
        "train": ("a", "a"),
        "validation": ("b", "b"),
        "test": ("c", "c"),
    }
    assert parts["train"].brightness.shape == (2, 32, 40)


def test_the_files_of_test_patients_are_not_opened_for_training(data: Path) -> None:
    (data / "set" / "c-IM-1.png").write_bytes(b"not an image")
    read_split((png(),), SplitConfig(("b",), ("c",)), FIELD)
    with pytest.raises(InputError, match="c-IM-1"):
        read_split((png(),), SplitConfig(("b",)), FIELD)


def test_images_without_geometry_take_the_spacing_that_is_configured(data: Path) -> None:
    parts = read_split((png(spacing=1.5),), SplitConfig(("b",)), FIELD)
    np.testing.assert_allclose(parts["train"].extent, 32 * 1.5 / 2.0)
    np.testing.assert_allclose(read_split((png(),), SplitConfig(("b",)), FIELD)["train"].extent, 16.0)


def test_a_table_tells_the_patients_and_files_it_does_not_name_are_left_out(data: Path) -> None:
    (data / "set" / "images.csv").write_text("file,patient\na-IM-1.png,x\nb-IM-2.png,y\n")
    parts = read_split((png(subject="images.csv"),), SplitConfig(("y",)), FIELD)
    assert (parts["train"].subjects, parts["validation"].subjects) == (("x",), ("y",))


def test_cines_volumes_and_phantoms_are_data_too(data: Path, oblique_cine: tuple[Cine, np.ndarray]) -> None:
    write_cine(data / "set" / "p1.seq.nrrd", oblique_cine[0])
    volume = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32))
    sitk.WriteImage(volume, str(data / "set" / "p2.nii.gz"))
    sources = (
        DataConfig(folder="set", files="*.seq.nrrd", subject="^(p.)"),
        DataConfig(folder="set", files="*.nii.gz", subject="^(p.)"),
        DataConfig(phantoms=2, frames=2),
    )
    parts = read_split(sources, SplitConfig(("phantom-1001",)), FIELD)
    assert parts["train"].subjects == ("p1",) * 6 + ("p2",) * 3 + ("phantom-1000",) * 2
    assert parts["validation"].subjects == ("phantom-1001",) * 2


@pytest.mark.parametrize(
    ("source", "split", "message"),
    [
        (png(folder="nowhere"), SplitConfig(("a",)), "set LANDMARKTRACKER_DATA"),
        (png(files="*.dcm"), SplitConfig(("a",)), "no file that fits"),
        (png(subject="^(x.+)"), SplitConfig(("a",)), "cannot be told by"),
        (png(), SplitConfig(("d",)), "subject 'd' of the split is not in the data"),
        (png(), SplitConfig(("a", "b", "c")), "no image is left for train"),
        (png(subject="none.csv"), SplitConfig(("a",)), "none.csv does not exist"),
    ],
)
def test_what_does_not_fit_is_named(data: Path, source: DataConfig, split: SplitConfig, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_split((source,), split, FIELD)


def test_contradictions_in_the_tables_are_named() -> None:
    with pytest.raises(InputError, match="either a folder or"):
        DataConfig()
    with pytest.raises(InputError, match="no group"):
        DataConfig(folder="x", subject="a.*")
    with pytest.raises(InputError, match="not a regular expression"):
        DataConfig(folder="x", subject="(")
    with pytest.raises(InputError, match="at least one subject"):
        SplitConfig(())
    with pytest.raises(InputError, match="in validation and in test"):
        SplitConfig(("a", "b"), ("b",))


def annotated(count: int) -> list[Annotated]:
    """Two images of each of so many subjects."""
    points = LandmarkSet.of({"tip": (0.0, 0.0, 0.0)})
    return [Annotated(Path(f"s{n}-{k}.nrrd"), f"s{n}", points) for n in range(count) for k in range(2)]


def test_a_share_of_the_subjects_is_drawn_for_validation_and_the_seed_decides() -> None:
    subjects = [item.subject for item in annotated(10)]
    parts = parts_of(subjects, SplitConfig(0.3, ("s4",)), seed=1)
    assert sorted(parts.values()).count("validation") == 3
    assert parts["s4"] == "test"
    assert parts == parts_of(subjects, SplitConfig(0.3, ("s4",)), seed=1)
    assert any(parts != parts_of(subjects, SplitConfig(0.3, ("s4",)), seed=n) for n in range(2, 6))


def test_images_of_one_subject_stay_in_one_fold() -> None:
    data = annotated(9)
    folds = subject_folds(data, 3)
    assert sorted(item.path for fold in folds for item in fold) == sorted(item.path for item in data)
    subjects = [{item.subject for item in fold} for fold in folds]
    assert all(not a & b for n, a in enumerate(subjects) for b in subjects[:n])
    assert {len(s) for s in subjects} == {3}


def test_too_few_subjects_are_refused() -> None:
    assert len(drawn_share(["a", "b"], 0.2, 0)) == 1
    with pytest.raises(InputError, match="2 subjects cannot be split into 5"):
        subject_folds(annotated(2), 5)
    with pytest.raises(InputError, match="add images of more subjects"):
        drawn_share(["a"], 0.2, 0)
    with pytest.raises(InputError, match="between 0 and 1"):
        SplitConfig(0.0)
