from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from LandmarkTrackerLib.networks.encoders import EncoderName, make_encoder
from LandmarkTrackerLib.networks.tmn import Tmn

# Millions of parameters of torchvision's networks without their classes.
MILLIONS = {"vgg16": 14.71, "resnet50": 23.51, "densenet121": 6.95, "convnext_small": 49.45}
FEATURES = {"vgg16": 25088, "resnet50": 2048, "densenet121": 1024, "convnext_small": 768}


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", sorted(MILLIONS))
@pytest.mark.parametrize("side", [32, 80])
def test_the_encoders_of_the_paper_take_patches_of_32_to_80_pixels(name: str, side: int) -> None:
    with torch.device("meta"):
        encoder, features = make_encoder(name, (side, side))  # type: ignore[arg-type]
        assert encoder.eval()(torch.rand(1, 1, side, side)).shape == (1, features)
    assert features == FEATURES[name]
    assert count(encoder) / 1e6 == pytest.approx(MILLIONS[name], abs=0.01)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("patch", [32, 50, 80])
def test_every_depth_and_patch_size_answers_with_a_centre_and_a_sigma_a_patch(
    layers: int, patch: int
) -> None:
    network = Tmn((96, 112), patch, layers=layers, width=16).eval()
    centre, log_sigma = network(torch.rand(2, 1, 112, 96), torch.rand(2, 3, patch, patch))
    assert centre.shape == log_sigma.shape == (2, 3, 2)


def test_the_perceptron_of_the_paper_has_layers_of_4096() -> None:
    with torch.device("meta"):
        network = Tmn((224, 224), 32, encoder="resnet50", layers=3)
    assert count(network.from_image) + count(network.from_patch) == 2 * 2048 * 4096 + 4096
    assert count(network.rest) == (4096 * 4096 + 4096) + 4 * 4096 + 4


def test_layers_are_counted_with_the_four_outputs_as_in_table_3() -> None:
    """One layer is linear from the features to the outputs; the others have 4096 neurons."""
    for layers, hidden in ((1, 0), (2, 1), (3, 2), (4, 3)):
        with torch.device("meta"):
            network = Tmn((224, 224), 32, encoder="resnet50", layers=layers)
        linear = [m for m in network.modules() if isinstance(m, torch.nn.Linear)]
        shapes = [(m.in_features, m.out_features) for m in linear if m.in_features != 2048]
        assert shapes == ([(4096, 4096)] * (hidden - 1) + [(4096, 4)]) * bool(hidden)
        assert network.from_image.out_features == network.from_patch.out_features == (4096 if hidden else 4)
        assert sum(isinstance(m, torch.nn.Dropout) for m in network.rest) == hidden


def test_a_single_layer_is_linear_in_the_features() -> None:
    network = Tmn((96, 96), 32, layers=1).train()
    a, b, zero = torch.rand(1, 4), torch.rand(1, 4), torch.zeros(1, 4)
    where = [network.match(x, y)[0] for x, y in ((a, b), (a, zero), (zero, b), (zero, zero))]
    torch.testing.assert_close(where[0] + where[3], where[1] + where[2])


def test_an_older_model_file_makes_the_same_network() -> None:
    """Before version 2, layers left out the outputs."""
    network = {"size": (96, 96), "patch": 32, "layers": 3, "width": 8}
    old, new = Tmn.of({"network": network}), Tmn.of({"version": 2, "network": network | {"layers": 4}})
    new.load_state_dict(old.state_dict())
    assert len([m for m in old.rest if isinstance(m, torch.nn.Linear)]) == 3


def test_the_light_network_of_the_shipped_models_is_below_16_megabytes() -> None:
    network = Tmn((128, 144), 32, layers=4, width=640)
    assert 4 * count(network) < 16e6


@pytest.mark.parametrize("name", get_args(EncoderName))
def test_the_encoders_share_no_weights(name: str) -> None:
    with torch.device("meta"):
        network = Tmn((96, 96), 32, encoder=name, width=8)  # type: ignore[arg-type]
    image = {id(parameter) for parameter in network.image_encoder.parameters()}
    assert image.isdisjoint(id(parameter) for parameter in network.patch_encoder.parameters())


def test_the_split_first_layer_is_one_layer_on_the_stacked_features() -> None:
    network = Tmn((96, 96), 32, layers=2, width=16).eval()
    image, patch = torch.rand(1, 1, 96, 96), torch.rand(1, 1, 32, 32)
    weight = torch.cat([network.from_image.weight, network.from_patch.weight], dim=1)
    features = torch.cat([network.image_encoder(image), network.patch_encoder(patch)], dim=1)
    stacked = torch.nn.functional.linear(features, weight, network.from_image.bias)
    torch.testing.assert_close(network.encode_image(image) + network.encode_patch(patch), stacked)


def test_the_outputs_span_the_image_from_border_to_border() -> None:
    """-1 and 1 are the outer borders of the first and last pixel, and ln sigma starts from half the image."""
    network = Tmn((96, 64), 32, layers=2, width=8).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.rest[-1].bias.copy_(torch.tensor([-1.0, 1.0, 0.0, 0.0]))  # type: ignore[union-attr,operator]
    centre, log_sigma = network(torch.rand(1, 1, 64, 96), torch.rand(1, 1, 32, 32))
    torch.testing.assert_close(centre[0, 0], torch.tensor([-0.5, 63.5]))
    torch.testing.assert_close(log_sigma[0, 0], torch.tensor([math.log(48), math.log(32)]))


def test_one_frame_alone_is_encoded_as_it_is_among_others() -> None:
    network = Tmn((96, 96), 32, width=16).eval()
    images = torch.rand(3, 1, 96, 96)
    torch.testing.assert_close(network.encode_image(images)[1:2], network.encode_image(images[1:2]))
