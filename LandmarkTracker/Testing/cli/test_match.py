"""`match` and `export` on files, as a user runs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from conftest import textured
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.formats import elastix, read_landmarks, write_cine, write_landmarks
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv
from LandmarkTrackerLib.formats.track_csv import write_track_csv
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.weights import save_model

SHIFT = (23, -14)  # columns, rows


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Two slices of one texture, in Hounsfield units, of which the second is shifted."""
    large = textured((320, 288)).astype(np.float32) * 1.5 - 150
    for name, (i, j) in (("fixed", (40, 40)), ("moving", (40 - SHIFT[0], 40 - SHIFT[1]))):
        image = sitk.GetImageFromArray(large[None, j : j + 208, i : i + 224])
        image.SetOrigin((-100.0, 50.0, 7.0))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    return tmp_path


def match(case: Path, *more: object) -> int:
    words = ["match", case / "fixed.nrrd", case / "moving.nrrd", "--output", case / "out", *more]
    return main([str(word) for word in words])


@pytest.mark.parametrize("rule", ["consistent", "smooth"])
def test_two_slices_become_pairs_that_lie_where_the_content_went(case: Path, rule: str, capsys) -> None:
    assert match(case, "--filter", rule, "--export", "elastix", "simpleitk") == 0
    written = {"pairs.csv", "fixed.mrk.json", "moving.mrk.json", "overview.png", "elastix", "simpleitk"}
    assert {path.name for path in (case / "out").iterdir()} == written
    assert {Path(line).name for line in capsys.readouterr().out.splitlines()} == written
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    off = np.linalg.norm(pairs.moving - pairs.fixed - (*SHIFT, 0), axis=1)
    assert len(pairs) > 50
    assert np.median(off) < 0.5
    assert (np.diff(pairs.score) <= 0).all()
    np.testing.assert_allclose(pairs.fixed[:, 2], 7)
    exported = elastix.parse(case / "out" / "elastix" / "fixed_points.txt").values()
    np.testing.assert_allclose(exported, pairs.fixed[:, :2])


def test_results_are_replaced_only_when_told(case: Path, capsys) -> None:
    assert match(case) == 0
    assert match(case) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert match(case, "--overwrite") == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [("volume", "for single slices"), ("constant", "constant"), ("other model", "does not match two images")],
)
def test_what_cannot_be_matched_is_said_in_words(case: Path, change: str, words: str, capsys) -> None:
    if change == "volume":
        sitk.WriteImage(sitk.GaussianSource(size=(32, 32, 4)), str(case / "fixed.nrrd"))
    elif change == "constant":
        sitk.WriteImage(sitk.Image(32, 32, 1, sitk.sitkInt16), str(case / "moving.nrrd"))
    else:
        save_model(case / "model.pt", "tmn", {}, {})
    more = ["--model", case / "model.pt"] if change == "other model" else ["--model", "correspondence-ct"]
    assert match(case, *more) == 2
    assert words in capsys.readouterr().err
    assert not (case / "out" / "pairs.csv").exists()


def untrained(path: Path) -> Path:
    """A model for volumes that has only learnt the range of what it sees, and calls every peak a landmark."""
    torch.manual_seed(0)
    network = CorrespondenceNetwork(3, (4, 4, 8))
    for _ in range(20):
        network(torch.rand(1, 1, 16, 16, 16))
    network.landmark.bias.data += 50
    network.matching.weight.data = torch.tensor([[-1.0], [1.0]]).expand(2, 12)
    config = {"input": {"dimension": 3, "spacing": 2.0, "intensity": "image"}, "filters": [4, 4, 8]}
    save_model(path, "correspondence", config, network.state_dict())
    return path


def test_volumes_are_matched_block_by_block_with_a_model_of_ones_own(case: Path, capsys) -> None:
    noise = np.random.default_rng(0).normal(size=(80, 20, 24)).astype(np.float32)
    volume = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise), 1.5)
    volume.SetSpacing((2.0, 2.0, 2.0))
    for name in ("fixed", "moving"):
        sitk.WriteImage(volume, str(case / f"{name}.nrrd"))
    model = untrained(case / "volumes.pt")
    assert match(case, "--model", model, "--filter", "consistent", "--export", "elastix") == 0
    # Two blocks in each volume, and the pairs.
    assert "5/5" in capsys.readouterr().err
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    assert len(pairs) > 2
    np.testing.assert_allclose(pairs.moving, pairs.fixed, atol=1e-3)
    assert elastix.parse(case / "out" / "elastix" / "fixed_points.txt").values().shape == (len(pairs), 3)


def test_a_folder_of_pairs_is_matched_and_a_bad_pair_does_not_stop_the_rest(case: Path, capsys) -> None:
    for name in ("anna", "bert"):
        (case / "pairs" / name).mkdir(parents=True)
        sitk.WriteImage(sitk.ReadImage(str(case / "fixed.nrrd")), str(case / "pairs" / name / "day 1.nrrd"))
    sitk.WriteImage(sitk.ReadImage(str(case / "moving.nrrd")), str(case / "pairs" / "anna" / "day 2.nrrd"))
    words = ["match", case / "pairs", "--output", case / "out", "--export", "elastix"]
    assert main([str(word) for word in words]) == 1
    assert "bert: " in capsys.readouterr().err
    pairs = read_pairs_csv(case / "out" / "anna" / "pairs.csv")
    assert np.median(np.linalg.norm(pairs.moving - pairs.fixed - (*SHIFT, 0), axis=1)) < 0.5
    assert (case / "out" / "anna" / "elastix" / "register.sh").exists()
    rows = (case / "out" / "cases.csv").read_text().splitlines()
    assert rows[1].startswith(f"anna,done,{len(pairs)},0,")
    assert rows[2].startswith("bert,failed,")
    done = (case / "out" / "anna" / "pairs.csv").stat().st_mtime_ns
    assert main([str(word) for word in words]) == 1
    assert (case / "out" / "anna" / "pairs.csv").stat().st_mtime_ns == done


def test_a_folder_without_pairs_is_said_in_words(case: Path, capsys) -> None:
    assert main(["match", str(case), "--output", str(case / "out")]) == 2
    assert "no folder with two images" in capsys.readouterr().err


def test_landmarks_of_two_images_are_exported_without_those_that_are_lost(case: Path, capsys) -> None:
    here = LandmarkSet(("a", "b", "c"), np.array([[1.0, 2, 7], [3, 4, 7], [5, 6, 7]]))
    write_landmarks(case / "a.mrk.json", here)
    write_landmarks(case / "b.csv", here.without(np.array([False, True, False])).select(("c", "b", "a")))
    words = [
        "export",
        case / "a.mrk.json",
        case / "b.csv",
        "--images",
        case / "fixed.nrrd",
        case / "moving.nrrd",
    ]
    assert main([str(w) for w in [*words, "--export", "elastix", "--output", case / "out"]]) == 0
    assert elastix.parse(case / "out" / "elastix" / "moving_points.txt").values().tolist() == [[1, 2], [5, 6]]
    assert read_landmarks(case / "out" / "moving.mrk.json").names == ("a", "c")
    assert "2 pairs; 1 landmarks are not in both" in capsys.readouterr().out


def test_two_frames_of_a_track_are_exported(case: Path) -> None:
    phantom = Phantom(3, frames=4)
    write_cine(case / "torso.seq.nrrd", phantom.cine())
    write_track_csv(case / "track.csv", phantom.track())
    words = ["export", case / "track.csv", "--images", case / "torso.seq.nrrd", "--frames", 0, 3]
    words += ["--export", "simpleitk", "--output", case / "out"]
    assert main([str(w) for w in words]) == 0
    pairs = read_pairs_csv(case / "out" / "pairs.csv")
    assert pairs.names == phantom.track().names
    np.testing.assert_allclose(pairs.moving, phantom.landmarks(3).positions)
    assert (case / "out" / "simpleitk" / "rigid.tfm").exists()


@pytest.mark.parametrize("frames", [[], ["--frames", "0", "9"]])
def test_an_export_of_half_the_files_or_of_no_frame_is_refused(case: Path, frames: list[str], capsys) -> None:
    phantom = Phantom(3, frames=2)
    write_cine(case / "torso.seq.nrrd", phantom.cine())
    write_track_csv(case / "track.csv", phantom.track())
    words = ["export", case / "track.csv", "--images", case / "torso.seq.nrrd", "--output", case / "out"]
    assert main([str(w) for w in [*words, *frames]]) == 2
    error = capsys.readouterr().err
    assert ("has no frame 9" if frames else "two point files") in error
