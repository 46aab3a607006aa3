from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from conftest import textured
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, body_mask, toned
from LandmarkTrackerLib.networks.sampling import sample as read_at
from LandmarkTrackerLib.simulation.scans import Extent
from LandmarkTrackerLib.step import results
from LandmarkTrackerLib.training.config import DataConfig, RunConfig, SplitConfig
from LandmarkTrackerLib.training.correspondence import (
    AugmentationConfig,
    CorrespondenceConfig,
    CorrespondenceTask,
    LearningConfig,
    NetworkConfig,
    ViewConfig,
    mutual_best,
)
from LandmarkTrackerLib.training.correspondence_samples import (
    PairsConfig,
    SimulatedPairs,
    Source,
    read_sources,
)
from LandmarkTrackerLib.training.data import Item
from LandmarkTrackerLib.training.loop import Run
from LandmarkTrackerLib.training.task import Draw
from LandmarkTrackerLib.weights import load_model


def source(*size: int) -> Source:
    """Smooth texture inside a body that ends 6 pixels before the image's border."""
    if len(size) == 2:
        grey = textured(size[::-1]) / 200
    else:
        noise = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=size).astype(np.float32))
        grey = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 3.0))
        grey = 0.5 + 0.15 * grey / grey.std()
    mask = np.zeros(size, np.float32)
    mask[(slice(6, -6),) * len(size)] = 1
    where = torch.from_numpy(np.argwhere(mask)[:, ::-1].astype(np.int16))
    return Source(torch.from_numpy(np.stack([grey, mask]).astype(np.float32)), where)


@pytest.mark.parametrize(("size", "spacing"), [((160, 150), 1.0), ((40, 44, 48), 1.5)])
def test_origins_say_which_pixel_of_the_fixed_image_every_moving_pixel_shows(
    size: tuple[int, ...], spacing: float
) -> None:
    config = PairsConfig(size=64 if len(size) == 2 else 24, brightness=0, contrast=0, noise=0)
    data = SimulatedPairs([source(*size)], config, Extent(translate=5), spacing)
    for n in range(8):
        sample = data[Draw(0, (n,))]
        origins = sample["origins"].movedim(0, -1)
        read, mask = read_at(torch.cat([sample["fixed"], sample["fixed_mask"]])[None], origins[None])[0]
        # What both images show, away from the border of either.
        from_the_middle = ((2 * origins + 1) / config.size - 1).abs()
        inside = (from_the_middle < 0.9).all(-1) & (sample["moving_mask"][0] > 0) & (mask > 0.99)
        assert inside.float().mean() > 0.02
        assert (read - sample["moving"][0])[inside].abs().mean() < 0.02


def test_a_single_change_leaves_the_fixed_image_whole_and_as_it_is() -> None:
    """Grey values, an affine map or an elastic one, a third of the pairs each; 40 pixels centred in 48."""
    one = source(40, 40)
    config = PairsConfig(size=48, noise=0, single=True, pose=False, whole=True)
    data = SimulatedPairs([one], config, Extent(translate=5), 1.0)
    kinds = []
    for n in range(60):
        sample = data[Draw(0, (n,))]
        assert torch.allclose(sample["fixed"][0, 4:44, 4:44], one.pixels[0], atol=1e-5)
        assert not sample["fixed"][0, :3].any()
        still = bool((sample["origins"][0, 0] - torch.arange(48)).abs().max() < 1e-3)
        second = (
            sample["origins"].diff(n=2, dim=1).abs().max() + sample["origins"].diff(n=2, dim=2).abs().max()
        )
        kinds.append("grey" if still else "affine" if second < 1e-3 else "elastic")
        read = read_at(sample["fixed"][None], sample["origins"].movedim(0, -1)[None])[0]
        there = sample["moving_mask"][0] > 0
        unlike = float((read - sample["moving"])[0][there].abs().mean()) if there.any() else 0.0
        assert (unlike > 0.02) if still else (unlike < 0.02)
    assert {kind: 10 < kinds.count(kind) < 30 for kind in set(kinds)} == dict.fromkeys(
        ("grey", "affine", "elastic"), True
    )


def test_the_same_draw_gives_the_same_pair_and_another_one_another() -> None:
    data = SimulatedPairs([source(96, 96)], PairsConfig(size=48), Extent(), 1.0)
    first, again, other = (data[Draw(0, (n,))] for n in (5, 5, 6))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["moving"], other["moving"])


def test_grey_values_change_independently_in_both_images() -> None:
    data = SimulatedPairs([source(96, 96)], PairsConfig(size=48), Extent(), 1.0)
    means = np.array([[float(data[Draw(0, (n,))][k].mean()) for k in ("fixed", "moving")] for n in range(40)])
    assert (means.std(axis=0) > 0.05).all()
    assert abs(np.corrcoef(means.T)[0, 1]) < 0.8


def test_the_body_is_without_table_and_with_its_lungs() -> None:
    hounsfield = np.full((100, 120), -1000.0, np.float32)
    hounsfield[20:70, 30:100] = 40
    hounsfield[35:55, 45:80] = -850
    hounsfield[85:88, 20:110] = 200
    mask = body_mask(toned(hounsfield, "ct"))
    assert mask[45, 60] == 1
    assert mask[25, 35] == 1
    assert not mask[80:].any()
    assert mask.sum() == pytest.approx(50 * 70, rel=0.02)


def test_an_image_of_air_has_no_body() -> None:
    assert not body_mask(np.zeros((30, 30), np.float32)).any()


def test_a_volume_is_trained_on_in_axial_slices_or_as_a_whole(tmp_path: Path) -> None:
    volume = sitk.GetImageFromArray(np.arange(20 * 40 * 30, dtype=np.float32).reshape(20, 40, 30) / 100)
    volume.SetSpacing((2.0, 2.0, 2.0))
    sitk.WriteImage(volume, str(tmp_path / "volume.nii.gz"))
    item = Item("train", "a", DataConfig(str(tmp_path), every=5), tmp_path / "volume.nii.gz")
    slices = read_sources([item], PairInputConfig(2, 2.0))
    assert [tuple(s.pixels.shape) for s in slices] == [(2, 40, 30)] * 4
    whole = read_sources([item], PairInputConfig(3, 4.0))
    assert [tuple(s.pixels.shape) for s in whole] == [(2, 16, 20, 16)]


def test_data_without_an_image_for_the_network_are_refused(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.Image(40, 30, 1, sitk.sitkFloat32) + 1.0, str(tmp_path / "flat.nrrd"))
    item = Item("train", "a", DataConfig(str(tmp_path)), tmp_path / "flat.nrrd")
    with pytest.raises(InputError, match="no image is left"):
        read_sources([item], PairInputConfig(3))


def test_the_mutual_best_are_best_in_row_and_column() -> None:
    scores = torch.tensor([[[5.0, 4.0], [3.0, 2.0], [1.0, 3.0]]])
    expected = torch.tensor([[[True, False], [False, False], [False, False]]])
    assert torch.equal(mutual_best(scores), expected)


def test_training_finds_more_right_matches(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        image = sitk.GetImageFromArray((textured((128, 128), seed) * 4 - 600)[None].astype(np.float32))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    config = CorrespondenceConfig(
        RunConfig(steps=40, batch_size=2, device="cpu", threads=1, validate_every=1000),
        (DataConfig(str(tmp_path), "*.nrrd"),),
        SplitConfig(("b",)),
        ViewConfig((48, 48)),
        NetworkConfig((8, 8, 16)),
        LearningConfig(rate=3e-3, count=36, contrast=1.0),
        AugmentationConfig(rotate=5, scale=0.05, shear=0.05, translate=3, elastic=2, width=(20, 30)),
    )
    task = CorrespondenceTask(config)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    untrained = task.network().eval()
    with torch.inference_mode():
        before = task.validate(untrained)
    for learned in results(run := Run(task, config.run, tmp_path / "run")):
        after = learned.metrics
    assert 1 - after["missed"] > 5 * (1 - before["missed"])
    model = load_model(run.model)
    assert model.method == "correspondence"
    assert model.config["filters"] == [8, 8, 16]
