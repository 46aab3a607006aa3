"""How well a template matching network finds patches of patients whom it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.networks.sampling import cut, sample
from LandmarkTrackerLib.simulation.frames import draw_bumps
from LandmarkTrackerLib.training.losses import LOSSES
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn_data import TmnConfig, TmnSamples, pictures
from LandmarkTrackerLib.weights import Model

# Share of a normal distribution within one standard deviation: what a calibrated sigma has to cover.
WITHIN_SIGMA = 0.6827


@dataclass(frozen=True)
class Answers:
    """What the network said of N patches: found, log_sigma and true, all (N, 2), in pixels of the field."""

    found: Tensor
    log_sigma: Tensor
    true: Tensor

    @classmethod
    def of(cls, parts: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Answers:
        """Batches of (B, K, 2) together."""
        return cls(*(torch.cat(part).cpu().flatten(0, 1) for part in zip(*parts, strict=True)))

    def metrics(self, config: TmnConfig) -> dict[str, float]:
        """How well the patches were found.

        Returns:
            error_px, error_mm, median_mm, p95_mm: distance to the true centre.
            baseline_mm: its mean if the answer were always the mean of the true centres.
            loss: that of the training.
            sigma_factor: what sigma has to be multiplied by to cover 68 % of the errors along an axis.
            correlation: of sigma and error, by rank.
        """
        error = (self.found - self.true).norm(dim=1).numpy()
        mm = config.input.spacing
        return {
            "error_px": float(error.mean()),
            "error_mm": float(error.mean() * mm),
            "median_mm": float(np.median(error) * mm),
            "p95_mm": float(np.quantile(error, 0.95) * mm),
            "baseline_mm": float((self.true - self.true.mean(dim=0)).norm(dim=1).mean() * mm),
            "loss": float(LOSSES[config.learning.loss](self.found, self.log_sigma, self.true)),
            "sigma_factor": float(np.quantile(self._ratio, WITHIN_SIGMA)),
            "correlation": _rank_correlation(error, self.log_sigma.exp().norm(dim=1).numpy()),
        }

    def coverage(self, sigma_factor: float) -> float:
        """Share of the errors along an axis within sigma times this factor."""
        return float((self._ratio <= sigma_factor).mean())

    @property
    def _ratio(self) -> Array:
        return np.asarray(((self.found - self.true).abs() / self.log_sigma.exp()).numpy(), dtype=float)


def search(network: torch.nn.Module, samples: TmnSamples) -> Answers:
    """Seek patches of every image in it, varied, on the same draws every time."""
    parts = []
    for batch in _batches(network, samples, TmnSamples.__getitem__):
        found, log_sigma = network(*pictures(batch, samples.config.network.patch))
        parts.append((found, log_sigma, batch["targets"]))
    return Answers.of(parts)


def follow(network: torch.nn.Module, samples: TmnSamples) -> tuple[Answers, float]:
    """Follow points from every image to its moved version, as `methods/tmn.py` does along a cine.

    Returns:
        The answers, and the mean distance in pixels by which the points move.
    """
    patch = samples.config.network.patch
    parts, moves = [], []
    for batch in _batches(network, samples, _move):
        unvaried = torch.eye(2, device=batch["centres"].device).expand(*batch["centres"].shape[:2], 2, 2)
        patches = cut(batch["image"], batch["centres"], unvaried, unvaried[..., 0, 0], patch)
        there, log_sigma = network(sample(batch["image"][:, None], batch["origins"]), patches)
        here, _ = network(batch["image"][:, None], patches)
        parts.append((there + batch["centres"] - here, log_sigma, batch["targets"]))
        moves.append((batch["targets"] - batch["centres"]).norm(dim=-1))
    return Answers.of(parts), float(torch.cat(moves).mean())


def _move(samples: TmnSamples, draw: Draw) -> dict[str, Tensor]:
    """image (H, W), where each of its pixels comes from in it when it has moved, origins (H, W, 2), and
    the points that move from centres to targets (K, 2)."""
    rng = draw.rng
    config = samples.config
    motion = draw_bumps(rng, config.input.size, config.input.spacing, config.learning.local_motion_mm)
    targets = samples.centres(draw.row, np.eye(2, 3), rng)
    origins = motion.on_pixels(config.input.size)
    values = {"origins": origins, "centres": motion(targets), "targets": targets}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for name, v in values.items()}
    return tensors | {"image": torch.from_numpy(samples.images.brightness[draw.row]).float() / 255}


def all_metrics(
    network: torch.nn.Module, samples: TmnSamples, model: Model | None = None
) -> dict[str, float]:
    """Both uses of the network, on these patients.

    Returns:
        Those of `Answers.metrics`, of patches that were varied as in training, and with `following_` those of
        points that are followed through a simulated motion; still_mm, how far these move. With a model,
        coverage and following_coverage: share of the errors along an axis that lie within the sigma that its
        users see; 0.68 if it is right.
    """
    found = search(network, samples)
    followed, moved = follow(network, samples)
    metrics = found.metrics(samples.config)
    following = followed.metrics(samples.config)
    metrics |= {f"following_{name}": following[name] for name in ("error_mm", "p95_mm", "sigma_factor")}
    metrics["still_mm"] = moved * samples.config.input.spacing
    if model is not None:
        metrics["coverage"] = found.coverage(model.config["sigma_factor"])
        metrics["following_coverage"] = followed.coverage(model.config["following_sigma_factor"])
    return metrics


def _batches(
    network: torch.nn.Module,
    samples: TmnSamples,
    draw: Callable[[TmnSamples, Draw], dict[str, Tensor]],
    size: int = 16,
) -> Iterator[dict[str, Tensor]]:
    device = next(network.parameters()).device
    for start in range(0, len(samples), size):
        rows = range(start, min(start + size, len(samples)))
        batch = default_collate([draw(samples, Draw(row, (0, 2, row))) for row in rows])
        yield {name: values.to(device) for name, values in batch.items()}


def _rank_correlation(a: Array, b: Array) -> float:
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks)[0, 1])
