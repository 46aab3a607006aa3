"""The template matching network as a Locator: Frueh et al. 2022, section II.C."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of, trust
from LandmarkTrackerLib.networks.sampling import sample
from LandmarkTrackerLib.networks.tmn import Tmn
from LandmarkTrackerLib.weights import Model, pick_device


class TmnLocator:
    """Finds patches that were shown in other frames, or in other subjects, anywhere in an image.

    Works on slices. In another subject (`prior` is None) it answers as the paper has it. Along a cine it
    takes from the network how far its answer has moved since the frame in which the landmark was clicked:
    what it gets wrong about a patch it gets wrong in every frame alike, and most of that cancels. It never
    searches near the last answer, so no error travels along a cine.

    Sigma is the network's, times the factor that made it cover 68 % of the errors of the patients that were
    kept for validation, one for each of the two uses. This also takes back that equation 2 favours sqrt(2)
    times the standard deviation.

    Attributes:
        max_sigma_mm: see `Locator`; from the model. Infinite where the field fits the image: what a mm is
            there depends on the image, and `locate` applies the limit itself, in pixels of the field.
        field: what the network sees of an image.
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        config = model.config
        self.card = model.card
        self._device = torch.device(pick_device(device))
        self._network = Tmn.of(config)
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(self._device)
        self._patch = int(config["network"]["patch"])
        self._sigma_factor = float(config["sigma_factor"])
        self._following_sigma_factor = float(config["following_sigma_factor"])
        fit = bool(config.get("fit", False))
        self.field = Field(tuple(config["network"]["size"]), float(config["spacing_mm"]), fit)
        self._limit = float(config["max_sigma_mm"]) / self.field.spacing
        self.max_sigma_mm = np.inf if fit else float(config["max_sigma_mm"])

    @torch.inference_mode()
    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Cut a patch around each landmark, encode it, and see where the network itself would put it.

        Raises:
            InputError: the image has more than one slice.
        """
        shown = self._show(image)
        grid = Grid.of(image)
        centres = self.field.from_index(grid, grid.to_index(landmarks.positions))
        encoded = self._network.encode_patch(self._patches(shown, centres)[:, None])
        here, _ = self._network.match(self._network.encode_image(shown[None, None]), encoded)
        offsets = centres - here.double().cpu().numpy()
        # A patch from beyond the field shows nothing of its landmark.
        seen = self.field.contains(centres)
        features = {
            name: (encoded[row], offsets[row]) for row, name in enumerate(landmarks.names) if seen[row]
        }
        return (Example(landmarks, features),)

    @torch.inference_mode()
    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """One pass of the image's encoder for all landmarks, one of the perceptron for all their patches.

        Raises:
            InputError: the image has more than one slice.
        """
        names = names_of(examples)
        shown = [
            (row, *example.features[name])
            for row, name in enumerate(names)
            for example in examples
            if name in example.features
        ]
        encoded = self._network.encode_image(self._show(image)[None, None])
        if not shown:
            return LandmarkSet.missing(names)
        owners, patches, offsets = zip(*shown, strict=True)
        found, log_sigma = self._network.match(encoded, torch.stack(patches))
        points, sigma = found.double().cpu().numpy(), log_sigma.double().exp().cpu().numpy()
        if prior is None:
            sigma = sigma * self._sigma_factor
        else:
            points, sigma = points + np.stack(offsets), sigma * self._following_sigma_factor
        points, sigma = weighted_mean(np.array(owners), len(names), points, sigma)
        return self._landmarks(names, points, sigma, Grid.of(image))

    def _landmarks(self, names: tuple[str, ...], points: Array, sigma: Array, grid: Grid) -> LandmarkSet:
        defined = np.asarray(np.isfinite(points).all(axis=1))
        if self.field.fit:
            defined &= np.sqrt((np.nan_to_num(sigma) ** 2).mean(axis=1)) <= self._limit
        positions = grid.to_world(self.field.to_index(grid, points))
        # Nothing was searched through the slice.
        sigmas = np.column_stack([sigma * self.field.pitch(grid), np.zeros(len(names))])
        found = LandmarkSet(names, positions, sigmas, defined=defined)
        return LandmarkSet(names, positions, sigmas, trust(found.sigma_mm), defined)

    def _show(self, image: sitk.Image) -> Tensor:
        """(rows, columns) on the device."""
        return torch.from_numpy(self.field.show(image)).to(self._device)

    def _patches(self, shown: Tensor, centres: Array) -> Tensor:
        """(N, P, P) as they are, centred on (N, 2) field points to a fraction of a pixel."""
        side = torch.arange(self._patch).to(shown) - (self._patch - 1) / 2
        offsets = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1)
        points = torch.from_numpy(centres).to(shown)[:, None, None] + offsets
        return sample(shown[None, None], points[None])[0, 0]


def weighted_mean(
    owners: np.ndarray[Any, Any], count: int, points: Array, sigma: Array
) -> tuple[Array, Array]:
    """Equation 3: the answers of several examples, each weighted by 1 / sigma along its axis.

    Examples look alike and err alike, so more of them do not make the mean more certain than they are
    themselves: its sigma is the weighted mean of theirs.

    Args:
        owners: (M,) which of the landmarks each answer belongs to.
        count: N landmarks.
        points, sigma: (M, 2).

    Returns:
        Points and sigma, both (N, 2); NaN for a landmark without an answer.
    """
    weight, weighted = np.zeros((count, 2)), np.zeros((count, 2))
    np.add.at(weight, owners, 1 / sigma)
    np.add.at(weighted, owners, points / sigma)
    answers = np.bincount(owners, minlength=count)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        # The weighted mean of sigma: sum(sigma / sigma) / sum(1 / sigma).
        return weighted / weight, answers / weight
