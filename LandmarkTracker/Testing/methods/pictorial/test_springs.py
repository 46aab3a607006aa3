"""On a tree of springs, the best places of all points together are found exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.methods.pictorial.springs import min_marginals, spanning_tree


def test_every_point_hangs_on_its_nearest_by_the_shortest_edges():
    points = torch.tensor([[0.0, 0.0], [10.0, 0.0], [1.0, 0.0], [11.0, 1.0], [2.0, 0.5]])
    assert spanning_tree(points) == [-1, 4, 0, 1, 2]


@pytest.mark.parametrize("parents", [[-1, 0, 1, 2], [-1, 0, 0, 0], [-1, 2, 0, 1], [-1]])
def test_each_place_gets_the_least_cost_of_all_points_together(parents):
    """Against every combination of the moves of up to four points on 3 x 3 places."""
    rng = np.random.default_rng(len(parents))
    count = len(parents)
    costs = rng.uniform(0, 3, (count, 3, 3))
    stiffness = rng.uniform(0.1, 2, count)
    expected = np.full((count, 3, 3), np.inf)
    for moves in product(product(range(3), repeat=2), repeat=count):
        cost = sum(costs[n][move] for n, move in enumerate(moves))
        for n, parent in enumerate(parents):
            if parent >= 0:
                cost += stiffness[n] * sum((a - b) ** 2 for a, b in zip(moves[n], moves[parent], strict=True))
        for n, move in enumerate(moves):
            expected[n][move] = min(expected[n][move], cost)
    found = min_marginals(torch.from_numpy(costs), parents, torch.from_numpy(stiffness))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)
