from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.methods.correspondence import mutual
from LandmarkTrackerLib.methods.correspondence.candidates import Candidates
from LandmarkTrackerLib.methods.correspondence.mutual import inverse_consistent, mutual_best
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork


def by_hand(values: np.ndarray) -> list[tuple[int, int]]:
    best = np.unravel_index(np.arange(values.size), values.shape)
    return [
        (int(i), int(j))
        for i, j in zip(*best, strict=True)
        if values[i, j] > -np.inf and values[i].argmax() == j and values[:, j].argmax() == i
    ]


@pytest.mark.parametrize("entries", [1, 30, 10_000])
def test_pairs_are_the_best_of_row_and_column_however_little_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    monkeypatch.setattr(mutual, "ENTRIES", entries)
    values = np.random.default_rng(0).normal(size=(23, 17))
    rows, columns = mutual_best(lambda r: torch.from_numpy(values[r]), values.shape)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == by_hand(values)


def test_what_the_gate_excludes_is_no_candidate() -> None:
    values = np.random.default_rng(1).normal(size=(9, 12))
    allowed = np.random.default_rng(2).random((9, 12)) < 0.3
    allowed[4] = False
    rows, columns = mutual_best(
        lambda r: torch.from_numpy(values[r]), values.shape, lambda r: torch.from_numpy(allowed[r])
    )
    found = sorted(zip(rows.tolist(), columns.tolist(), strict=True))
    assert found == by_hand(np.where(allowed, values, -np.inf))
    assert 4 not in rows


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_no_candidates_give_no_pairs(shape: tuple[int, int]) -> None:
    rows, columns = mutual_best(lambda r: torch.zeros(shape)[r], shape)
    assert len(rows) == len(columns) == 0


def test_a_pair_must_be_best_by_probability_and_by_distance() -> None:
    """Section 2.5: neither alone is enough."""
    network = CorrespondenceNetwork(2, (1, 1, 2))
    with torch.no_grad():
        network.matching.weight[1] = torch.tensor([1.0, 1.0, 0.0])
        network.matching.weight[0] = 0
        network.matching.bias[:] = 0
    fixed = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    # The first agrees by both. The second is more probable with the long one, and nearer to the short one.
    moving = torch.tensor([[2.0, 0, 0], [0, 5.0, 4.0], [0, 1.0, 0.1]])
    a, b = (Candidates(np.zeros((len(x), 2)), np.ones(len(x)), x) for x in (fixed, moving))
    rows, columns = inverse_consistent(network, a, b)
    assert rows.tolist() == [0]
    assert columns.tolist() == [0]
