"""The correspondence network as a Matcher: Grewal et al. 2020, section 2.5; in volumes, block by block."""

from __future__ import annotations

from typing import Literal

import numpy as np
import SimpleITK as sitk
import torch

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import is_constant
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.methods.candidates import BLOCKS, Candidates, find_candidates
from LandmarkTrackerLib.methods.correspondence_input import PairInputConfig, grey_image
from LandmarkTrackerLib.methods.local_affine import agreeing, gate_around, predicted
from LandmarkTrackerLib.methods.mutual import Rows, inverse_consistent
from LandmarkTrackerLib.methods.network_grid import oriented
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork
from LandmarkTrackerLib.weights import Model, pick_device

Filtering = Literal["consistent", "smooth"]


class CorrespondenceMatcher:
    """Finds points that two slices, or two volumes, share.

    Args:
        model: a trained correspondence network.
        filtering: "consistent", the paper's inverse consistency; "smooth", which in addition asks that a pair
            moves as its neighbours do, and searches again near where they say (see `local_affine`).
        threshold: of the landmark probability (thresh_landmark, 2.6).
        apart: pixels within which only the most probable landmark counts.
    """

    def __init__(
        self,
        model: Model,
        device: str = "auto",
        filtering: Filtering = "smooth",
        threshold: float = 0.5,
        apart: int = 2,
    ) -> None:
        config = model.config
        self.input = PairInputConfig(**config["input"])
        self.filtering, self.threshold, self.apart = filtering, threshold, apart
        self._network = CorrespondenceNetwork(self.input.dimension, tuple(config["filters"]))
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(pick_device(device))

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        """Pairs in LPS mm, sorted by score; the score is the matching probability.

        Raises:
            InputError: an image is constant, or is not what the model is for (one slice, or a volume).
        """
        (grid_a, a), (grid_b, b) = (self._candidates(image) for image in (fixed, moving))
        rows_a, rows_b = self._matched(a, b)
        score = self._score(a, b, rows_a, rows_b)
        best = np.argsort(-score, kind="stable")
        return LandmarkPairs(
            _world(grid_a, a.index[rows_a[best]]), _world(grid_b, b.index[rows_b[best]]), score[best]
        )

    @torch.inference_mode()
    def _candidates(self, image: sitk.Image) -> tuple[Grid, Candidates]:
        if is_constant(image):
            raise InputError("one of the images is constant; give two images that show something")
        grid, grey = grey_image(oriented(image, self.input.dimension), self.input)
        pixels = grey if self.input.dimension == 3 else grey[0]
        blocks = BLOCKS[self.input.dimension]
        return grid, find_candidates(self._network, pixels, self.threshold, self.apart, blocks)

    @torch.inference_mode()
    def _matched(self, a: Candidates, b: Candidates) -> tuple[Rows, Rows]:
        """Rows of both images' candidates, pair by pair."""
        rows = inverse_consistent(self._network, a, b)
        if self.filtering == "consistent":
            return rows
        for _ in range(2):
            rows = _kept(a, b, rows)
            if len(rows[0]) == 0:
                return rows
            where = predicted(a.index[rows[0]], b.index[rows[1]], a.index)
            rows = inverse_consistent(self._network, a, b, gate_around(where, b.index))
        return _kept(a, b, rows)

    @torch.inference_mode()
    def _score(self, a: Candidates, b: Candidates, rows_a: Rows, rows_b: Rows) -> Array:
        product = a.descriptors[rows_a, None], b.descriptors[rows_b, None]
        return self._network.pair_logits(*product)[:, 0, 0].sigmoid().double().cpu().numpy()


def _kept(a: Candidates, b: Candidates, rows: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    keep = agreeing(a.index[rows[0]], b.index[rows[1]])
    return rows[0][keep], rows[1][keep]


def _world(grid: Grid, index: Array) -> Array:
    """Pixels (N, 2 or 3) of the network's grid to LPS mm (N, 3)."""
    return grid.to_world(np.pad(index, ((0, 0), (0, 3 - index.shape[1]))))
