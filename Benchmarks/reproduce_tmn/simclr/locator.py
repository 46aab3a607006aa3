"""Location by the affinity of patch features: a baseline of Frueh et al. 2022, section III.D.2."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.heatmap.peaks import find_peaks
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of, trust
from LandmarkTrackerLib.networks.sampling import cut
from LandmarkTrackerLib.weights import Model, pick_device
from torch import Tensor

from reproduce_tmn.simclr.network import SimClr

METHOD = "simclr"
# Patches encoded at once, and the pixels that a peak may be wide.
AT_ONCE, RADIUS = 512, 16
# The share of an affinity map, from its mean to its maximum, that is not yet a peak.
GROUND = 0.5


class SimClrLocator:
    """Finds the patch whose features are most like those of a patch around the landmark, anywhere in a slice.

    Each example of a landmark answers by itself, and the mean of the answers counts: the paper's discussion
    speaks of the averaging of individual predictions. Sigma is the mean width of the affinities' peaks.
    `prior` is not used.

    Args:
        model: trained by `python Benchmarks/reproduce_tmn train simclr` on patches.
        device: "auto", "cpu" or "cuda".
    """

    max_sigma_mm = np.inf

    def __init__(self, model: Model, device: str = "auto") -> None:
        config = model.config
        self._patch = int(config["patch"])
        if not self._patch:
            raise InputError(
                f"model '{model.name}' was trained on whole images, for `train regression` to start from; "
                "locating needs one of patches: train it with patch = 32"
            )
        self._step = int(config["step"])
        self._field = Field(tuple(config["size"]), float(config["spacing_mm"]), bool(config["fit"]))
        self._device = torch.device(pick_device(device))
        self._network = SimClr(config["encoder"], (self._patch, self._patch), int(config["width"]))
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(self._device)

    @torch.inference_mode()
    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """The features of the patch around each landmark that lies in the field.

        Raises:
            InputError: the image has more than one slice.
        """
        grid = Grid.of(image)
        centres = self._field.from_index(grid, grid.to_index(landmarks.positions))
        features = self._features(self._show(image), torch.from_numpy(centres).float())
        seen = self._field.contains(centres)
        return (Example(landmarks, {n: features[row] for row, n in enumerate(landmarks.names) if seen[row]}),)

    @torch.inference_mode()
    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """Equation 5 for a patch at every `step`-th pixel, and the patch of most affinity.

        Raises:
            InputError: the image has more than one slice.
        """
        names, grid = names_of(examples), Grid.of(image)
        shown = self._show(image)
        rows_of = {name: row for row, name in enumerate(names)}
        queries = [
            (rows_of[name], feature) for example in examples for name, feature in example.features.items()
        ]
        if not queries:
            return LandmarkSet.missing(names)
        columns, rows = (torch.arange(0, n, self._step, dtype=torch.float32) for n in self._field.size)
        centres = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        features = self._features(shown, centres.flatten(0, 1))
        wanted = torch.stack([feature for _, feature in queries])
        affinity = (wanted @ features.T).unflatten(1, centres.shape[:2])
        mean, top = affinity.mean(dim=(1, 2), keepdim=True), affinity.amax(dim=(1, 2), keepdim=True)
        # What is alike everywhere says nothing.
        standing = ((affinity - mean) / (top - mean).clamp(min=1e-9) - GROUND).clamp(min=0)
        peaks = find_peaks(standing.cpu().numpy(), max(RADIUS // self._step, 1))
        owners = np.array([row for row, _ in queries])
        points, width = np.full((2, len(names), 2), np.nan)
        for row in set(owners.tolist()):
            points[row] = peaks.index[owners == row].mean(axis=0) * self._step
            width[row] = peaks.sigma[owners == row].mean(axis=0) * self._step * self._field.pitch(grid)
        # Nothing was searched through the slice.
        sigmas = np.pad(width, ((0, 0), (0, 1)))
        positions = grid.to_world(self._field.to_index(grid, points))
        defined = np.isfinite(points).all(axis=1)
        found = LandmarkSet(names, positions, sigmas, defined=defined)
        return LandmarkSet(names, positions, sigmas, trust(found.sigma_mm), defined)

    def _show(self, image: sitk.Image) -> Tensor:
        """(rows, columns) on the device."""
        return torch.from_numpy(self._field.show(image)).to(self._device)

    def _features(self, shown: Tensor, centres: Tensor) -> Tensor:
        """(N, width) of the patches around field points (N, 2)."""
        found = []
        for some in centres.to(self._device).split(AT_ONCE):
            same = torch.eye(2, device=self._device).expand(1, len(some), 2, 2)
            plain = torch.ones((1, len(some)), device=self._device)
            patches = cut(shown[None], some[None], same, plain, self._patch)[0]
            found.append(self._network.describe(patches[:, None]))
        return torch.cat(found)
