from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from LandmarkTrackerLib.networks.correspondence import (
    CorrespondenceNetwork,
    describe,
    descriptor_distances,
    read_at,
    sample_landmarks,
)


def small(dimension: int) -> CorrespondenceNetwork:
    torch.manual_seed(0)
    return CorrespondenceNetwork(dimension, (4, 6, 8))


@pytest.mark.parametrize(("dimension", "size"), [(2, (24, 32)), (3, (8, 12, 16))])
def test_the_branch_keeps_the_size_and_describes_with_the_last_two_blocks(
    dimension: int, size: tuple[int, ...]
) -> None:
    features = small(dimension)(torch.randn(2, 1, *size))
    assert features.logits.shape == (2, 1, *size)
    assert features.coarse[0].shape == (2, 6, *(n // 2 for n in size))
    assert features.coarse[1].shape == (2, 8, *(n // 4 for n in size))
    at = torch.zeros(2, 5, dimension)
    assert describe(features, at).shape == (2, 5, 14)


def test_a_size_that_cannot_be_halved_often_enough_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        small(2)(torch.zeros(1, 1, 22, 24))


def test_the_u_net_of_the_paper_has_a_sixteenth_of_its_weights() -> None:
    """Ronneberger et al. 2015: two 3 x 3 convolutions a level, up-convolutions of 2 x 2, a 1 x 1 layer."""
    filters = (16, 32, 64, 128, 256)
    network = CorrespondenceNetwork(2, filters, normalise=False, transposed=True)

    def block(a: int, b: int) -> int:
        return 9 * a * b + b + 9 * b * b + b

    down = sum(block(a, b) for a, b in zip((1, *filters[:-1]), filters, strict=True))
    up = sum(4 * b * a + a + block(2 * a, a) for a, b in pairwise(filters))
    matching = 2 * 384 + 2
    assert sum(p.numel() for p in network.parameters()) == down + up + 16 + 1 + matching
    # The original, with 64 filters and two classes, has 31.03 million.
    assert 16 * (down + up) == pytest.approx(31.03e6, rel=0.01)
    assert network(torch.zeros(1, 1, 32, 48)).logits.shape == (1, 1, 32, 48)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


def test_the_paper_has_16_to_256_filters_and_384_numbers_a_descriptor() -> None:
    network = CorrespondenceNetwork(2)
    assert network.matching.in_features == 128 + 256
    assert network.multiple == 16
    assert sum(p.numel() for p in network.parameters()) * 4 < 16e6


def test_all_pairs_by_one_product_are_what_the_linear_layer_says_pair_by_pair() -> None:
    network = small(2)
    fixed, moving = torch.randn(1, 7, 14), torch.randn(1, 5, 14)
    together = network.pair_logits(fixed, moving).sigmoid()
    for i in range(7):
        for j in range(5):
            alone = network.matching(fixed[0, i] * moving[0, j]).softmax(0)[1]
            torch.testing.assert_close(together[0, i, j], alone)


def test_each_cell_gives_its_most_probable_pixel_and_the_best_come_first() -> None:
    logits = torch.zeros(1, 1, 16, 24)
    # column, row of three peaks; the last two lie in one cell
    for height, (i, j) in ((3.0, (21, 2)), (5.0, (10, 13)), (4.0, (9, 12))):
        logits[0, 0, j, i] = height
    found = sample_landmarks(logits, 8, 2)[0].tolist()
    assert found == [[10, 13], [21, 2]]


def test_a_volume_is_sampled_along_i_j_k() -> None:
    logits = torch.zeros(1, 1, 8, 16, 24)
    logits[0, 0, 3, 9, 20] = 1
    assert sample_landmarks(logits, 8, 1)[0].tolist() == [[20, 9, 3]]


def test_an_image_with_fewer_cells_gives_fewer_landmarks() -> None:
    assert sample_landmarks(torch.randn(1, 1, 20, 16), 8, 400).shape == (1, 6, 2)


@pytest.mark.parametrize("stride", [1, 4])
def test_maps_of_any_stride_are_read_at_the_same_place(stride: int) -> None:
    """A ramp 2 i + 3 j averaged over cells is the same ramp at the cells' centres."""
    j, i = torch.meshgrid(torch.arange(32.0), torch.arange(40.0), indexing="ij")
    ramp = torch.nn.functional.avg_pool2d((2 * i + 3 * j)[None, None], stride)
    at = torch.tensor([[[7.25, 12.5], [20.0, 9.75]]])
    expected = 2 * at[..., 0] + 3 * at[..., 1]
    torch.testing.assert_close(read_at(ramp, at, torch.Size((32, 40)))[..., 0], expected)


def test_distances_are_those_of_unit_vectors() -> None:
    fixed, moving = torch.tensor([[[3.0, 0.0]]]), torch.tensor([[[5.0, 0.0], [0.0, 0.1], [-1.0, 0.0]]])
    expected = torch.tensor([[[0.0, 2**0.5, 2.0]]])
    torch.testing.assert_close(descriptor_distances(fixed, moving), expected, atol=2e-4, rtol=0)
