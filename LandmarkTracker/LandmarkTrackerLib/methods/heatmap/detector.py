"""Detector for the three heatmap networks: SpatialConfiguration-Net, Localization U-Net and LA-Net."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.heatmap.histogram import matched
from LandmarkTrackerLib.methods.heatmap.peaks import Peaks, find_peaks
from LandmarkTrackerLib.methods.network_grid import (
    InputConfig,
    Resampler,
    bright,
    intensity_range,
    network_grid,
    oriented,
    parts,
    scaled,
    whole,
)
from LandmarkTrackerLib.networks.heatmap import HeatmapNetwork, NetworkConfig
from LandmarkTrackerLib.networks.scn import SpatialConfigurationNet
from LandmarkTrackerLib.weights import Model, pick_device

METHOD = "heatmap"


@dataclass(frozen=True)
class Calibration:
    """What the validation images taught about the heatmaps.

    Attributes:
        min_height: a peak lower than this fraction of the target's height is no landmark.
        sigma_scale: from the width of a peak to the standard deviation of the error.
    """

    min_height: float = 0.1
    sigma_scale: float = 1.0


@dataclass(frozen=True)
class HeatmapConfig:
    """Everything but the weights.

    Attributes:
        names: of the landmarks, in the order of the heatmaps.
        limits: intensities that become -1 and 1; None where each image has its own.
        reference: quantiles within the outline that images are matched to; None where they are not.
        gamma: scale of the targets, equation (1).
    """

    names: tuple[str, ...]
    network: NetworkConfig
    input: InputConfig
    gamma: float
    limits: tuple[float, float] | None = None
    calibration: Calibration = Calibration()
    reference: tuple[float, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> HeatmapConfig:
        return cls(
            tuple(config["names"]),
            NetworkConfig(**config["network"]),
            InputConfig(**{**config["input"], "size": tuple(config["input"]["size"])}),
            config["gamma"],
            tuple(config["limits"]) if config["limits"] else None,
            Calibration(**config["calibration"]),
            tuple(config["reference"]) if config.get("reference") else None,
        )


@dataclass(frozen=True)
class NetworkImage:
    """An image as the network sees it: pixels (k, j, i) or (j, i) in about [-1, 1], and where they lie."""

    pixels: NDArray[np.float32]
    grid: Grid


class Heads(NamedTuple):
    """Equation (4) for one image: (N, [k,] j, i) each."""

    product: NDArray[np.float32]
    appearance: NDArray[np.float32]
    configuration: NDArray[np.float32]


class HeatmapDetector:
    """Runs a trained heatmap network; in parts where the image is larger than the network's input.

    Args:
        model: trained by `landmark-tracker train scn`.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, model: Model, device: str = "auto") -> None:
        self.card, self.config = model.card, HeatmapConfig.of(model.config)
        self.device = pick_device(device)
        network = HeatmapNetwork(self.config.network, self.config.input.dimension, len(self.config.names))
        network.load_state_dict(dict(model.state))
        self.network = network.eval().to(self.device)

    @property
    def names(self) -> tuple[str, ...]:
        return self.config.names

    def detect(self, image: sitk.Image) -> LandmarkSet:
        """Every landmark of `names`; those with too low a peak, or off the image, are missing.

        Raises:
            InputError: a volume for a model of slices, or the reverse.
        """
        found, sure = self.answers(image)
        return found.without(~sure)

    def answers(self, image: sitk.Image) -> tuple[LandmarkSet, NDArray[np.bool_]]:
        """The place of every landmark's highest response, equation (3), and which of them `detect` reports.

        Raises:
            InputError: as `detect`.
        """
        image = as_volume(image)
        # The image alone does not say which way round a specimen lies: the landmarks do.
        peaks, grid = max(
            ((locate(self.network, view, self.config), view.grid) for view in prepare(image, self.config)),
            key=lambda answer: float(np.clip(answer[0].height, 0, 1).sum()),
        )
        return landmarks_of(peaks, grid, Grid.of(image), self.config)

    def heads(self, view: NetworkImage) -> Heads:
        """Both components of a SpatialConfiguration-Net on an image no larger than the network's input.

        Only the product of the two is trained, so that a landmark may have learned both with the opposite
        sign. Both are returned with the sign that makes the configuration positive at the product's peak.
        """
        network = self.network.body
        if not isinstance(network, SpatialConfigurationNet):
            raise ValueError(f"a {self.config.network.architecture} network has one head only")
        with torch.inference_mode():
            heads = network.components(torch.from_numpy(view.pixels)[None, None].to(self.device))
        product, appearance, configuration = (heatmaps[0].cpu().numpy() for heatmaps in heads)
        peak = product.reshape(len(product), -1).argmax(axis=1)
        sign = np.sign(configuration.reshape(len(product), -1)[np.arange(len(product)), peak])
        sign = sign.reshape(-1, *[1] * (product.ndim - 1))
        return Heads(product, appearance * sign, configuration * sign)


@dataclass(frozen=True)
class Views:
    """The ways in which a network may see an image: one, or every way round where it is aligned.

    Attributes:
        grids: where the network's pixels lie in each view.
        see: the pixels on one of these grids.
    """

    grids: list[Grid]
    see: Callable[[Grid], NetworkImage]

    def __iter__(self) -> Iterator[NetworkImage]:
        return map(self.see, self.grids)


def prepare(image: sitk.Image, config: HeatmapConfig) -> Views:
    """The image as the network sees it; nothing is resampled before it is asked for.

    Args:
        image: three axes.

    Raises:
        InputError: a volume for a model of slices, or the reverse.
    """
    image = toned(oriented(image, config.input.dimension), config)
    limits = config.limits or intensity_range(image, config.input)
    frames = bright(image) if config.input.align else [whole(Grid.of(image))]
    resampler = Resampler(image)

    def see(grid: Grid) -> NetworkImage:
        values = scaled(resampler.on(grid), limits, clip=config.limits is None)
        return NetworkImage(values if config.input.dimension == 3 else values[0], grid)

    return Views([network_grid(frame, config.input, image.GetSpacing()[2]) for frame in frames], see)


def toned(image: sitk.Image, config: HeatmapConfig) -> sitk.Image:
    """The image with its histogram matched, where the model was trained so."""
    return image if config.reference is None else matched(as_volume(image), config.reference)


def locate(network: HeatmapNetwork, image: NetworkImage, config: HeatmapConfig) -> Peaks:
    """The peaks in pixels of `image.grid`; heights as fractions of the target's.

    Parts that overlap by half are merged by the maximum of their responses (4.4).
    """
    sigma = network.log_sigma.detach().exp().cpu().numpy()
    size = config.input.size[::-1]
    begins = [parts(length, part) for length, part in zip(image.pixels.shape, size, strict=True)]
    merged = np.full((len(config.names), *image.pixels.shape), -np.inf, dtype=np.float32)
    device = next(network.parameters()).device
    for begin in itertools.product(*begins):
        where = tuple(slice(b, b + s) for b, s in zip(begin, size, strict=True))
        with torch.inference_mode():
            tensor = torch.from_numpy(np.ascontiguousarray(image.pixels[where]))[None, None].to(device)
            heatmaps = network(tensor)[0][0].float().cpu().numpy()
        np.maximum(merged[(slice(None), *where)], heatmaps, out=merged[(slice(None), *where)])
    peaks = find_peaks(merged, radius=math.ceil(3 * float(sigma.max())))
    return Peaks(peaks.index, peaks.sigma, peaks.height / target_height(sigma, config))


def target_height(sigma: Array, config: HeatmapConfig) -> Array:
    """The maximum of equation (1) for sigma (N,) in pixels."""
    return config.gamma / (np.sqrt(2 * np.pi) * np.asarray(sigma, dtype=float)) ** config.input.dimension


def landmarks_of(
    peaks: Peaks, grid: Grid, image: Grid, config: HeatmapConfig
) -> tuple[LandmarkSet, NDArray[np.bool_]]:
    """Peaks on the network's grid as landmarks of the image (LPS mm, sigma along the image's axes), and
    which of them are high enough and on it."""
    dimension = config.input.dimension
    index, sigma = np.zeros((2, len(config.names), 3))
    index[:, :dimension], sigma[:, :dimension] = peaks.index, peaks.sigma
    positions = grid.to_world(index)
    # Variances turn with the axes.
    turn = (np.array(image.direction).reshape(3, 3).T @ np.array(grid.direction).reshape(3, 3)) ** 2
    variances = (sigma * grid.spacing[0] * config.calibration.sigma_scale) ** 2
    scores = np.clip(peaks.height, 0.0, 1.0)
    found = LandmarkSet(config.names, positions, np.sqrt(variances @ turn.T), scores)
    return found, (peaks.height >= config.calibration.min_height) & image.contains(positions)
