"""The refined tracker as a Locator: every frame is matched to what was clicked, near where it was last."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import normalised
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of, trust
from LandmarkTrackerLib.methods.square import squared
from LandmarkTrackerLib.methods.tracker.support import support_points
from LandmarkTrackerLib.networks.refinement import Exemplars, Smoothed, refine, smoothed
from LandmarkTrackerLib.networks.tracker import STRIDES, SUPPORT, TrackerNet, log_sigma
from LandmarkTrackerLib.weights import Model, pick_device

# Below this the network denies that the landmark is to be seen. It is believed less where alignment and
# neighbours agree to this fraction of a pixel.
PRESENT, HARDLY, AGREED = 0.5, 0.1, 0.4
# What looks less alike is not the landmark, unless they agree still better; and never below the second.
ALIKE, HARDLY_ALIKE, AGREED_WELL = 0.5, 0.2, 0.3
# A look-alike elsewhere in the image has to convince it more than a landmark where it was expected (log odds
# of 0.9), and it has to be sure of the place, in pixels.
SURELY_PRESENT, LOST = math.log(9), 3.0
# The level at which the whole image is searched: 8 pixels, 24 wide.
EVERYWHERE = 1
# Pixels: how far landmarks lead others, what no landmark is surer of; and how much more its own place counts.
NEIGHBOURS, SURE, OWN = 40.0, 0.3, 10.0


@dataclass(frozen=True)
class ExemplarFeatures:
    """What one example keeps of its landmarks and, after them, of the points around them that support them.

    Attributes:
        neighbourhoods: (1, M, C, SUPPORT, SUPPORT) a level, for the search.
        exemplars: for what is left after the search.
    """

    neighbourhoods: list[Tensor]
    exemplars: Exemplars


class TrackerLocator:
    """Direct matching to the exemplar (no drift), started from the last answer.

    The encoder runs once a frame; a landmark adds only its small windows. A landmark that is not found near
    its last place is sought in the whole image. Points around the landmarks are followed with them and tell
    how the tissue moves where a landmark has no texture of its own. Works on slices.

    Attributes:
        max_sigma_mm: see `Locator`; from the model.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        config = model.config
        self._device = torch.device(pick_device(device))
        self._network = TrackerNet(**config["network"])
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(self._device).to(memory_format=torch.channels_last)
        self._sigma_factor = float(config["sigma_factor"])
        # Models of the first trainings know a factor only.
        self._sigma_power = float(config.get("sigma_power", 1.0))
        self.max_sigma_mm = float(config["max_sigma_mm"])

    @torch.inference_mode()
    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Keep the neighbourhood of each landmark.

        Raises:
            InputError: the image has more than one slice.
        """
        image = self._square(image)
        picture = self._picture(image)
        shown = self._points(Grid.of(image).to_index(landmarks.positions))
        points = torch.cat([shown, support_points(picture, shown)])
        neighbourhoods = self._network.describe(self._network.encode(picture), points[None])
        return (
            Example(landmarks, ExemplarFeatures(neighbourhoods, Exemplars.cut(picture, points, len(shown)))),
        )

    @torch.inference_mode()
    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """Several examples of a landmark: the answer of the one that is most certain.

        Raises:
            InputError: the image has more than one slice.
        """
        image = self._square(image)
        names, grid = names_of(examples), Grid.of(image)
        picture = self._picture(image)
        levels, smooth = self._network.encode(picture), smoothed(picture)
        known = _known(examples, names, prior)
        expected = self._points(grid.to_index(known.positions))
        doubt = torch.from_numpy(known.sigma_mm / max(grid.spacing[:2])).float().to(self._device)
        answers = []
        for example in examples:
            own = [names.index(name) for name in example.landmarks.names]
            answers.append(self._find(example.features, levels, smooth, expected[own], doubt[own]))
        owner = np.array([names.index(name) for example in examples for name in example.landmarks.names])
        return self._landmarks(names, owner, torch.cat(answers), grid)

    def _find(
        self, shown: ExemplarFeatures, levels: list[Tensor], smooth: Smoothed, expected: Tensor, doubt: Tensor
    ) -> Tensor:
        """What `_look` answers; once more from elsewhere, if landmarks are lost and fit there."""
        answer = self._look(shown, levels, smooth, expected, doubt)
        lost = torch.nonzero(~_is_present(answer))[:, 0]
        if not len(lost):
            return answer
        elsewhere = self._elsewhere(shown, levels, lost)
        sigma = log_sigma(elsewhere).exp().amax(dim=1)
        better = (elsewhere[:, 4] > SURELY_PRESENT) & (sigma < LOST)
        if not better.any():
            return answer
        # Their surroundings are elsewhere too.
        places, doubts = answer[:, :2].clone(), answer[:, 2:4].amax(dim=1)
        places[lost[better]], doubts[lost[better]] = elsewhere[better, :2], sigma[better]
        return self._look(shown, levels, smooth, places, doubts)

    def _look(
        self, shown: ExemplarFeatures, levels: list[Tensor], smooth: Smoothed, expected: Tensor, doubt: Tensor
    ) -> Tensor:
        """(N, 6) position (2) and sigma (2) in pixels, presence and likeness of the landmarks, which are
        `expected` (N, 2) with a standard deviation `doubt` (N,)."""
        start = starts(shown.exemplars.points, expected, doubt)
        out = self._network.steps(shown.neighbourhoods, levels, start[None])[-1][0]
        presence = torch.sigmoid(out[:, 4])
        found, variance, alike = refine(
            shown.exemplars, smooth, out[:, :2], log_sigma(out).exp(), presence > PRESENT
        )
        return torch.column_stack([found, variance.sqrt(), presence[: len(expected)], alike])

    def _elsewhere(self, shown: ExemplarFeatures, levels: list[Tensor], lost: Tensor) -> Tensor:
        """(K, 7) what the search answers for landmarks (K,) from where in the whole image they fit best."""
        chosen = [level[:, lost] for level in shown.neighbourhoods]
        return self._network.steps(chosen, levels, self._anywhere(chosen, levels))[-1][0]

    def _anywhere(self, neighbourhoods: list[Tensor], levels: list[Tensor]) -> Tensor:
        """(1, M, 2) where in the whole image the neighbourhood at `EVERYWHERE` fits best."""
        weight, level = neighbourhoods[EVERYWHERE][0] / SUPPORT**2, levels[EVERYWHERE]
        best = torch.nn.functional.conv2d(level, weight, padding=SUPPORT // 2)[0].flatten(1).argmax(dim=1)
        rows, columns = best // level.shape[3], best % level.shape[3]
        return torch.stack([columns, rows], dim=-1)[None].float() * STRIDES[EVERYWHERE]

    def _landmarks(
        self, names: tuple[str, ...], owner: np.ndarray, answers: Tensor, grid: Grid
    ) -> LandmarkSet:
        answer, seen = answers.double().cpu().numpy(), _is_present(answers).cpu().numpy()
        # Of every landmark's answers the last one in order of certainty.
        order = np.lexsort((answer[:, 4] / np.hypot(answer[:, 2], answer[:, 3]), owner))
        best = order[np.searchsorted(owner[order], np.arange(len(names)), side="right") - 1]
        answer, zero = answer[best], np.zeros(len(names))
        positions = grid.to_world(np.column_stack([answer[:, :2], zero]))
        sigmas = self._sigma_factor * answer[:, 2:4] ** self._sigma_power * grid.spacing[:2]
        scores = trust(np.sqrt((sigmas**2).mean(axis=1))) * answer[:, 4]
        return LandmarkSet(names, positions, np.column_stack([sigmas, zero]), scores, seen[best])

    def _square(self, image: sitk.Image) -> sitk.Image:
        """The image with square pixels, as the network and its search windows have them."""
        grid = Grid.of(image)
        if not grid.is_slice:
            raise InputError(
                f"this model works on slices, and the image has {grid.size[2]}; "
                "give it one slice, or choose a method for volumes"
            )
        return squared(image)

    def _picture(self, image: sitk.Image) -> Tensor:
        """(1, 1, H, W) brightness, mostly 0 to 1."""
        return torch.from_numpy(normalised(pixels(image)[0]))[None, None].to(self._device)

    def _points(self, index: Array) -> Tensor:
        return torch.from_numpy(index[:, :2]).float().to(self._device)


def _is_present(answer: Tensor) -> Tensor:
    """(N,) which of the landmarks were there, of `_look`'s answer."""
    spread, presence, alike = answer[:, 2:4].amax(dim=1), answer[:, 4], answer[:, 5]
    there = (presence >= PRESENT) | ((presence >= HARDLY) & (spread < AGREED))
    return there & ((alike >= ALIKE) | ((alike >= HARDLY_ALIKE) & (spread < AGREED_WELL)))


def starts(points: Tensor, expected: Tensor, doubt: Tensor) -> Tensor:
    """(M, 2) where to start the search of points (M, 2) whose first N are landmarks, pixels.

    A landmark starts where it is `expected` (N, 2), unless its neighbours are surer of themselves: `doubt`
    (N,) is the standard deviation of that. Support points move with the landmarks around them.
    """
    apart = torch.cdist(points, points[: len(expected)])
    weights = (torch.exp(-apart.square() / (2 * NEIGHBOURS**2)) + 1e-6) / (SURE**2 + doubt.square())
    weights[: len(expected)].diagonal().mul_(OWN)
    return points + weights @ (expected - points[: len(expected)]) / weights.sum(dim=1, keepdim=True)


def _known(examples: Examples, names: tuple[str, ...], prior: LandmarkSet | None) -> LandmarkSet:
    """The neighbouring frame's answer, or else where the landmark was last shown, which may be far off."""
    known = examples[0].landmarks
    for example in examples[1:]:
        known = known.updated(example.landmarks)
    return (known if prior is None else known.updated(prior.only_defined())).select(names)
