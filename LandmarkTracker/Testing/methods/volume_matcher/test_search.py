from __future__ import annotations

import numpy as np
import torch
from LandmarkTrackerLib.methods.volume_matcher.keypoints import keypoints
from LandmarkTrackerLib.methods.volume_matcher.levels import Level, pyramid
from LandmarkTrackerLib.methods.volume_matcher.mind import mind_ssc
from LandmarkTrackerLib.methods.volume_matcher.motion import Motion, Nodes
from LandmarkTrackerLib.methods.volume_matcher.pose import poses
from LandmarkTrackerLib.methods.volume_matcher.search import costs, coupled, offsets, warped
from methods.volume_matcher.phantom import moved, texture, turned


def volume(seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    noise = torch.rand(1, 1, 30, 32, 34)
    return torch.nn.functional.avg_pool3d(noise, 3, 1, 1)[0, 0]


def test_self_similarity_is_the_same_in_any_linear_contrast() -> None:
    values = volume()
    torch.testing.assert_close(mind_ssc(values), mind_ssc(0.8 - 0.5 * values), atol=2e-3, rtol=0)


def test_slabs_make_no_difference() -> None:
    values = torch.cat([volume(), volume(1)])
    whole = mind_ssc(values)
    assert whole.shape == (60, 32, 34, 12)
    # The noise floor belongs to the whole; a part that holds all that a slice sees has nearly the same.
    torch.testing.assert_close(mind_ssc(values[10:50])[5:35], whole[15:45], atol=2e-2, rtol=0)


def test_a_shift_of_whole_voxels_costs_nothing_and_is_found() -> None:
    values = volume()
    shifted = values.roll((1, -2, 2), dims=(0, 1, 2))
    at = torch.tensor([[12, 14, 13], [20, 16, 15]])
    cost = costs(mind_ssc(values), mind_ssc(shifted), torch.ones_like(values, dtype=torch.bool), at, 3)
    best = cost.argmin(dim=1)
    assert offsets(3)[best].tolist() == [[2, -2, 1], [2, -2, 1]]
    assert cost.amin() < 1e-5


def test_what_the_other_volume_does_not_show_is_not_chosen() -> None:
    values = volume()
    inside = torch.zeros_like(values, dtype=torch.bool)
    inside[:, :, :13] = True
    cost = costs(mind_ssc(values), mind_ssc(values), inside, torch.tensor([[14, 14, 14]]), 2)[0]
    assert (cost[offsets(2)[:, 0] >= -1] == 1).all()
    assert offsets(2)[cost.argmin(), 0] == -2


def test_neighbours_overrule_a_keypoint_that_looks_better_elsewhere() -> None:
    steps = offsets(2)
    right, wrong = (
        (steps == torch.tensor(d)).all(dim=1).nonzero()[0, 0] for d in ([1.0, 0, 0], [-2.0, 2, 0])
    )
    cost = torch.ones(20, len(steps))
    cost[:, right] = 0.1
    cost[0, wrong] = 0.05
    found = coupled(
        cost, 2, lambda moves, weights: (weights[:, None] * moves).sum(0) / weights.sum() + 0 * moves
    )
    assert found.own[0].tolist() == [-2, 2, 0]
    torch.testing.assert_close(found.moves, torch.tensor([1.0, 0, 0]).expand(20, 3), atol=0.05, rtol=0)
    assert found.margin[0] < 0 < found.margin[1]


def test_a_parabola_finds_the_part_of_a_voxel() -> None:
    true = torch.tensor([0.3, -0.4, 1.2])
    cost = (offsets(2) - true).square().sum(dim=1)[None].expand(5, -1)
    found = coupled(cost, 2, lambda moves, weights: moves)
    torch.testing.assert_close(found.moves, true.expand(5, 3), atol=1e-3, rtol=0)


def test_keypoints_sit_on_corners_in_the_body() -> None:
    values = torch.zeros(32, 32, 32)
    values[8:20, 8:20, 8:20] = 1
    body = torch.ones_like(values, dtype=torch.bool)
    level = Level(values, body, torch.zeros(3), 1.0)
    found = keypoints(level, 16).float()
    corner = torch.tensor([[x, y, z] for x in (8.0, 19.0) for y in (8.0, 19.0) for z in (8.0, 19.0)])
    assert len(found) == 8
    assert torch.cdist(found, corner).amin(dim=1).max() < 2.5
    outside = torch.zeros_like(body)
    outside[:, :, :16] = True
    assert (keypoints(Level(values, outside, torch.zeros(3), 1.0), 16)[:, 0] < 16).sum() == 4


def test_a_turned_and_shifted_volume_is_laid_over_the_other_roughly() -> None:
    fixed = texture(0)
    here, there = (pyramid(image, 2.0, 2)[-1] for image in (fixed, moved(fixed, turned)))
    found = [pose for pose in poses(here, there) if pose is not None]
    assert [pose.cost for pose in found] == sorted(pose.cost for pose in found)
    at = np.random.default_rng(0).uniform(-25, 25, (100, 3))
    image = torch.from_numpy(turned(at)).float() @ found[0].matrix + found[0].shift
    off = (image - torch.from_numpy(at).float()).norm(dim=1)
    assert off.mean() < 12


def test_a_warped_volume_lies_on_the_other() -> None:
    values = volume()
    level = Level(values, torch.ones_like(values, dtype=torch.bool), torch.zeros(3), 2.0)
    nodes = Nodes.over(level, 10.0)
    seen, inside = warped(level, level, Motion(nodes, torch.eye(3), torch.tensor([4.0, 0.0, 0.0])))
    torch.testing.assert_close(seen[:, :, :-2], values[:, :, 2:])
    assert inside[:, :, :-2].all()
    assert not inside[:, :, -2:].any()
