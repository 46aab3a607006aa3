import torch
from LandmarkTrackerLib.networks.consensus import OWN, Neighbours

POINTS = torch.cartesian_prod(torch.arange(0.0, 120, 15), torch.arange(0.0, 120, 15))


def smooth_motion(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(dim=-1)
    return torch.stack(
        [3 + 2 * torch.sin(x / 60) * torch.cos(y / 70), 0.02 * x - 1.5 * torch.cos(y / 50)], dim=-1
    )


def test_neighbours_take_off_noise():
    torch.manual_seed(1)
    truth, noise = smooth_motion(POINTS), 0.5
    moves, variances = Neighbours.of(POINTS).agree(
        truth + noise * torch.randn_like(truth), torch.full_like(truth, noise**2)
    )
    assert (moves - truth).square().mean() < 0.25 * noise**2
    assert (variances < noise**2).all()


def test_a_point_that_saw_nothing_follows_its_neighbours():
    truth = smooth_motion(POINTS)
    measured, variances = truth.clone(), torch.full_like(truth, 0.05**2)
    measured[27], variances[27] = 40.0, 100.0**2
    moves, left = Neighbours.of(POINTS).agree(measured, variances)
    torch.testing.assert_close(moves[27], truth[27], atol=0.3, rtol=0)
    assert (left[27] > OWN**2).all()


def test_a_point_that_contradicts_all_others_is_overruled():
    truth = smooth_motion(POINTS)
    measured = truth.clone()
    measured[27] += torch.tensor([12.0, -9.0])
    moves, _ = Neighbours.of(POINTS).agree(measured, torch.full_like(truth, 0.3**2))
    torch.testing.assert_close(moves[27], truth[27], atol=1.0, rtol=0)


def test_points_that_saw_well_keep_what_they_saw_where_motion_is_rough():
    torch.manual_seed(2)
    rough = 3 * torch.randn(len(POINTS), 2)
    moves, _ = Neighbours.of(POINTS).agree(rough, torch.full_like(rough, 0.05**2))
    assert (moves - rough).norm(dim=1).median() < 0.3


def test_one_point_alone_keeps_its_own_motion():
    moves, _ = Neighbours.of(torch.tensor([[5.0, 7.0]])).agree(
        torch.tensor([[3.0, -2.0]]), torch.tensor([[0.01, 0.01]])
    )
    torch.testing.assert_close(moves, torch.tensor([[3.0, -2.0]]))
