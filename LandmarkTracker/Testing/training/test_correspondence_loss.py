from __future__ import annotations

import math

import pytest
import torch
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork, Features
from LandmarkTrackerLib.training.correspondence_loss import (
    contrast_loss,
    hinge_loss,
    landmark_loss,
    matching_loss,
    repeatability_loss,
    sample_pairs,
)

TRUTH = torch.tensor([[[True, False], [False, False]]])


def features(*peaks: tuple[int, int]) -> Features:
    """A branch's answer with landmarks at these columns and rows of a 16 x 24 image."""
    logits = torch.full((1, 1, 16, 24), -4.0)
    for n, (i, j) in enumerate(peaks):
        logits[0, 0, j, i] = 5.0 - n
    return Features(logits, (torch.randn(1, 2, 8, 12), torch.randn(1, 3, 4, 6)))


def pairs(shift: tuple[int, int], moving: tuple[int, int], valid: float = 1.0) -> torch.Tensor:
    """Ground truth of one landmark at (10, 5) in the fixed image and one in an image that is shifted."""
    network = CorrespondenceNetwork(2, (1, 2, 3))
    j, i = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    origins = torch.stack([i + shift[0], j + shift[1]])[None]
    masks = torch.ones(1, 1, 16, 24), torch.full((1, 1, 16, 24), valid)
    return sample_pairs(network, features((10, 5)), features(moving), origins, masks, 1, 8, 2.0).truth


@pytest.mark.parametrize(
    ("moving", "same"), [((6, 8), True), ((6, 9), True), ((6, 10), False), ((14, 2), False)]
)
def test_a_pair_is_true_where_the_projection_falls_within_two_pixels(
    moving: tuple[int, int], same: bool
) -> None:
    # Pixel (6, 8) of the moving image shows pixel (10, 5) of the fixed one.
    assert pairs((4, -3), moving).item() is same


def test_a_landmark_outside_the_valid_mask_has_no_partner() -> None:
    assert pairs((4, -3), (6, 8)).item()
    assert not pairs((4, -3), (6, 8), valid=0.0).item()


def test_equation_2_asks_for_high_probability_and_for_truth() -> None:
    logits = torch.tensor([[0.0, math.log(3)]])
    # p = 1/2 with a partner, p = 3/4 without
    expected = (0.5 + 0.25) / 2 + (-math.log(0.5) - math.log(0.25)) / 2
    assert landmark_loss(logits, torch.tensor([[True, False]])).item() == pytest.approx(expected)


def test_equation_3_counts_only_what_violates_its_margin() -> None:
    distances = torch.tensor([[[0.4, 1.2], [0.7, 1.0]]])
    expected = (0.4 - 0.1) / 1 + (0.0 + 0.3 + 0.0) / 3
    assert hinge_loss(distances, TRUTH, 0.1, 1.0).item() == pytest.approx(expected)
    within = torch.tensor([[[0.05, 1.2], [1.1, 1.0]]])
    assert hinge_loss(within, TRUTH, 0.1, 1.0).item() == 0


def test_the_few_matches_weigh_as_much_as_the_many_others() -> None:
    logits = torch.tensor([[[0.0, math.log(3)], [math.log(3), math.log(3)]]])
    expected = (-math.log(0.5) - math.log(0.25)) / 2
    assert matching_loss(logits, TRUTH).item() == pytest.approx(expected)


def test_contrast_is_small_when_the_right_candidate_wins_and_its_gradient_is_finite() -> None:
    right = torch.tensor([[[9.0, 0.0], [0.0, 0.0]]], requires_grad=True)
    wrong = torch.tensor([[[0.0, 9.0], [9.0, 0.0]]])
    loss = contrast_loss(right, TRUTH)
    assert loss.item() < 0.01 < contrast_loss(wrong, TRUTH).item()
    loss.backward()
    assert torch.isfinite(right.grad).all()


def test_a_batch_without_any_match_has_a_finite_loss() -> None:
    logits, none = torch.randn(1, 3, 4, requires_grad=True), torch.zeros(1, 3, 4, dtype=torch.bool)
    total = (
        matching_loss(logits, none) + contrast_loss(logits, none) + hinge_loss(logits.abs(), none, 0.1, 1.0)
    )
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(logits.grad).all()


def peaks(places: list[tuple[int, int]], sharp: float = 1.0) -> torch.Tensor:
    j, i = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    bumps = [torch.exp(-sharp * ((i - a) ** 2 + (j - b) ** 2)) for a, b in places]
    return (10 * torch.stack(bumps).amax(0) - 5)[None, None]


def test_repeatability_asks_for_sharp_peaks_in_the_same_places_of_both_images() -> None:
    places = [(a, b + a // 9 % 3) for a in range(4, 68, 11) for b in range(0, 52, 11)]
    j, i = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    # Pixel (i, j) of the moving image shows (i + 4, j - 3) of the fixed one.
    origins = torch.stack([i + 4, j - 3])[None]
    masks = torch.ones(1, 1, 48, 64), torch.ones(1, 1, 48, 64)
    moved = [(a - 4, b + 3) for a, b in places]

    def loss(moving: torch.Tensor, fixed: torch.Tensor | None = None) -> float:
        fixed = peaks(places) if fixed is None else fixed
        return repeatability_loss(fixed, moving, origins, masks).item()

    same = loss(peaks(moved))
    assert same < loss(peaks(places)) - 0.2
    assert same < loss(peaks(moved, 0.01), peaks(places, 0.01)) - 0.2


def test_repeatability_has_a_finite_gradient_where_nothing_is_shared() -> None:
    logits = torch.randn(1, 1, 32, 32, requires_grad=True)
    masks = torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    repeatability_loss(logits, logits, torch.full((1, 2, 32, 32), 99.0), masks).backward()
    assert torch.isfinite(logits.grad).all()
