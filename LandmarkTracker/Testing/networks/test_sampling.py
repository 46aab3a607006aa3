"""Where warped pixels land, against points computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.networks.sampling import cut, sample, warp
from LandmarkTrackerLib.simulation.augmentation import ImageAugmentation, PatchAugmentation, moved


def ramps(*size: int) -> torch.Tensor:
    """(1, d, *spatial) images whose brightness is their column, their row[, their slice]."""
    return torch.stack(torch.meshgrid(*map(torch.arange, size[::-1]), indexing="ij")[::-1])[None].float()


@pytest.mark.parametrize("size", [(9, 6), (7, 5, 4)])
def test_a_point_between_pixels_is_read_where_it_is(size: tuple[int, ...]) -> None:
    points = torch.rand(1, 8, 3, len(size)) * (torch.tensor(size) - 1)
    read = sample(ramps(*size), points)
    torch.testing.assert_close(read.movedim(1, -1), points)


def test_beyond_the_image_is_nothing_or_its_border_continued() -> None:
    outside = torch.tensor([[[-1.0, 2.0], [30.0, 2.0]]])
    assert sample(ramps(9, 6), outside).abs().max() == 0
    continued = sample(ramps(9, 6), outside, "border")[0]
    torch.testing.assert_close(continued, torch.tensor([[0.0, 8.0], [2.0, 2.0]]))


def test_a_coarser_map_is_read_where_the_image_has_its_pixels() -> None:
    """Pixel centres of every second pixel lie half a pixel before those of the map."""
    coarse = torch.nn.functional.avg_pool2d(ramps(12, 8), 2)
    points = torch.tensor([[[3.0, 4.0], [6.25, 1.5]]])
    torch.testing.assert_close(sample(coarse, points, size=(12, 8)).movedim(1, -1), points)


def blob(centre: tuple[float, float], size: tuple[int, int] = (96, 80), sigma: float = 3.0) -> torch.Tensor:
    """(rows, columns) a Gaussian at (column, row)."""
    columns, rows = size
    jj, ii = np.mgrid[0:rows, 0:columns]
    values = np.exp(-0.5 * ((ii - centre[0]) ** 2 + (jj - centre[1]) ** 2) / sigma**2)
    return torch.from_numpy(values.astype(np.float32))


def centroid(image: torch.Tensor) -> np.ndarray:
    values = image.numpy().astype(float)
    jj, ii = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
    return np.array([(ii * values).sum(), (jj * values).sum()]) / values.sum()


def test_the_image_s_augmentation_moves_a_point_with_its_pixels() -> None:
    rng = np.random.default_rng(4)
    points = rng.uniform((38, 32), (56, 46), (12, 2))
    affines = np.stack([ImageAugmentation().draw(rng, (96, 80)) for _ in points])
    images = torch.stack([blob(tuple(point)) for point in points])
    shown = warp(images, torch.from_numpy(affines).float())
    for point, affine, image in zip(points, affines, shown, strict=True):
        np.testing.assert_allclose(centroid(image), moved(point, affine), atol=0.02)


def test_a_quarter_turn_by_hand() -> None:
    """(x, y) -> (79 - y, x), as rows become columns."""
    image = torch.rand(80, 80)
    turn = torch.tensor([[[0.0, -1.0, 79.0], [1.0, 0.0, 0.0]]])
    torch.testing.assert_close(warp(image[None], turn)[0], torch.rot90(image, -1), atol=1e-4, rtol=0)


def test_image_augmentations_stay_within_what_was_asked_and_a_crop_stays_in_the_image() -> None:
    rng = np.random.default_rng(0)
    only_crop = ImageAugmentation(rotation=0, scale=(1, 1), crop=(0.5, 1.0))
    for _ in range(50):
        affine = only_crop.draw(rng, (96, 80))
        low, high = moved(np.array([[-0.5, -0.5], [95.5, 79.5]]), affine)
        assert (low <= -0.5 + 1e-9).all()
        assert (high >= (95.5 - 1e-9, 79.5 - 1e-9)).all()
        assert 1 <= affine[0, 0] <= 2
    rotations = [
        np.degrees(np.arctan2(a[1, 0], a[0, 0]))
        for a in (ImageAugmentation().draw(rng, (96, 80)) for _ in range(300))
    ]
    assert -10 <= min(rotations) < -8 < 8 < max(rotations) <= 10


def test_the_centre_of_a_patch_stays_where_it_is_however_the_patch_is_varied() -> None:
    rng = np.random.default_rng(1)
    for patch in (32, 41):
        centre = (40.3, 37.8)
        drawn = [PatchAugmentation().draw(rng) for _ in range(8)]
        linears = torch.from_numpy(np.stack([linear for linear, _ in drawn])[None]).float()
        centres = torch.tensor(centre).expand(1, 8, 2)
        patches = cut(blob(centre)[None], centres, linears, torch.ones(1, 8), patch)[0]
        for shown in patches:
            np.testing.assert_allclose(centroid(shown), [(patch - 1) / 2] * 2, atol=0.02)


def test_a_patch_at_the_border_is_padded_with_zeros_by_half_its_side() -> None:
    image = torch.ones(1, 50, 50)
    same = torch.eye(2).expand(1, 1, 2, 2)
    patch = cut(image, torch.tensor([[[-0.5, 24.5]]]), same, torch.ones(1, 1), 32)[0, 0]
    assert patch[:, :15].max() == 0
    assert patch[:, 17:].min() == 1


def test_gamma_changes_brightness_and_nothing_else() -> None:
    image = torch.rand(1, 50, 50)
    same, centre = torch.eye(2).expand(1, 1, 2, 2), torch.full((1, 1, 2), 24.5)
    plain = cut(image, centre, same, torch.ones(1, 1), 32)
    torch.testing.assert_close(cut(image, centre, same, torch.full((1, 1), 2.0), 32), plain**2)
