"""The refined tracker as a Locator: every frame is matched to what was clicked, near where it was last."""

from __future__ import annotations

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
from LandmarkTrackerLib.networks.tracker import STRIDES, SUPPORT, TrackerNet
from LandmarkTrackerLib.weights import Model, pick_device

# Below this the network denies that the landmark is to be seen.
PRESENT = 0.5
# A look-alike elsewhere in the image has to convince it more than a landmark where it was expected.
PRESENT_ELSEWHERE = 0.9


@dataclass(frozen=True)
class Shown:
    """What one example keeps: its landmarks' neighbourhoods, (N, C, SUPPORT, SUPPORT) a level."""

    exemplars: list[Tensor]


class TrackerLocator:
    """Direct matching to the exemplar (no drift), started from the last answer.

    The encoder runs once a frame; a landmark adds only its small windows. A landmark that is not found near
    its last place is sought in the whole image. Works on slices.

    Attributes:
        max_sigma_mm: see `Locator`; from the model.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        config = model.config
        self._device = torch.device(pick_device(device))
        self._network = TrackerNet(**config["network"])
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(self._device)
        self._sigma_factor = float(config["sigma_factor"])
        self.max_sigma_mm = float(config["max_sigma_mm"])

    @torch.inference_mode()
    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Keep the neighbourhood of each landmark.

        Raises:
            InputError: the image has more than one slice.
        """
        levels = self._encode(image)
        points = self._points(Grid.of(image).to_index(landmarks.positions))
        return (Example(landmarks, Shown([e[0] for e in self._network.describe(levels, points)])),)

    @torch.inference_mode()
    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """Several examples of a landmark: the answer of the one that is most certain.

        Raises:
            InputError: the image has more than one slice.
        """
        names, grid = names_of(examples), Grid.of(image)
        levels = self._encode(image)
        rows = [(n, names.index(name)) for n, e in enumerate(examples) for name in e.landmarks.names]
        owner = np.array([row for _, row in rows])
        exemplars = [
            torch.cat([example.features.exemplars[level] for example in examples])[None]
            for level in range(len(STRIDES))
        ]
        start = grid.to_index(_guess(examples, names, prior)[owner])
        answer = self._search(exemplars, levels, start)
        lost = answer[:, 4] < PRESENT
        if lost.any():
            chosen = [e[:, lost] for e in exemplars]
            again = self._search(chosen, levels, self._anywhere(chosen, levels, image))
            better = again[:, 4] > PRESENT_ELSEWHERE
            answer[np.flatnonzero(lost)[better]] = again[better]
        return self._landmarks(names, owner, answer, grid)

    def _search(self, exemplars: list[Tensor], levels: list[Tensor], start: Array) -> Array:
        """(M, 5) pixel column, row, their sigma, and the chance that the landmark is there."""
        out = self._network.steps(exemplars, levels, self._points(start))[-1][0].double().cpu().numpy()
        sigma = np.exp(np.clip(out[:, 2:4], -4, 4)) * self._sigma_factor
        return np.column_stack([out[:, :2], sigma, 1 / (1 + np.exp(-out[:, 4]))])

    def _anywhere(self, exemplars: list[Tensor], levels: list[Tensor], image: sitk.Image) -> Array:
        """(M, 2) where in the whole image the coarsest neighbourhood fits best."""
        weight = exemplars[-1][0] / SUPPORT**2
        fit = torch.nn.functional.conv2d(levels[-1], weight, padding=SUPPORT // 2)[0]
        best = fit.flatten(1).argmax(dim=1).cpu().numpy()
        rows, columns = np.unravel_index(best, fit.shape[1:])
        return np.asarray(np.column_stack([columns, rows]) * float(STRIDES[-1]))

    def _landmarks(self, names: tuple[str, ...], owner: np.ndarray, answer: Array, grid: Grid) -> LandmarkSet:
        certain = answer[:, 4] / np.hypot(answer[:, 2], answer[:, 3])
        best = np.array([max(np.flatnonzero(owner == n), key=certain.__getitem__) for n in range(len(names))])
        column, row, sigma_i, sigma_j, present = answer[best].T
        zero = np.zeros(len(names))
        positions = grid.to_world(np.column_stack([column, row, zero]))
        sigmas = np.column_stack([sigma_i, sigma_j, zero]) * np.array(grid.spacing)
        found = LandmarkSet(names, positions, sigmas, defined=present >= PRESENT)
        return LandmarkSet(names, positions, sigmas, trust(found.sigma_mm) * present, found.defined)

    def _encode(self, image: sitk.Image) -> list[Tensor]:
        grid = Grid.of(image)
        if not grid.is_slice:
            raise InputError(
                f"this model works on slices, and the image has {grid.size[2]}; "
                "give it one slice, or choose a method for volumes"
            )
        picture = torch.from_numpy(normalised(pixels(image)[0]))
        return self._network.encode(picture[None, None].to(self._device))

    def _points(self, index: Array) -> Tensor:
        return torch.from_numpy(index[None, :, :2]).float().to(self._device)


def _guess(examples: Examples, names: tuple[str, ...], prior: LandmarkSet | None) -> Array:
    """(N, 3) LPS mm: the neighbouring frame's answer, or else where the landmark was last shown."""
    known = LandmarkSet.missing(names)
    for example in examples:
        known = known.updated(example.landmarks)
    return (known.updated(prior.only_defined()) if prior is not None else known).select(names).positions
