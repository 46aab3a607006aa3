"""A model that was trained on other images is noticed before anybody believes its answers."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.methods.fit import UNIT, describe, is_hounsfield, misfit
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.weights import read_card


def blobs(size=(96, 80), spacing=1.0, gain=1.0, offset=0.0, seed=0) -> sitk.Image:
    """A slice of smooth blobs whose shape in mm does not depend on size and spacing."""
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(10, 70, (8, 2)), rng.uniform(4, 12, 8)
    j, i = np.mgrid[: size[1], : size[0]] * spacing
    values = sum(
        np.exp(-((i - x) ** 2 + (j - y) ** 2) / (2 * w**2)) for (x, y), w in zip(centres, widths, strict=True)
    )
    image = sitk.GetImageFromArray((gain * values + offset)[None].astype(np.float32))
    image.SetSpacing((spacing, spacing, 5.0))
    return image


@pytest.fixture
def card() -> dict:
    """A card for blobs."""
    examples = [np.rint(UNIT * describe(blobs(seed=n))).astype(int).tolist() for n in range(4)]
    return {"name": "blobs", "title": "Blobs", "fit": {"limit": 0.3, "examples": examples}}


def test_a_description_does_not_depend_on_sampling_or_intensity_units():
    plain = describe(blobs())
    assert plain.shape == (38,)
    np.testing.assert_allclose(describe(blobs(gain=300.0, offset=-1000.0)), plain, atol=1e-3)
    finer = describe(blobs(size=(192, 160), spacing=0.5))
    assert np.linalg.norm(finer - plain) < 0.25


def test_an_image_that_a_model_was_trained_on_fits(card):
    assert misfit(card, blobs(seed=2)) == ""


def test_noise_does_not_fit_and_the_sentence_names_the_model_and_the_remedy(card):
    noise = sitk.GetImageFromArray(np.random.default_rng(1).normal(size=(1, 80, 96)).astype(np.float32))
    sentence = misfit(card, noise)
    assert "blobs" in sentence
    assert "choose another model" in sentence


def test_a_volume_is_described_by_its_middle_axial_slice(card):
    volume = sitk.JoinSeries([blobs(seed=2)[:, :, 0]] * 5)
    assert misfit(card, volume) == ""


def test_a_card_without_the_entry_fits_every_image():
    assert misfit({"name": "any"}, blobs()) == ""


def test_hounsfield_units_are_told_from_grey_values():
    assert is_hounsfield(blobs(gain=400.0, offset=-1000.0))
    assert not is_hounsfield(blobs(gain=255.0))


def test_grey_values_do_not_fit_a_model_for_hounsfield_units(card):
    card["fit"]["hounsfield"] = True
    assert "Hounsfield" in misfit(card, blobs(seed=2))


def test_the_simulated_torso_does_not_fit_the_model_of_chest_radiographs():
    assert "tmn-chest-xray" in misfit(read_card("tmn-chest-xray"), Phantom().cine()[0])


@pytest.mark.parametrize(
    ("model", "image", "fits"),
    [
        ("correspondence-ct", "hand_xray/3167.mha", False),
        ("correspondence-ct", "ct_followup/A072894/*.nrrd", True),
        ("tmn-chest-xray", "ceph_xray/001.jpg", False),
        ("scn-cardiac-lv", "jsrt_xray/JPCLN002.jpg", False),
        ("scn-cardiac-lv", "cardiac_edes/images/SC-HYP-40-*.png", True),
    ],
)
def test_real_images_of_other_kinds_are_warned_of(real_data, model, image, fits):
    path = sorted(real_data.glob(image))[0]
    assert (misfit(read_card(model), read_image(path)) == "") == fits
