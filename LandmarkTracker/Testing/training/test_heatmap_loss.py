"""Equations (1) and (2) against their closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from LandmarkTrackerLib.training.heatmap_loss import gaussian_targets, heatmap_loss


@pytest.mark.parametrize(
    ("shape", "centre"), [((40, 32), (14.5, 20.25)), ((24, 28, 32), (15.5, 13.25, 11.0))], ids=["2D", "3D"]
)
def test_a_target_is_a_gaussian_whose_pixels_sum_to_gamma(shape, centre):
    sigma = torch.tensor([1.5])
    target = gaussian_targets(torch.tensor([[centre]]), sigma, torch.Size(shape), gamma=100.0)[0, 0]
    assert target.sum().item() == pytest.approx(100, rel=1e-3)
    grids = torch.meshgrid(*(torch.arange(float(n)) for n in shape), indexing="ij")[::-1]
    means = [(grid * target).sum() / target.sum() for grid in grids]
    assert torch.allclose(torch.stack(means), torch.tensor(centre), atol=1e-3)
    assert ((grids[0] - centre[0]) ** 2 * target).sum() / target.sum() == pytest.approx(1.5**2, rel=1e-2)


def test_a_landmark_that_is_not_in_the_image_has_an_empty_target():
    centres = torch.tensor([[[float("nan")] * 2, [5.0, 5.0]]])
    target = gaussian_targets(centres, torch.ones(2), torch.Size((11, 11)), gamma=100.0)
    assert target[0, 0].abs().max() == 0
    assert target[0, 1].max().item() == pytest.approx(100 / (2 * math.pi))


def test_the_loss_sums_over_pixels_and_landmarks_and_averages_over_images():
    # The integral of a squared Gaussian of sum gamma is gamma^2 / (4 pi sigma^2).
    sigma = torch.tensor([2.0, 3.0])
    centres = torch.full((3, 2, 2), 20.0)
    loss = heatmap_loss(torch.zeros(3, 2, 41, 41), centres, torch.ones(3, 2), sigma, gamma=100.0, alpha=20.0)
    squares = sum(100**2 / (4 * math.pi * s**2) for s in (2.0, 3.0))
    assert loss.item() == pytest.approx(squares + 20 * (4 + 9), rel=1e-3)


def test_a_landmark_that_nobody_annotated_does_not_count():
    centres = torch.full((1, 2, 2), 5.0)
    heatmaps = torch.randn(1, 2, 11, 11)
    known = torch.tensor([[1.0, 0.0]])
    loss = heatmap_loss(heatmaps, centres, known, torch.ones(2), 100.0, 0.0)
    other = heatmaps.clone()
    other[0, 1] = 1e3
    assert heatmap_loss(other, centres, known, torch.ones(2), 100.0, 0.0) == loss


def test_the_width_of_an_absent_landmark_is_not_penalised():
    """Of the first image both widths count, of the second only that of the landmark that it shows."""
    sigma = torch.tensor([2.0, 3.0], requires_grad=True)
    centres = torch.full((2, 2, 2), 5.0)
    centres[1, 1] = float("nan")
    heatmaps = torch.zeros(2, 2, 11, 11)
    without = heatmap_loss(heatmaps, centres, torch.ones(2, 2), sigma, 100.0, 0.0)
    penalty = heatmap_loss(heatmaps, centres, torch.ones(2, 2), sigma, 100.0, 20.0) - without
    assert penalty.item() == pytest.approx(20 * (2 * 4 + 9) / 2)
    gone = torch.full((1, 2, 2), float("nan"))
    (slope,) = torch.autograd.grad(
        heatmap_loss(heatmaps[:1], gone, torch.ones(1, 2), sigma, 100.0, 20.0), sigma
    )
    assert not slope.any()


def test_equations_1_and_2_by_hand():
    """One pixel to either side of a landmark of sigma 1 in 3D: exp(-1/2) of the height 1000 / (2 pi)^1.5."""
    target = gaussian_targets(torch.full((1, 1, 3), 1.0), torch.ones(1), torch.Size((3, 3, 3)), 1000.0)
    height = 1000 / (2 * math.pi) ** 1.5
    assert target[0, 0, 1, 1, 1].item() == pytest.approx(height, rel=1e-5)
    assert target[0, 0, 0, 1, 1].item() == pytest.approx(height * math.exp(-0.5), rel=1e-5)
    centre = torch.full((1, 1, 3), 1.0)
    loss = heatmap_loss(target + 2, centre, torch.ones(1, 1), torch.ones(1), 1000.0, 1000.0)
    assert loss.item() == pytest.approx(27 * 4 + 1000, rel=1e-4)


def test_sigma_settles_where_both_terms_balance():
    """With no prediction, gamma^2 / (4 pi s^2) + alpha s^2 is smallest at s^4 = gamma^2 / (4 pi alpha)."""
    log_sigma = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.Adam([log_sigma], lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        heatmap_loss(
            torch.zeros(1, 1, 41, 41),
            torch.full((1, 1, 2), 20.0),
            torch.ones(1, 1),
            log_sigma.exp(),
            100.0,
            20.0,
        ).backward()
        optimiser.step()
    assert log_sigma.exp().item() == pytest.approx((100**2 / (4 * math.pi * 20)) ** 0.25, rel=1e-2)
