"""Which candidates of two images belong together, by inverse consistency (section 2.5), in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from LandmarkTrackerLib.methods.correspondence.candidates import Candidates
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork

Rows = NDArray[np.int_]
# (rows of the fixed image) -> (rows, N2) similarity to every candidate of the moving one
Similarity = Callable[[slice], Tensor]
# (rows of the fixed image) -> (rows, N2) where a match is possible at all
Gate = Callable[[slice], Tensor]

ENTRIES = 1 << 24  # of the matrix of all pairs that are in memory at a time


def matching_logits(network: CorrespondenceNetwork, fixed: Candidates, moving: Candidates) -> Similarity:
    return lambda rows: network.pair_logits(fixed.descriptors[None, rows], moving.descriptors[None])[0]


def closeness(fixed: Candidates, moving: Candidates) -> Similarity:
    """Cosine: the larger it is, the smaller the L2 norm of the difference of the normalised descriptors."""
    a, b = (functional.normalize(c.descriptors, dim=1) for c in (fixed, moving))
    return lambda rows: a[rows] @ b.T


def mutual_best(
    similarity: Similarity, shape: tuple[int, int], gate: Gate | None = None
) -> tuple[Rows, Rows]:
    """Pairs that are the best of their row and of their column: rows of the fixed and of the moving image.

    Args:
        shape: N1, N2.
        gate: pairs that it excludes are no candidates.
    """
    if not all(shape):
        return np.zeros(0, int), np.zeros(0, int)
    best_of_row: list[Tensor] = []
    best_of_column = highest = None
    for rows in chunks(*shape):
        values = similarity(rows)
        if gate is not None:
            values = values.masked_fill(~gate(rows), -torch.inf)
        top, column = values.max(dim=1)
        best_of_row.append(torch.where(top > -torch.inf, column, -1))
        top, row = values.max(dim=0)
        row = row + rows.start
        if highest is None or best_of_column is None:
            highest, best_of_column = top, row
        else:
            # An earlier row wins a tie, as it does within a chunk.
            better = top > highest
            highest = torch.where(better, top, highest)
            best_of_column = torch.where(better, row, best_of_column)
    assert best_of_column is not None
    chosen = torch.cat(best_of_row)
    fixed = torch.arange(len(chosen), device=chosen.device)
    both = (chosen >= 0) & (best_of_column[chosen.clamp(min=0)] == fixed)
    return fixed[both].cpu().numpy(), chosen[both].cpu().numpy()


def chunks(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, ENTRIES // max(columns, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def inverse_consistent(
    network: CorrespondenceNetwork, fixed: Candidates, moving: Candidates, gate: Gate | None = None
) -> tuple[Rows, Rows]:
    """Pairs that are the mutual best by matching probability and by descriptor distance (section 2.5)."""
    shape = len(fixed), len(moving)
    likely = mutual_best(matching_logits(network, fixed, moving), shape, gate)
    near = mutual_best(closeness(fixed, moving), shape, gate)
    partner = np.full(shape[0], -1)
    partner[near[0]] = near[1]
    agreed = partner[likely[0]] == likely[1]
    return likely[0][agreed], likely[1][agreed]
