from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.pairs_csv import read_pairs_csv, write_pairs_csv
from LandmarkTrackerLib.landmarks import LandmarkPairs, LandmarkSet


def test_pairs_survive_to_the_last_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ('rib 7, "left"', "é", "3")
    pairs = LandmarkPairs(rng.normal(size=(3, 3)) / 3, rng.normal(size=(3, 3)), rng.uniform(size=3), names)
    write_pairs_csv(tmp_path / "pairs.csv", pairs)
    header = (tmp_path / "pairs.csv").read_text().splitlines()[0]
    assert header == "name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s,score"
    back = read_pairs_csv(tmp_path / "pairs.csv")
    assert back.names == names
    for name in ("fixed", "moving", "score"):
        np.testing.assert_array_equal(getattr(back, name), getattr(pairs, name))


def test_only_what_both_images_show_is_a_pair_in_the_order_of_the_first() -> None:
    here = LandmarkSet(
        ("a", "lost here", "b", "c"), np.arange(12.0).reshape(4, 3), defined=np.array([1, 0, 1, 1], bool)
    )
    there = LandmarkSet(
        ("c", "b", "lost here", "a", "only there"),
        10 * np.arange(15.0).reshape(5, 3),
        scores=np.array([0.5, 1, 1, 1, 1]),
        defined=np.array([1, 1, 1, 0, 1], bool),
    )
    pairs = LandmarkPairs.of(here, there)
    assert pairs.names == ("b", "c")
    np.testing.assert_array_equal(pairs.fixed, [[6, 7, 8], [9, 10, 11]])
    np.testing.assert_array_equal(pairs.moving, [[30, 40, 50], [0, 10, 20]])
    np.testing.assert_array_equal(pairs.score, [1, 0.5])


def test_a_pair_with_a_missing_end_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="position in both"):
        LandmarkPairs(np.zeros((1, 3)), np.full((1, 3), np.nan), np.ones(1))


def test_a_table_without_scores_is_certain(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\na,1,2,3,4,5,6\n")
    assert read_pairs_csv(path).score.tolist() == [1.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("name,l,p,s\na,1,2,3\n", "not a table of pairs"),
        ("name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\n", "not a table of pairs"),
        ("name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\na,1,2,3,4,,6\n", "not a number"),
        ("name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\na,1,2,3,4,nan,6\n", "no finite position"),
        (
            "name,fixed_l,fixed_p,fixed_s,moving_l,moving_p,moving_s\na,1,2,3,4,5,6\na,1,2,3,4,5,6\n",
            "rename",
        ),
    ],
)
def test_a_bad_table_is_refused_in_words(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=message):
        read_pairs_csv(path)
