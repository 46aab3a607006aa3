from __future__ import annotations

import numpy as np
import pytest
import torch
from LandmarkTrackerLib.methods.correspondence.candidates import Blocks, Candidates, find_candidates, joined
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork, Features


def found_in(image: np.ndarray, threshold: float, apart: int, blocks: Blocks) -> Candidates:
    return joined(list(find_candidates(Bumps(image.ndim, (1, 1, 1)), image, threshold, apart, blocks)))


class Bumps(CorrespondenceNetwork):
    """Says that a landmark is where the image is bright; describes with the image's own coarse pixels."""

    def forward(self, image: torch.Tensor) -> Features:
        pool = torch.nn.functional.avg_pool2d if image.ndim == 4 else torch.nn.functional.avg_pool3d
        return Features(8 * image - 4, (pool(image, 2), pool(image, 4)))


def parabolas(shape: tuple[int, ...], tops: np.ndarray) -> np.ndarray:
    """Bright spots with their tops between the pixels, `tops` along i, j[, k]."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1)[..., ::-1]
    heights = [1 - 0.02 * ((grid - top) ** 2).sum(-1) for top in tops]
    return np.maximum(np.max(heights, axis=0), 0).astype(np.float32)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("core", [512, 16])
def test_landmarks_are_found_between_the_pixels_whatever_the_blocks(d: int, core: int) -> None:
    shape = (41, 54) if d == 2 else (22, 34, 41)
    tops = np.array([[8.3, 7.8, 15.9], [30.6, 9.1, 16.2], [15.75, 25.4, 5.0], [33.0, 28.7, 18.0]])[:, :d]
    image = parabolas(shape, tops)
    found = found_in(image, 0.5, 2, Blocks(core, 8))
    assert found.index.shape == (4, d)
    order = [int(np.linalg.norm(found.index - top, axis=1).argmin()) for top in tops]
    assert sorted(order) == [0, 1, 2, 3]
    np.testing.assert_allclose(found.index[order], tops, atol=0.02)
    assert found.descriptors.shape == (4, 2)
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-4)), atol=0.01)


def test_of_two_near_landmarks_the_more_probable_counts() -> None:
    image = np.zeros((32, 32), np.float32)
    image[10, 10], image[10, 13], image[20, 20] = 0.9, 1.0, 0.4
    for apart, expected in ((2, [[10, 10], [13, 10]]), (3, [[13, 10]])):
        found = found_in(image, 0.5, apart, Blocks(512, 8))
        assert np.rint(found.index).tolist() == expected


def test_an_image_without_landmarks_has_no_candidates() -> None:
    found = found_in(np.zeros((20, 30), np.float32), 0.5, 2, Blocks(16, 4))
    assert len(found) == 0
    assert found.index.shape == (0, 2)


@pytest.mark.parametrize("shape", [(56, 72), (24, 40, 56)])
@torch.inference_mode()
def test_blocks_give_the_same_landmarks_as_the_whole(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = CorrespondenceNetwork(len(shape), (4, 4, 8)).eval()
    image = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    # The halo holds all that a network of three levels sees from a pixel.
    whole, parts = (
        joined(list(find_candidates(network, image, 0.0, 2, Blocks(core, 32)))) for core in (512, 16)
    )
    assert len(whole) > 20
    order = [np.lexsort(found.index.T) for found in (whole, parts)]
    np.testing.assert_allclose(parts.index[order[1]], whole.index[order[0]], atol=1e-3)
    np.testing.assert_allclose(parts.probability[order[1]], whole.probability[order[0]], atol=1e-5)
    torch.testing.assert_close(parts.descriptors[order[1]], whole.descriptors[order[0]], atol=1e-4, rtol=1e-3)


def test_without_suppression_every_pixel_above_the_threshold_is_a_landmark_at_its_centre() -> None:
    """As in the paper's inference (section 2.5)."""
    image = np.zeros((32, 32), np.float32)
    image[10, 10:13], image[20, 20] = (0.9, 1.0, 0.8), 0.4
    found = found_in(image, 0.5, 0, Blocks(512, 8))
    assert found.index.tolist() == [[10, 10], [11, 10], [12, 10]]
