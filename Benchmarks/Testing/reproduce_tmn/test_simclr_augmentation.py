"""Pictures are varied as Chen et al. 2020 vary them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.networks.sampling import cut
from reproduce_tmn.simclr.augmentation import AREA, ASPECT, Crop, blurred, draw_look, looked


def test_crops_have_the_papers_areas_and_ratios_and_lie_in_the_picture():
    rng = np.random.default_rng(0)
    crops = [Crop.draw(rng) for _ in range(400)]
    areas = np.array([crop.sides.prod() for crop in crops])
    ratios = np.array([crop.sides[0] / crop.sides[1] for crop in crops])
    assert AREA[0] <= areas.min() < 0.12
    assert 0.9 < areas.max() <= AREA[1] + 1e-9
    assert ASPECT[0] - 1e-9 <= ratios.min() < 0.8
    assert 1.25 < ratios.max() <= ASPECT[1] + 1e-9
    assert all((np.abs(crop.off) + crop.sides / 2 <= 0.5 + 1e-9).all() for crop in crops)


def test_a_crop_is_enlarged_to_the_whole_picture():
    """The left half of a ramp from 0 to 1 is a ramp from 0 to one half."""
    ramp = torch.linspace(0, 1, 64).expand(64, 64)[None]
    crop = Crop(np.array([-0.25, 0.0]), np.array([0.5, 1.0]))
    centre = torch.tensor(31.5 + crop.off * 64).float()[None, None]
    linear = torch.from_numpy(crop.linear).float()[None, None]
    shown = cut(ramp, centre, linear, torch.ones(1, 1), 64)[0, 0]
    assert shown[32, 1].item() == pytest.approx(0.25 / 63, abs=1e-4)
    assert shown[32, 62].item() == pytest.approx(30.75 / 63, abs=1e-4)


def test_brightness_scales_and_contrast_stretches_about_the_mean():
    picture = torch.tensor([[[0.2, 0.4], [0.4, 0.6]]])
    bright = looked(picture, torch.tensor([[1.5, 1.0, 0.0]]))
    torch.testing.assert_close(bright, 1.5 * picture)
    flat = looked(picture, torch.tensor([[1.0, 0.5, 0.0]]))
    torch.testing.assert_close(flat, 0.4 + 0.5 * (picture - 0.4))


def test_every_picture_is_blurred_by_its_own_gaussian():
    pictures = torch.zeros(2, 60, 60)
    pictures[:, 30, 30] = 1
    none, some = blurred(pictures, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(none, pictures[0])
    assert some.sum().item() == pytest.approx(1, abs=1e-5)
    assert some[30, 31].item() / some[30, 30].item() == pytest.approx(np.exp(-0.5), abs=1e-5)


def test_pictures_are_jittered_and_blurred_as_often_as_in_the_paper():
    rng = np.random.default_rng(1)
    looks = np.array([draw_look(rng) for _ in range(1000)])
    assert (looks[:, 0] != 1).mean() == pytest.approx(0.8, abs=0.04)
    assert (looks[:, 2] > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert looks[:, :2].min() >= 0.2 - 1e-9
    assert looks[:, 2].max() <= 2
