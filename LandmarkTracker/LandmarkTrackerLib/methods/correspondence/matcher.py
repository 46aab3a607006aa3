"""The correspondence network as a Matcher: Grewal et al. 2020, section 2.5; in volumes, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
import torch

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import is_constant
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.methods.correspondence.candidates import BLOCKS, Candidates, find_candidates, joined
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, grey_image
from LandmarkTrackerLib.methods.correspondence.local_affine import agreeing, gate_around, local_motion
from LandmarkTrackerLib.methods.correspondence.mutual import Rows, inverse_consistent
from LandmarkTrackerLib.methods.correspondence.refine import refined
from LandmarkTrackerLib.methods.network_grid import Pixels, oriented
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork
from LandmarkTrackerLib.step import Step
from LandmarkTrackerLib.weights import Model, pick_device

Filtering = Literal["consistent", "smooth"]

# Pixels off what the neighbours say: before a pair is refined, and after.
COARSE, FINE = 3.0, 2.0
APART = 2
SEARCHES = 2  # again, near where the neighbours say


@dataclass(frozen=True)
class NetworkView:
    """An image as the network sees it: its pixels in the world, grey values ([k,] j, i), and candidates."""

    grid: Grid
    grey: Pixels
    candidates: Candidates


class CorrespondenceMatcher:
    """Finds points that two slices, or two volumes, share.

    Args:
        model: a trained correspondence network.
        filtering: "consistent", the paper's inverse consistency alone; "smooth", which drops pairs that do
            not move as their neighbours do, searches again near where these say, and refines the moving
            points by the grey values around them (see `local_affine` and `refine`).
        threshold: of the landmark probability (thresh_landmark, 2.6).
        apart: pixels within which only the most probable landmark counts, between its pixels; 0 takes every
            pixel above the threshold, as the paper does. None is 2, and for "consistent" what the model's
            training file says.
    """

    def __init__(
        self,
        model: Model,
        device: str = "auto",
        filtering: Filtering = "smooth",
        threshold: float = 0.5,
        apart: int | None = None,
    ) -> None:
        config = model.config
        self.card = model.card
        self.input = PairInputConfig(**config["input"])
        self.filtering, self.threshold = filtering, threshold
        own = config.get("apart", APART) if filtering == "consistent" else APART
        self.apart = own if apart is None else apart
        self._network = CorrespondenceNetwork(
            self.input.dimension,
            tuple(config["filters"]),
            config.get("normalise", True),
            config.get("transposed", False),
        )
        self._network.load_state_dict(dict(model.state))
        # Convolutions on CPUs take two thirds of the time with the channels last.
        layout = (torch.channels_last, torch.channels_last_3d)[self.input.dimension - 2]
        self._network.eval().to(pick_device(device)).to(memory_format=layout)

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        """Pairs in LPS mm, sorted by score; the score is the matching probability.

        Raises:
            InputError: an image is constant, or is not what the model is for (one slice, or a volume).
        """
        *_, last = self.steps(fixed, moving)
        assert last.result is not None
        return last.result

    @torch.inference_mode()
    def steps(self, fixed: sitk.Image, moving: sitk.Image) -> Iterator[Step[LandmarkPairs]]:
        """The same block by block. See `SteppedMatcher`."""
        images = [self._prepared(image) for image in (fixed, moving)]
        blocks = BLOCKS[self.input.dimension]
        total = sum(len(blocks.starts(grey.shape)) for _, grey in images) + 1
        done, seen = 0, []
        yield Step(done, total)
        for grid, grey in images:
            parts = []
            for part in find_candidates(self._network, grey, self.threshold, self.apart, blocks):
                parts.append(part)
                done += 1
                yield Step(done, total)
            seen.append(NetworkView(grid, grey, joined(parts)))
        yield Step(total, total, self._pairs(*seen))

    def _prepared(self, image: sitk.Image) -> tuple[Grid, Pixels]:
        if is_constant(image):
            raise InputError("one of the images is constant; give two images that show something")
        grid, volume = grey_image(oriented(image, self.input.dimension), self.input)
        return grid, volume if self.input.dimension == 3 else volume[0]

    def _pairs(self, here: NetworkView, there: NetworkView) -> LandmarkPairs:
        a, b = here.candidates, there.candidates
        rows = inverse_consistent(self._network, a, b)
        if self.filtering == "smooth":
            rows = self._searched(a, b, rows)
        score = self._score(a, b, rows)
        at, partner = a.index[rows[0]], b.index[rows[1]]
        if self.filtering == "smooth":
            at, partner, score = _refined(here, there, at, partner, score)
        best = np.argsort(-score, kind="stable")
        return LandmarkPairs(_world(here.grid, at[best]), _world(there.grid, partner[best]), score[best])

    def _searched(self, a: Candidates, b: Candidates, rows: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
        """Pairs that move as their neighbours do, looked for where these say."""
        for _ in range(SEARCHES):
            rows = _kept(a, b, rows)
            if len(rows[0]) == 0:
                return rows
            where, _ = local_motion(a.index[rows[0]], b.index[rows[1]], a.index)
            rows = inverse_consistent(self._network, a, b, gate_around(where, b.index))
        return _kept(a, b, rows)

    def _score(self, a: Candidates, b: Candidates, rows: tuple[Rows, Rows]) -> Array:
        pairs = a.descriptors[rows[0], None], b.descriptors[rows[1], None]
        return np.asarray(self._network.pair_logits(*pairs)[:, 0, 0].sigmoid().double().cpu().numpy())


def _kept(a: Candidates, b: Candidates, rows: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    keep = agreeing(a.index[rows[0]], b.index[rows[1]], COARSE)
    return rows[0][keep], rows[1][keep]


def _refined(
    here: NetworkView, there: NetworkView, at: Array, partner: Array, score: Array
) -> tuple[Array, Array, Array]:
    """The pairs with better moving positions, less those that still disagree with their neighbours."""
    if len(at):
        _, shapes = local_motion(at, partner, at)
        partner = refined(here.grey, there.grey, at, partner, shapes)
    keep = agreeing(at, partner, FINE)
    return at[keep], partner[keep], score[keep]


def _world(grid: Grid, index: Array) -> Array:
    """Pixels (N, 2 or 3) of the network's grid to LPS mm (N, 3)."""
    return grid.to_world(np.pad(index, ((0, 0), (0, 3 - index.shape[1]))))
