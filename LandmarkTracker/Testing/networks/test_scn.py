"""The networks against what the paper's text implies: sizes, parameter counts, initial responses."""

from __future__ import annotations

import pytest
import torch
from LandmarkTrackerLib.networks.nd import grow_cubic
from LandmarkTrackerLib.networks.scn import LocalAppearance, SpatialConfigurationNet
from LandmarkTrackerLib.networks.unet import LocalizationUNet
from torch import nn
from torch.nn import functional


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def conv(inputs: int, outputs: int, taps: int) -> int:
    """Weights and biases of one convolution."""
    return inputs * outputs * taps + outputs


def test_the_2d_network_has_the_layers_of_section_3():
    # Hand radiographs: 37 landmarks, 4 levels of three 3x3 convolutions, then four 11x11 convolutions.
    appearance = conv(1, 128, 9) + 11 * conv(128, 128, 9) + conv(128, 37, 9)
    configuration = conv(37, 128, 121) + 2 * conv(128, 128, 121) + conv(128, 37, 121)
    assert parameters(SpatialConfigurationNet(2, 37)) == appearance + configuration
    assert parameters(LocalAppearance(2, 37)) == appearance


def test_the_3d_network_has_the_layers_of_section_4_2():
    # Hand MRI: 28 landmarks, 64 outputs, 3x3x3 and 7x7x7 kernels.
    appearance = conv(1, 64, 27) + 11 * conv(64, 64, 27) + conv(64, 28, 27)
    configuration = conv(28, 64, 343) + 2 * conv(64, 64, 343) + conv(64, 28, 343)
    assert parameters(SpatialConfigurationNet(3, 28, width=64)) == appearance + configuration


def test_the_u_net_has_five_levels_of_128_outputs():
    down = conv(1, 128, 9) + 9 * conv(128, 128, 9)
    up = 4 * (conv(256, 128, 9) + conv(128, 128, 9))
    assert parameters(LocalizationUNet(2, 37)) == down + up + conv(128, 37, 1)


@pytest.mark.parametrize(("dimension", "spatial"), [(2, (64, 48)), (3, (16, 24, 32))])
@pytest.mark.parametrize("network", [SpatialConfigurationNet, LocalAppearance, LocalizationUNet])
def test_heatmaps_have_the_size_of_the_input(network, dimension, spatial):
    image = torch.zeros(2, 1, *spatial)
    assert network(dimension, 5, width=4)(image).shape == (2, 5, *spatial)


@pytest.mark.parametrize(
    ("dimension", "spatial", "coarse"), [(2, (64, 96), (4, 6)), (3, (16, 24, 32), (4, 6, 8))]
)
def test_the_spatial_configuration_works_at_a_16th_in_2d_and_a_4th_in_3d(dimension, spatial, coarse):
    network = SpatialConfigurationNet(dimension, 3, width=4)
    seen = []
    network.configuration.layers[0].register_forward_hook(
        lambda _, inputs, __: seen.append(inputs[0].shape[2:])
    )
    network(torch.zeros(1, 1, *spatial))
    assert seen == [torch.Size(coarse)]


def test_the_heatmaps_are_the_product_of_both_components():
    network = SpatialConfigurationNet(2, 3, width=4).eval()
    image = torch.randn(1, 1, 32, 32)
    heatmaps = network.components(image)
    assert torch.equal(heatmaps.product, heatmaps.appearance * heatmaps.configuration)
    assert torch.equal(network(image), heatmaps.product)


def test_responses_start_close_to_zero_and_hidden_layers_keep_their_scale():
    torch.manual_seed(0)
    network = SpatialConfigurationNet(2, 5, width=64).eval()
    heatmaps = network.components(torch.randn(1, 1, 64, 64))
    assert heatmaps.appearance.abs().max() < 0.2
    assert heatmaps.configuration.abs().max() < 0.05
    scale = network.appearance.levels[0].before_last(torch.randn(1, 1, 64, 64)).pow(2).mean()
    assert 0.3 < scale < 3


def test_each_appearance_heatmap_is_linear_and_each_configuration_heatmap_is_bounded():
    network = SpatialConfigurationNet(2, 2, width=4).eval()
    for layer in (network.appearance.heatmaps, network.configuration.layers[-2]):
        nn.init.constant_(layer.bias, 50.0)
    heatmaps = network.components(torch.zeros(1, 1, 32, 32))
    assert heatmaps.appearance.mean() > 40
    assert heatmaps.configuration.max() <= 1.0001


def test_a_configuration_heatmap_depends_on_the_other_landmarks():
    network = SpatialConfigurationNet(2, 2, width=8).eval()
    appearance = torch.zeros(1, 2, 64, 64, requires_grad=True)
    network.configuration(appearance)[0, 0, 32, 32].backward()
    assert appearance.grad[0, 1].abs().sum() > 0


def test_cubic_growth_is_bicubic_interpolation_in_2d_and_exact_on_lines_in_3d():
    image = torch.randn(1, 2, 9, 11)
    expected = functional.interpolate(image, scale_factor=4, mode="bicubic", antialias=True)
    # torch treats the border in another way; within two pixels of it there is nothing to compare.
    inner = (..., slice(8, -8), slice(8, -8))
    assert torch.allclose(grow_cubic(image, 4)[inner], expected[inner], atol=1e-5)
    # Half pixels: the middle of output o is at (o + 0.5) / 2 - 0.5 of the input.
    ramp = torch.arange(8.0)[:, None, None].expand(8, 8, 8)[None, None]
    inner = grow_cubic(ramp, 2)[0, 0, 4:12, 8, 8]
    assert torch.allclose(inner, (torch.arange(4, 12) + 0.5) / 2 - 0.5, atol=1e-5)


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="multiple of 8"):
        LocalAppearance(2, 1, width=2)(torch.zeros(1, 1, 20, 20))
