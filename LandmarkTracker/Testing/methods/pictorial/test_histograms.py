"""The surroundings of a point look alike in other light, and as turned as their picture."""

from __future__ import annotations

import numpy as np
import torch
from LandmarkTrackerLib.methods.pictorial.histograms import Histograms, blurred


def picture(angle: float = 0.0, scale: float = 1.0, size: int = 96) -> torch.Tensor:
    """Smooth waves and blobs around the middle, turned and enlarged."""
    j, i = np.mgrid[:size, :size] - (size - 1) / 2
    c, s = np.cos(angle) / scale, np.sin(angle) / scale
    x, y = c * i + s * j, -s * i + c * j
    values = 0.5 + 0.2 * np.sin(0.3 * x + 0.1 * y) + 0.2 * np.cos(0.25 * y - 0.002 * x * y)
    values += 0.4 * np.exp(-((x - 5) ** 2 + (y + 3) ** 2) / 20)
    return torch.from_numpy(values).float()


MIDDLE = torch.tensor([[47.5, 47.5]])


def test_they_have_length_one_and_do_not_depend_on_brightness():
    plain, bright = (Histograms(p, 4.0).around(MIDDLE) for p in (picture(), 3 * picture() + 1))
    torch.testing.assert_close(plain.norm(dim=1), torch.ones(1))
    assert float((plain * bright).sum()) > 0.995


def test_asked_as_turned_and_enlarged_they_fit_a_turned_and_enlarged_picture():
    there = Histograms(picture(0.5, 1.25), 4.0).around(MIDDLE)
    example = Histograms(picture(), 4.0)
    as_it_is = float((example.around(MIDDLE) * there).sum())
    turned = example.around(MIDDLE, torch.tensor([0.5]), torch.tensor([1.25]))
    wrong_way = example.around(MIDDLE, torch.tensor([-0.5]), torch.tensor([1.25]))
    assert float((turned * there).sum()) > 0.97
    assert max(as_it_is, float((wrong_way * there).sum())) < 0.9


def test_another_place_looks_less_alike_than_the_same():
    here = Histograms(picture(), 4.0)
    elsewhere = MIDDLE + torch.tensor([[0.0, 0.0], [3.0, 0.0], [12.0, 9.0]])
    likeness = (here.around(elsewhere) @ here.around(MIDDLE).T)[:, 0]
    assert likeness[0] > likeness[1] > likeness[2]


def test_blurring_keeps_the_mean_and_has_the_variance_that_is_asked_for():
    dot = torch.zeros(1, 1, 41, 41)
    dot[..., 20, 20] = 1
    smooth = blurred(dot, 2.0)[0, 0]
    at = torch.arange(41.0) - 20
    torch.testing.assert_close(smooth.sum(), torch.tensor(1.0))
    assert abs(float((smooth.sum(0) * at**2).sum()) ** 0.5 - 2) < 0.1
