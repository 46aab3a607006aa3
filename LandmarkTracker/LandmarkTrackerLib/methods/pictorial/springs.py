"""The best places of points joined by springs: pictorial structures (Felzenszwalb, Huttenlocher 2005).

Every point may move on a small square lattice, where each place has a cost of its own; a spring costs the
squared difference of the moves at its two ends. On a tree the best moves of all points together are found
exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor


def spanning_tree(points: Tensor) -> list[int]:
    """For each of (N, 2) points which one it hangs on, -1 for the first: the tree of the shortest edges."""
    distance = torch.cdist(points, points)
    parents = [-1] * len(points)
    shortest, nearest = distance[0].clone(), torch.zeros(len(points), dtype=torch.long)
    reached = torch.zeros(len(points), dtype=torch.bool)
    reached[0] = True
    for _ in range(len(points) - 1):
        new = int(torch.where(reached, torch.inf, shortest).argmin())
        reached[new] = True
        parents[new] = int(nearest[new])
        closer = distance[new] < shortest
        shortest[closer], nearest[closer] = distance[new][closer], new
    return parents


def min_marginals(costs: Tensor, parents: list[int], stiffness: Tensor) -> Tensor:
    """(N, L, L) the least cost of all points together, given each place of each point; of the same shape.

    Args:
        costs: (N, L, L) of each point alone; row and column are its move.
        parents: the tree.
        stiffness: (N,) of the spring to the parent, for a difference of one step.
    """
    levels = _levels(parents)
    hangs_on = torch.tensor(parents, device=costs.device).clamp_min(0)
    below, message = costs.clone(), torch.zeros_like(costs)
    for rows in reversed(levels[1:]):
        message[rows] = _stretched(below[rows], stiffness[rows])
        below.index_add_(0, hangs_on[rows], message[rows])
    total = below.clone()
    for rows in levels[1:]:
        total[rows] += _stretched(total[hangs_on[rows]] - message[rows], stiffness[rows])
    return total


def _levels(parents: list[int]) -> list[list[int]]:
    depth = {-1: -1}

    def depth_of(row: int) -> int:
        chain = []
        while row not in depth:
            chain.append(row)
            row = parents[row]
        for n, member in enumerate(reversed(chain), start=1):
            depth[member] = depth[row] + n
        return depth[chain[0]] if chain else depth[row]

    levels: list[list[int]] = []
    for row in range(len(parents)):
        while len(levels) <= depth_of(row):
            levels.append([])
        levels[depth_of(row)].append(row)
    return levels


def _stretched(costs: Tensor, stiffness: Tensor) -> Tensor:
    """(B, L, L): at each place the least of the costs anywhere plus the spring's from there."""
    at = torch.arange(costs.shape[-1], dtype=costs.dtype, device=costs.device)
    spring = (at[:, None] - at).square() * stiffness[:, None, None]
    along = (costs[:, :, None, :] + spring[:, None]).amin(dim=-1)
    return (along.transpose(1, 2)[:, :, None, :] + spring[:, None]).amin(dim=-1).transpose(1, 2)
