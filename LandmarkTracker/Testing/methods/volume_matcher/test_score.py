from __future__ import annotations

from dataclasses import replace

import torch
from LandmarkTrackerLib.methods.volume_matcher.score import Seen, chances


def seen(**other: float) -> Seen:
    torch.manual_seed(0)
    values = {
        "distance": 0.02,
        "there_and_back": 0.2,
        "off_neighbours": 0.2,
        "off_own": 0.1,
        "margin": 0.3,
    } | other
    return Seen.of(
        100 * torch.rand(30, 3), **{name: torch.full((30,), value) for name, value in values.items()}
    )


def test_a_wider_tolerance_is_met_more_often() -> None:
    few, many = chances(seen(), 0.3), chances(seen(), 3.0)
    assert (few < many).all()
    assert ((few > 0) & (many < 1)).all()


def test_a_pair_that_does_not_come_back_is_not_believed() -> None:
    assert (chances(seen(there_and_back=10.0), 1.3) < 0.5).all()
    assert (chances(seen(there_and_back=10.0, distance=0.15, margin=0.0), 1.3) < 0.05).all()
    assert (chances(seen(), 1.3) > 0.9).all()


def test_what_looks_different_is_believed_less() -> None:
    assert (chances(seen(distance=0.15), 1.3) < chances(seen(distance=0.01), 1.3)).all()


def test_neighbours_that_are_lost_count_against_a_pair() -> None:
    among = seen()
    lost = replace(among, around=among.around + 3)
    assert (chances(lost, 1.3) < chances(among, 1.3)).all()


def test_rows_are_chosen_together() -> None:
    some = seen().select(torch.tensor([3, 5]))
    assert len(some.features()) == 2
    assert len(Seen.joined([some, seen()]).distance) == 32
