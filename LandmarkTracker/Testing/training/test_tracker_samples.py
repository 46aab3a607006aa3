from dataclasses import replace

import numpy as np
import torch
from LandmarkTrackerLib.networks.sampling import sample
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.training.tracker_samples import MotionConfig, MovedPairs

CALM = MotionConfig(size=64, points=20, noise=0.0, vanish=0.0, strange=0.0)


def picture(rows: int = 150, columns: int = 180) -> np.ndarray:
    j, i = np.indices((rows, columns))
    return (0.5 + 0.2 * np.sin(i / 9) * np.cos(j / 11) + 0.2 * np.sin((i + 2 * j) / 23)).astype(np.float32)


def test_the_target_shows_at_the_truth_what_the_key_shows_at_the_exemplar(monkeypatch):
    monkeypatch.setattr("LandmarkTrackerLib.training.tracker_samples.varied", lambda rng, crop, noise: crop)
    pairs = MovedPairs([picture()], CALM)
    for n in range(6):
        pair = pairs[Draw(0, (n,))]
        seen = pair["seen"] > 0
        assert seen.any()
        key, target = (
            sample(pair[crop][None], pair[points][seen][None])[0, 0]
            for crop, points in (("key", "exemplar"), ("target", "truth"))
        )
        torch.testing.assert_close(key, target, atol=0.02, rtol=0)


def test_the_same_draw_gives_the_same_pair_and_another_one_another():
    pairs = MovedPairs([picture()], MotionConfig(size=64, points=20))
    first, again, other = pairs[Draw(0, (1, 2))], pairs[Draw(0, (1, 2))], pairs[Draw(0, (1, 3))]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["target"], other["target"])


def test_in_another_image_no_landmark_is_to_be_seen():
    strange = MovedPairs([picture(), 1 - picture()], replace(CALM, strange=1.0))
    calm = MovedPairs([picture(), 1 - picture()], replace(CALM, strange=0.0))
    for n in range(4):
        assert strange[Draw(0, (n,))]["seen"].sum() == 0
        assert calm[Draw(0, (n,))]["seen"].sum() > 0


def test_covered_landmarks_are_not_to_be_seen():
    pairs = MovedPairs([picture(), 1 - picture()], replace(CALM, vanish=1.0))
    share = np.mean([float(pairs[Draw(0, (n,))]["seen"].mean()) for n in range(20)])
    assert 0.4 < share < 0.97
