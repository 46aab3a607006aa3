from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import textured
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_landmarks
from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv
from LandmarkTrackerLib.formats.scans import Scan
from LandmarkTrackerLib.jobs.match import SLICES, VOLUMES, default_model, match, matching, write_match
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.step import Step, results


def image(seed: int, slices: int = 1) -> sitk.Image:
    stack = np.stack([textured((60, 50), seed + k) for k in range(slices)]).astype(np.float32)
    made = sitk.GetImageFromArray(stack)
    made.SetSpacing((1.5, 2.0, 3.0))
    made.SetOrigin((-10.0, 20.0, 5.0))
    return made


class Shifted:
    """Pairs that are 4, -3 and 0 mm apart; refuses a certain image."""

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        if fixed.GetSize() != moving.GetSize():
            raise InputError("these images do not fit")
        rng = np.random.default_rng(0)
        index = rng.uniform(0.1, 0.9, (30, 3)) * (np.array(fixed.GetSize()) - 1)
        points = np.array([fixed.TransformContinuousIndexToPhysicalPoint(i) for i in index.tolist()])
        return LandmarkPairs(points, points + np.array([4.0, -3.0, 0.0]), np.linspace(1, 0.6, 30))


class Stepped(Shifted):
    """The same in three steps."""

    def steps(self, fixed: sitk.Image, moving: sitk.Image) -> Iterator[Step[LandmarkPairs]]:
        yield from (Step(n, 3) for n in range(3))
        yield Step(3, 3, self.match(fixed, moving))


@pytest.mark.parametrize(("matcher", "total"), [(Shifted(), 1), (Stepped(), 3)])
def test_a_match_says_how_far_it_is_and_ends_with_the_pairs(matcher: Shifted, total: int) -> None:
    *before, last = matching(image(0), image(1), matcher)
    assert [(step.done, step.total, step.result) for step in before] == [
        (n, total, None) for n in range(total)
    ]
    assert last.done == total
    assert len(last.result) == 30


def test_slices_have_a_model_and_volumes_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("LandmarkTrackerLib.jobs.match.model_names", lambda: [SLICES])
    assert default_model(image(0)) == default_model(image(0)[:, :, 0]) == SLICES
    monkeypatch.setattr("LandmarkTrackerLib.jobs.match.model_names", list)
    assert default_model(image(0, 3)) == VOLUMES
    with pytest.raises(InputError, match="matches slices comes with the program; train one"):
        default_model(image(0))


def test_a_pair_that_cannot_be_used_does_not_stop_the_others() -> None:
    opened = []

    def read(name: str, slices: int) -> tuple[sitk.Image, sitk.Image]:
        opened.append(name)
        return image(0), image(1, slices)

    found = results(
        match({n: lambda n=n, s=s: read(n, s) for n, s in (("a", 1), ("b", 2), ("c", 1))}, Shifted())
    )
    first = next(found)
    assert opened == ["a"]
    assert len(first.pairs) == 30
    second, third = found
    assert second.pairs is None
    assert second.failure == "these images do not fit"
    assert third.name == "c"
    assert third.pairs is not None


def test_a_match_is_written_with_a_folder_for_every_program(tmp_path: Path) -> None:
    fixed, moving = image(0, 6), image(1, 6)
    pairs = Shifted().match(fixed, moving)
    written = write_match(tmp_path, Scan(fixed), Scan(moving), pairs, "title", sorted(EXPORTS))
    assert all(path.exists() for path in written)
    assert (tmp_path / "overview.png").stat().st_size > 20_000
    back = read_pairs_csv(tmp_path / "pairs.csv")
    np.testing.assert_array_equal(back.moving, pairs.moving)
    here, there = (read_landmarks(tmp_path / f"{role}.mrk.json") for role in ("fixed", "moving"))
    assert here.names == there.names == back.names
    np.testing.assert_allclose(there.positions - here.positions, np.tile([4, -3, 0], (30, 1)), atol=1e-12)


def test_a_program_that_cannot_take_slices_leaves_nothing_behind(tmp_path: Path) -> None:
    fixed, moving = image(0), image(1)
    pairs = Shifted().match(fixed, moving)
    with pytest.raises(InputError, match="volumes only"):
        write_match(tmp_path, Scan(fixed), Scan(moving), pairs, "title", ["elastix", "plastimatch"])
    assert list(tmp_path.iterdir()) == []


def test_results_of_a_registration_in_an_export_folder_survive_another_export(tmp_path: Path) -> None:
    fixed, moving = image(0), image(1)
    pairs = Shifted().match(fixed, moving)
    write_match(tmp_path, Scan(fixed), Scan(moving), pairs, "title", ["elastix"])
    (tmp_path / "elastix" / "result.0.mha").write_text("mine")
    write_match(tmp_path, Scan(fixed), Scan(moving), pairs.select(np.arange(20)), "title", ["elastix"])
    assert (tmp_path / "elastix" / "result.0.mha").read_text() == "mine"
    assert (tmp_path / "elastix" / "fixed_points.txt").read_text().startswith("point\n20\n")


def test_images_that_share_nothing_are_an_error(tmp_path: Path) -> None:
    none = LandmarkPairs(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(InputError, match="share no landmark"):
        write_match(tmp_path, Scan(image(0)), Scan(image(1)), none, "title")
