from __future__ import annotations

import torch
from LandmarkTrackerLib.methods.volume_matcher.motion import Motion, Nodes, robust_affine

NODES = Nodes((9, 8, 7), torch.tensor([-30.0, 0.0, 10.0]), 10.0)


def points(count: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return NODES.origin + torch.rand(count, 3) * (torch.tensor(NODES.shape[::-1]) - 1) * NODES.spacing


def test_displacements_that_are_all_alike_are_kept_everywhere() -> None:
    at = points(40)
    moves = torch.tensor([3.0, -2.0, 1.0]).expand(40, 3)
    smooth = NODES.smooth(at, moves, torch.ones(40), 30.0)
    torch.testing.assert_close(NODES.read(smooth, points(50, 1)), moves[:1].expand(50, 3), atol=1e-3, rtol=0)


def test_a_wave_is_followed_and_noise_is_not() -> None:
    def wave(x: torch.Tensor) -> torch.Tensor:
        return 4 * torch.sin(x[:, [1, 2, 0]] / 20)

    at = points(2000)
    noise = torch.randn(2000, 3)
    smooth = NODES.read(NODES.smooth(at, wave(at) + noise, torch.ones(2000), 8.0), points(300, 1))
    assert (smooth - wave(points(300, 1))).norm(dim=1).median() < 0.4 * noise.norm(dim=1).median()


def test_a_move_without_weight_does_not_count() -> None:
    at, moves, weights = points(60), torch.zeros(60, 3), torch.ones(60)
    moves[::2], weights[::2] = 25.0, 0.0
    assert NODES.smooth(at, moves, weights, 20.0).abs().max() < 1e-4


def test_nodes_read_linear_fields_exactly() -> None:
    values = NODES.positions().T.reshape(3, *NODES.shape)
    torch.testing.assert_close(NODES.read(values, points(20)), points(20), atol=1e-3, rtol=0)


def test_a_motion_after_moves_is_the_motion_of_the_moved_points() -> None:
    motion = Motion(NODES, torch.eye(3) * 1.1, torch.tensor([1.0, 2.0, 3.0]))
    moves = torch.tensor([4.0, 0.0, -1.0])
    after = motion.after(moves[:, None, None, None].expand(3, *NODES.shape))
    at = points(30)
    torch.testing.assert_close(after(at), motion(at + moves), atol=1e-3, rtol=0)


def test_an_affine_map_is_found_though_two_of_five_pairs_are_wrong() -> None:
    at = points(200)
    matrix, shift = (
        torch.tensor([[1.1, 0.2, 0.0], [-0.1, 0.9, 0.1], [0.0, 0.0, 1.0]]),
        torch.tensor([5.0, 0.0, -8.0]),
    )
    targets = at @ matrix + shift
    targets[:80] += 40 * torch.randn(80, 3)
    found, moved = robust_affine(at, targets, torch.ones(200), 1.0)
    torch.testing.assert_close(at @ found + moved, at @ matrix + shift, atol=0.2, rtol=0)
