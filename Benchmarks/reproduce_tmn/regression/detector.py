"""Detector for a network that regresses all coordinates at once: a baseline to compare others with."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.protocols import trust
from LandmarkTrackerLib.weights import Model, pick_device

from reproduce_tmn.regression.network import Regression

METHOD = "regression"


class RegressionDetector:
    """Answers for every landmark in every slice: such a network cannot say that something is not there.

    Nor does it say how sure it is. Sigma is the root mean square error along an axis in the validation
    images, the same for all.

    Args:
        model: trained by `python Benchmarks/reproduce_tmn train regression`.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        config = model.config
        self._names, self._sigma = tuple(config["names"]), float(config["sigma_px"])
        self._field = Field(tuple(config["size"]), float(config["spacing_mm"]), bool(config["fit"]))
        self._device = torch.device(pick_device(device))
        self._network = Regression(config["encoder"], self._field.size, len(self._names))
        self._network.load_state_dict(dict(model.state))
        self._network.eval().to(self._device)

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @torch.inference_mode()
    def detect(self, image: sitk.Image) -> LandmarkSet:
        """Every landmark of `names`.

        Raises:
            InputError: the image has more than one slice.
        """
        image = as_volume(image)
        grid = Grid.of(image)
        shown = torch.from_numpy(self._field.show(image))[None, None].to(self._device)
        points = self._network(shown)[0].double().cpu().numpy()
        # Nothing was searched through the slice.
        sigma = self._sigma * self._field.pitch(grid) * np.array([1.0, 1.0, 0.0])
        sigmas = np.tile(sigma, (len(points), 1))
        positions = grid.to_world(self._field.to_index(grid, points))
        scores = trust(LandmarkSet(self._names, positions, sigmas).sigma_mm)
        return LandmarkSet(self._names, positions, sigmas, scores)
