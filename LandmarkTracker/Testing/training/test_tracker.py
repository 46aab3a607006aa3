from collections.abc import Iterator

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.training import tracker
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tracker import (
    CropConfig,
    TrackerConfig,
    TrackerTask,
    calibration,
    tracker_loss,
)

TRUTH = torch.tensor([[[10.0, 12.0], [30.0, 8.0]]])


def step(position, log_sigma=0.0, presence=0.0, start=TRUTH) -> torch.Tensor:
    """(1, 2, 7) one answer of the network for both points."""
    sigma = torch.full((1, 2, 2), log_sigma)
    return torch.cat([position, sigma, torch.full((1, 2, 1), presence), start], dim=-1)


def loss(*steps, seen=(1.0, 1.0)) -> float:
    return float(tracker_loss(list(steps), {"truth": TRUTH, "seen": torch.tensor([seen])}))


def test_nearer_is_better():
    assert loss(step(TRUTH)) < loss(step(TRUTH + 1)) < loss(step(TRUTH + 3))


def test_the_best_sigma_is_that_of_the_error():
    off = TRUTH + 1
    fitted = loss(step(off, 0.0))
    assert fitted < loss(step(off, -1.0))
    assert fitted < loss(step(off, 1.0))


def test_where_a_hidden_landmark_is_put_does_not_matter_but_that_it_is_denied_does():
    hidden = (0.0, 0.0)
    assert loss(step(TRUTH), seen=hidden) == pytest.approx(loss(step(TRUTH + 9), seen=hidden))
    assert loss(step(TRUTH, presence=-3.0), seen=hidden) < loss(step(TRUTH, presence=3.0), seen=hidden)


def test_a_step_is_not_blamed_for_what_was_out_of_its_sight():
    far = TRUTH + 60
    assert loss(step(far, presence=-9.0, start=far)) < 0.01


@pytest.fixture(scope="module")
def task() -> Iterator[TrackerTask]:
    config = TrackerConfig(
        RunConfig(steps=2, batch_size=2),
        (DataConfig(phantoms=4, frames=1),),
        SplitConfig(("phantom-1001",)),
        CropConfig((64, 64)),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracker, "VALIDATION_PAIRS", 8)
        yield TrackerTask(config)


def test_validation_states_errors_before_and_after_refinement_and_calibrates_sigma(task):
    torch.manual_seed(0)
    network = task.network().eval()
    with torch.inference_mode():
        metrics = task.validate(network)
    assert metrics["search_px"] > 0
    assert metrics["median_px"] <= metrics["error_px"] <= metrics["p95_px"]
    assert np.isfinite(metrics["sigma_factor"])
    assert task.model_config(metrics)["sigma_factor"] == metrics["sigma_factor"]
    assert task.model_config(metrics)["sigma_power"] == metrics["sigma_power"]


def test_every_weight_learns(task):
    network = task.network()
    batch = torch.utils.data.default_collate([task.samples()[Draw(n, (n,))] for n in range(2)])
    task.loss(network, batch).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_calibration_makes_sigma_cover_the_errors_of_sure_and_unsure_points_alike() -> None:
    rng = np.random.default_rng(0)
    stated = np.exp(rng.uniform(-3, 0, 20_000))
    errors = np.abs(rng.normal(0, 2 * stated**1.5))
    factor, power = calibration(errors, stated)
    assert power == pytest.approx(1.5, abs=0.1)
    covered = errors <= 1.645 * factor * stated**power
    for part in (stated < np.median(stated), stated > np.median(stated)):
        assert covered[part].mean() == pytest.approx(0.9, abs=0.02)


def test_equal_sigmas_are_scaled_to_cover_the_errors() -> None:
    errors = np.abs(np.random.default_rng(0).normal(0, 3.0, 20_000))
    assert calibration(errors, np.full(20_000, 1.5)) == (pytest.approx(2.0, abs=0.05), 1.0)


def test_a_network_that_sees_nothing_is_left_uncalibrated() -> None:
    assert calibration(np.zeros(0), np.zeros(0)) == (1.0, 1.0)
