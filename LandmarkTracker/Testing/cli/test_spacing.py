"""Images that do not state how large their pixels are, on the command line."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats.mrk_json import length_unit_of, read_mrk_json
from LandmarkTrackerLib.formats.seq_mrb import read_seq_mrb
from LandmarkTrackerLib.formats.track_csv import read_track_csv
from LandmarkTrackerLib.jobs.detect import write_detections
from LandmarkTrackerLib.landmarks import LandmarkSet

POINTS = "label,i,j\na,20,24\n"


@pytest.fixture
def pictures(tmp_path: Path, oblique_cine) -> Path:
    """A folder of PNG frames whose content moves by whole pixels, and a point counted in pixels."""
    (tmp_path / "cine").mkdir()
    for t, frame in enumerate(oblique_cine[0]):
        array = np.clip(sitk.GetArrayFromImage(frame)[0], 0, 255).astype(np.uint8)
        sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "cine" / f"{t}.png"))
    (tmp_path / "cine.csv").write_text(POINTS)
    return tmp_path


def run(*words: object) -> int:
    return main([*map(str, words)])


def track(folder: Path, *more: object) -> int:
    points = folder / "cine.csv"
    return run(
        "track", folder / "cine", "--landmarks", points, "--model", "ncc", "--output", folder / "out", *more
    )


def test_a_track_of_pictures_counts_pixels_and_says_so_once(pictures, oblique_cine, capsys):
    assert track(pictures) == 0
    assert capsys.readouterr().err.count("not calibrated") == 1
    assert (
        (pictures / "out" / "track.csv").read_text().startswith("frame,time,name,l,p,s,sigma_px,score,status")
    )
    found = read_track_csv(pictures / "out" / "track.csv")
    assert found.length_unit == read_seq_mrb(pictures / "out" / "track.seq.mrb").length_unit == "px"
    np.testing.assert_allclose(found.positions[:, 0, :2], oblique_cine[1] + (20, 24), atol=0.2)


def test_a_point_off_a_picture_is_told_in_pixels(pictures, capsys):
    (pictures / "cine.csv").write_text("label,i,j\na,20,2400\n")
    assert track(pictures) == 2
    assert "'a' at LPS (20.0, 2400.0, 0.0) px lies outside the image" in capsys.readouterr().err


def test_a_spacing_calibrates_the_track(pictures, oblique_cine, capsys):
    assert track(pictures, "--spacing", "0.5,0.25") == 0
    told = capsys.readouterr().err
    assert "not calibrated" not in told
    assert "spacing 0.5 x 0.25 x 1 mm as given by the user" in told
    found = read_track_csv(pictures / "out" / "track.csv")
    assert found.length_unit == "mm"
    np.testing.assert_allclose(
        found.positions[:, 0, :2], (oblique_cine[1] + (20, 24)) * (0.5, 0.25), atol=0.2 * 0.5
    )


@pytest.mark.parametrize("spacing", ["0", "-1", "wide", "1,2,3,4", "nan", "inf", ""])
def test_a_spacing_that_is_none_is_refused(pictures, spacing, capsys):
    with pytest.raises(SystemExit) as ended:
        track(pictures, "--spacing", spacing)
    assert ended.value.code == 2
    assert "is not one to three numbers above 0" in capsys.readouterr().err


def test_info_shows_what_calibrates(pictures, capsys):
    assert run("info", pictures / "cine") == 0
    assert "spacing: not calibrated" in capsys.readouterr().out
    assert run("info", pictures / "cine", "--spacing", "0.25") == 0
    told = capsys.readouterr().out
    assert "spacing: 0.25 x 0.25 x 0.25 mm" in told
    assert "as given by the user" in told


def test_a_batch_says_once_what_is_not_calibrated(pictures, capsys):
    (pictures / "more").mkdir()
    for name in ("a", "b"):
        shutil.copytree(pictures / "cine", pictures / "more" / name)
        (pictures / "more" / f"{name}.csv").write_text(POINTS)
    words = ("batch", pictures / "more", "--model", "ncc", "--output", pictures / "out")
    assert run(*words) == 0
    told = capsys.readouterr().err
    assert told.count("not calibrated") == 1
    assert "2 of 2 images are not calibrated" in told
    assert [row["unit"] for row in rows(pictures / "out" / "cases.csv")] == ["px", "px"]
    assert run(*words, "--overwrite", "--spacing", "0.5") == 0
    assert "not calibrated" not in capsys.readouterr().err
    assert [row["unit"] for row in rows(pictures / "out" / "cases.csv")] == ["mm", "mm"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_locate_writes_pixels_for_pictures_and_says_so_once(pictures, capsys):
    example = pictures / "example.png"
    example.write_bytes((pictures / "cine" / "0.png").read_bytes())
    (pictures / "example.csv").write_text(POINTS)
    targets = [pictures / "cine" / f"{t}.png" for t in (1, 2)]
    words = ("locate", example, "--targets", *targets, "--model", "ncc", "--output", pictures / "out")
    assert run(*words) == 0
    assert capsys.readouterr().err.count("not calibrated") == 1
    assert "sigma_px" in rows(pictures / "out" / "detections.csv")[0]
    text = (pictures / "out" / "1.mrk.json").read_text()
    assert (length_unit_of(text), '"units": "px"' in text) == ("px", True)
    assert read_mrk_json(pictures / "out" / "1.mrk.json").sigma_mm[0] > 0
    assert run(*words, "--overwrite", "--spacing", "0.5") == 0
    assert "not calibrated" not in capsys.readouterr().err
    table = rows(pictures / "out" / "detections.csv")
    assert "sigma_px" not in table[0]
    assert float(table[0]["l"]) == pytest.approx(10.5, abs=0.2)


def test_a_table_of_images_keeps_pixels_and_mm_apart(tmp_path):
    found = LandmarkSet(("a",), np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 0.5, 0.0]]))
    write_detections(tmp_path / "t.csv", {"ct": found, "photo": found}, units={"ct": "mm", "photo": "px"})
    assert [(row["sigma_mm"], row["sigma_px"]) for row in rows(tmp_path / "t.csv")] == [
        ("0.5", ""),
        ("", "0.5"),
    ]
