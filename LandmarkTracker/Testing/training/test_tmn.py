"""The task: patches are cut where they say, and a small network learns to find them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.tmn import TmnLocator
from LandmarkTrackerLib.networks.sampling import cut, sample
from LandmarkTrackerLib.step import results
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tmn import TmnTask
from LandmarkTrackerLib.training.tmn_data import (
    FieldConfig,
    LearningConfig,
    NetworkConfig,
    TmnConfig,
    pictures,
)
from LandmarkTrackerLib.training.tmn_metrics import _move, follow
from LandmarkTrackerLib.weights import load_model
from torch.utils.data import default_collate


def config(**changes: Any) -> TmnConfig:
    settings = TmnConfig(
        run=RunConfig(
            steps=60, batch_size=4, device="cpu", validate_every=30, threads=1, warmup=5, schedule="cosine"
        ),
        data=(DataConfig(phantoms=3, frames=2),),
        split=SplitConfig(("phantom-1002",)),
        input=FieldConfig((64, 64), 5.0),
        network=NetworkConfig(layers=2, width=64, dropout=0.0),
        learning=LearningConfig(rate=2e-3, patches=8),
    )
    return replace(settings, **changes)


@pytest.fixture(scope="module")
def task() -> TmnTask:
    return TmnTask(config())


def test_the_same_draw_is_the_same_sample_and_another_is_not(task: TmnTask) -> None:
    first, again, other = (task.training[Draw(1, (0, n))] for n in (5, 5, 6))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["centres"], other["centres"])


def test_the_augmented_image_shows_the_patch_around_its_target(task: TmnTask) -> None:
    """Varied as the image was, the patch is what the augmented image holds there."""
    batch = default_collate([task.training[Draw(row, (3, row))] for row in range(4)])
    images, _ = pictures(batch, 32)
    targets, plain = batch["targets"], torch.ones(batch["gammas"].shape)
    assert bool(((targets >= -0.5) & (targets <= 63.5)).all())
    as_image = batch["affine"][:, None, :, :2].expand(-1, targets.shape[1], 2, 2)
    patches = cut(batch["image"] / 255, batch["centres"], as_image, plain, 24)
    around = cut(images[:, 0], targets, torch.eye(2).expand_as(as_image), plain, 24)
    inner = ((targets > 16) & (targets < 47)).all(dim=-1)
    assert int(inner.sum()) > 5
    for there, patch in zip(around[inner], patches[inner], strict=True):
        assert float(np.corrcoef(there.flatten(), patch.flatten())[0, 1]) > 0.95


def test_most_patches_are_centred_on_the_body(task: TmnTask) -> None:
    samples = task.training
    in_air = []
    for n in range(40):
        draw = Draw(n % len(samples), (7, n))
        column, row = samples[draw]["centres"].round().int().clamp(0, 63).T.numpy()
        in_air.append(samples.air[draw.row][row, column].mean())
    assert np.mean(in_air) < 0.2
    assert max(in_air) > 0


def test_a_small_network_learns_and_its_model_is_a_locator(tmp_path: Path) -> None:
    run = Run(TmnTask(config()), config().run, tmp_path / "small")
    metrics = [learned.metrics for learned in results(run) if learned.metrics]
    assert metrics[-1]["error_mm"] < 0.85 * metrics[-1]["baseline_mm"]
    model = load_model(run.model)
    assert model.method == "tmn"
    assert model.config["sigma_factor"] == pytest.approx(
        next(m["sigma_factor"] for m in metrics if m["error_px"] == run.best)
    )
    locator = TmnLocator(model, "cpu")
    assert locator.field.size == (64, 64)
    assert locator.max_sigma_mm == 12.0


def test_the_sigma_factor_makes_sigma_cover_two_thirds_of_the_errors(task: TmnTask) -> None:
    class Constant(torch.nn.Module):
        """Always the middle, with a sigma of one pixel."""

        def __init__(self) -> None:
            super().__init__()
            self.middle = torch.nn.Parameter(torch.full((2,), 31.5))

        def forward(self, image: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            centre = self.middle.expand(*patches.shape[:2], 2)
            return centre, torch.zeros_like(centre)

    with torch.inference_mode():
        metrics = task.validate(Constant())
    rows = range(len(task.validation))
    targets = torch.cat([task.validation[Draw(row, (0, 2, row))]["targets"] for row in rows])
    along = (targets - 31.5).abs()
    assert float((along <= metrics["sigma_factor"]).float().mean()) == pytest.approx(0.683, abs=0.02)
    assert metrics["error_mm"] == pytest.approx(5 * float((targets - 31.5).norm(dim=1).mean()), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NetworkConfig(patch=31), "32 to 80"),
        (lambda: NetworkConfig(layers=5), "1 to 4"),
        (lambda: FieldConfig((16, 64), 1.0), "at least 32"),
    ],
)
def test_what_the_network_cannot_be_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_a_simulated_motion_moves_points_with_their_pixels(task: TmnTask) -> None:
    """Where the moved image shows the target, the image showed the centre."""
    samples = task.validation
    batch = default_collate([_move(samples, Draw(row, (5, row))) for row in range(2)])
    assert 0.2 < float((batch["targets"] - batch["centres"]).norm(dim=-1).mean()) < 4
    moved = sample(batch["image"][:, None], batch["origins"])
    there = sample(moved, batch["targets"])
    here = sample(batch["image"][:, None], batch["centres"])
    inner = ((batch["targets"] > 3) & (batch["targets"] < 60)).all(dim=-1)
    assert float((there - here)[:, 0][inner].abs().mean()) < 0.03


def test_following_a_network_that_knows_how_far_but_not_where_is_exact(task: TmnTask) -> None:
    """It answers 7 and -3 pixels beside the truth, in every frame alike."""
    samples = task.validation
    batches = iter([_move(samples, Draw(row, (0, 2, row))) for row in range(len(samples))])
    points = default_collate(list(batches))
    answers = iter([points["targets"], points["centres"]])

    class Beside(torch.nn.Linear):
        def forward(self, image: torch.Tensor, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
            there = next(answers) + torch.tensor([7.0, -3.0])
            return there, torch.zeros_like(there)

    answered, moves = follow(Beside(1, 1), samples)
    torch.testing.assert_close(answered.found, answered.true, atol=1e-4, rtol=0)
    assert moves == pytest.approx(float((points["targets"] - points["centres"]).norm(dim=-1).mean()))
