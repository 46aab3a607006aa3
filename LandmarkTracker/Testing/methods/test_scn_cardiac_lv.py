"""The shipped model: what its card promises, on real images and in time."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.methods.registry import make_detector
from LandmarkTrackerLib.weights import model_path, read_card

NAME = "scn-cardiac-lv"


@pytest.fixture(scope="module")
def detector():
    return make_detector(NAME, "cpu")


def test_the_card_fits_the_model(detector):
    card = read_card(NAME)
    assert tuple(card["landmarks"]) == detector.names
    assert card["training"]["parameters"] == sum(p.numel() for p in detector.network.parameters())
    assert model_path(NAME).stat().st_size < 16e6


def test_an_image_of_512_pixels_takes_less_than_half_a_second(detector):
    image = sitk.GetImageFromArray(np.random.default_rng(0).random((1, 512, 512), dtype=np.float32))
    times = []
    for _ in range(5):
        began = time.perf_counter()
        detector.detect(image)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.5


@pytest.mark.real_data
def test_the_ventricle_of_a_test_patient_is_found(detector, real_data):
    """The centroid of the mask, to the pixel, in every slice in which it is found; and it mostly is."""
    errors = []
    for path in sorted((real_data / "cardiac_edes" / "images").glob("SC-HF-NI-36-*.png")):
        mask = sitk.GetArrayFromImage(
            sitk.ReadImage(str(real_data / "cardiac_edes" / "lv_masks" / path.name))
        )
        truth = np.argwhere(mask > 0).mean(axis=0)[::-1]
        errors.append(np.linalg.norm(detector.detect(read_image(path))["lv_centroid"].position[:2] - truth))
    assert np.isfinite(errors).mean() > 0.9
    assert np.nanmedian(errors) < 2.0


@pytest.mark.real_data
def test_it_works_in_the_geometry_of_a_scanner(detector, real_data):
    """Oblique slices with spacing: the detected centroid lies near the expert's, in mm."""
    from LandmarkTrackerLib.formats import open_cine

    folder = real_data / "cardiac_cine"
    contours = json.loads((folder / "SCD0000201_contours.json").read_text())["contours"]
    errors = []
    for entry in [e for e in contours if e["contour"] == "endocardium"][:8]:
        frame = open_cine(folder / f"{entry['sequence']}.seq.nrrd")[entry["frame"]]
        truth = Grid.of(frame).to_world((*entry["centroid_px"], 0.0))
        errors.append(np.linalg.norm(detector.detect(frame)["lv_centroid"].position - truth))
    assert np.nanmedian(errors) < 5.0


@pytest.mark.real_data
def test_there_is_no_ventricle_in_a_hand(detector, real_data):
    for path in sorted((real_data / "hand_xray").glob("*.mha")):
        assert not detector.detect(read_image(path)).defined.any()
