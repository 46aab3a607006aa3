from __future__ import annotations

import math

import pytest
import torch
from LandmarkTrackerLib.training.losses import LOSSES, gaussian_loss, laplace_loss


def test_equation_2_by_hand() -> None:
    found, true = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 6.0])
    log_sigma = torch.tensor([math.log(2.0), math.log(4.0)])
    expected = (4 / 4 + math.log(2)) + (1 / 16 + math.log(4))
    assert gaussian_loss(found, log_sigma, true).item() == pytest.approx(expected)


def best_sigma(loss: str, errors: torch.Tensor) -> float:
    """The one sigma that the loss favours for these errors (N,), found by Newton's method."""
    log_sigma = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    found = torch.stack([errors, torch.zeros_like(errors)], dim=1)
    for _ in range(60):
        both = torch.stack([log_sigma.expand(len(errors)), torch.zeros_like(errors)], dim=1)
        value = LOSSES[loss](found, both, torch.zeros_like(found))
        (slope,) = torch.autograd.grad(value, log_sigma, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, log_sigma)
        with torch.no_grad():
            log_sigma -= (slope / curvature).clamp(-0.5, 0.5)
    return float(log_sigma.detach().exp())


def test_the_gaussian_loss_favours_a_variance_of_twice_the_mean_squared_error() -> None:
    errors = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    assert best_sigma("gaussian", errors) ** 2 == pytest.approx(2 * float(errors.square().mean()))
    assert best_sigma("gaussian", torch.full((3,), 1.7, dtype=torch.float64)) ** 2 == pytest.approx(
        2 * 1.7**2
    )


def test_the_laplace_loss_favours_the_mean_absolute_error() -> None:
    errors = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    assert best_sigma("laplace", errors) == pytest.approx(7 / 3)


def test_many_samples_are_averaged_so_that_the_batch_does_not_change_the_scale() -> None:
    one = torch.rand(1, 1, 2), torch.rand(1, 1, 2), torch.rand(1, 1, 2)
    many = [values.expand(5, 7, 2) for values in one]
    assert laplace_loss(*many).item() == pytest.approx(laplace_loss(*one).item(), rel=1e-5)
