"""The task of the refined tracker: from a wrong start back to the landmark, with an honest sigma."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.field import normalised
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.networks.refinement import Exemplars, refine, smoothed
from LandmarkTrackerLib.networks.tracker import STRIDES, WINDOW, TrackerNet, log_sigma
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.data import announced, split_items
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tracker_samples import MotionConfig, MovedPairs, Picture

POWERS = np.arange(0.5, 2.01, 0.02).tolist()
# A landmark that the last step leaves farther off than this was not found.
FOUND_PX = 4.0
MOTION = MotionConfig()
VALIDATION_PAIRS = 96  # drawn from the validation subjects


@dataclass(frozen=True)
class CropConfig:
    """The `[input]` table: `size` of the crops that are trained on, pixels; they are square."""

    size: tuple[int, int] = (128, 128)

    def __post_init__(self) -> None:
        if self.size[0] != self.size[1] or self.size[0] < 32:
            raise InputError(f"size = {list(self.size)} must be two equal numbers of at least 32")


@dataclass(frozen=True)
class LearningConfig:
    """The `[learning]` table.

    Attributes:
        rate: of AdamW, where the schedule starts.
        weight_decay: of AdamW.
        max_sigma_mm: above this the model's answer is not shown.
    """

    rate: float = 1.5e-3
    weight_decay: float = 1e-4
    max_sigma_mm: float = 6.0


@dataclass(frozen=True)
class TrackerConfig:
    """A training file of `landmark-tracker train tracker`."""

    run: RunConfig
    data: tuple[DataConfig, ...]
    split: SplitConfig = default(default_factory=SplitConfig)
    input: CropConfig = CropConfig()
    learning: LearningConfig = LearningConfig()


class TrackerTask:
    """See `training.task.Task`."""

    method, metric = "tracker", "error_px"

    def __init__(self, config: TrackerConfig) -> None:
        self.config = config
        pictures: dict[str, list[Picture]] = {"train": [], "validation": []}
        for item in announced(split_items(config.data, config.split, seed=config.run.seed)):
            for image in item.slices():
                if min(image.GetSize()[:2]) >= config.input.size[0] // 2:
                    pictures[item.part].append(normalised(pixels(image)[0]))
        self.training, self.validation = (
            MovedPairs(pictures[part], replace(MOTION, size=config.input.size[0])) for part in pictures
        )

    def network(self) -> TrackerNet:
        network = TrackerNet()
        return network.to(memory_format=torch.channels_last)

    def optimiser(self, network: torch.nn.Module) -> torch.optim.Optimizer:
        learning = self.config.learning
        return torch.optim.AdamW(network.parameters(), lr=learning.rate, weight_decay=learning.weight_decay)

    def samples(self) -> MovedPairs:
        return self.training

    def loss(self, network: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return tracker_loss(_run(network, batch), batch)

    def validate(self, network: torch.nn.Module) -> dict[str, float]:
        """error_px (mean over points that are seen, after refinement), median_px, p95_px, search_px (mean
        before refinement), sigma_factor and sigma_power (see `calibration`), and how well presence tells seen
        from hidden points (share of right answers, each kind counting half)."""
        searched, errors, misses, sigmas = [], [], [], []
        hits: dict[int, list[Tensor]] = {0: [], 1: []}
        for start in range(0, VALIDATION_PAIRS, 8):
            draws = [Draw(n % len(self.validation), (0, 2, n)) for n in range(start, start + 8)]
            batch = torch.utils.data.default_collate([self.validation[draw] for draw in draws])
            last = _run(network, batch)[-1]
            seen, present = batch["seen"] > 0, last[..., 4] > 0
            refined = [
                refine(
                    Exemplars.cut(batch["key"][n, None], batch["exemplar"][n], len(seen[n])),
                    smoothed(batch["target"][n, None]),
                    last[n, :, :2],
                    log_sigma(last[n]).exp(),
                    present[n],
                )
                for n in range(len(draws))
            ]
            positions, variances, _ = (torch.stack(part) for part in zip(*refined, strict=True))
            off = positions - batch["truth"]
            searched.append((last[..., :2] - batch["truth"]).norm(dim=-1)[seen])
            errors.append(off.norm(dim=-1)[seen])
            misses.append(off.abs()[seen & present].flatten())
            sigmas.append(variances.sqrt()[seen & present].flatten())
            for kind in (0, 1):
                hits[kind].append((present == bool(kind))[seen == bool(kind)])
        error = torch.cat(errors).numpy()
        factor, power = calibration(torch.cat(misses).numpy(), torch.cat(sigmas).numpy())
        return {
            "error_px": float(error.mean()),
            "median_px": float(np.median(error)),
            "p95_px": float(np.quantile(error, 0.95)),
            "search_px": float(torch.cat(searched).mean()),
            "sigma_factor": factor,
            "sigma_power": power,
            "presence": float(np.mean([torch.cat(hit).float().mean() for hit in hits.values()])),
        }

    def model_config(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        return {
            "network": {},
            "sigma_factor": metrics["sigma_factor"],
            "sigma_power": metrics["sigma_power"],
            "max_sigma_mm": self.config.learning.max_sigma_mm,
        }


def calibration(errors: np.ndarray, sigmas: np.ndarray) -> tuple[float, float]:
    """(factor, power) that make factor * sigma^power cover 90 % of the errors (N,) along an axis, among the
    surer half of the sigmas (N,) as among the others."""
    if not len(errors):  # a network that has learned nothing yet sees nothing
        return 1.0, 1.0
    sure = sigmas <= np.median(sigmas)

    def factor(power: float, part: np.ndarray) -> float:
        return float(np.quantile((errors / sigmas**power)[part], 0.9) / 1.645)

    if sure.all():
        return factor(1.0, sure), 1.0
    unequal = {power: abs(np.log(factor(power, sure) / factor(power, ~sure))) for power in POWERS}
    best = min(unequal, key=unequal.__getitem__)
    return factor(best, np.ones_like(sure)), best


def _run(network: torch.nn.Module, batch: dict[str, Tensor]) -> list[Tensor]:
    return list(network(batch["key"], batch["target"], batch["exemplar"], batch["start"]))


def tracker_loss(steps: list[Tensor], batch: dict[str, Tensor]) -> Tensor:
    """() distance to the truth after each step, the likelihood of the error under sigma, and presence.

    A step answers only for points that it could see from where it stood: those within its window. Sigma is
    fitted to the error and does not pull at the position.
    """
    truth, seen = batch["truth"], batch["seen"]
    total = truth.new_zeros(())
    for n, step in enumerate(steps):
        reach = 0.8 * STRIDES[2 if n == 0 else 1] * (WINDOW // 2)
        due = ((truth - step[..., 5:7]).abs().amax(dim=-1) < reach).float() * seen
        error = step[..., :2] - truth
        distance = (error.square().sum(dim=-1) + 1e-4).sqrt()
        spread = log_sigma(step)
        surprise = (error.detach().square() * (-2 * spread).exp() / 2).clamp(max=50) + spread
        found = seen * (distance.detach() < FOUND_PX).float()
        presence = binary_cross_entropy_with_logits(step[..., 4], found)
        fit = ((distance + 0.1 * surprise.mean(dim=-1)) * due).sum() / due.sum().clamp(min=1)
        total = total + (n + 1) / len(steps) * (fit + 0.1 * presence)
    return total
