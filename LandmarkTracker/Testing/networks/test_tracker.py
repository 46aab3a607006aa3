import LandmarkTrackerLib.networks.tracker as tracker_module
import pytest
import torch
from LandmarkTrackerLib.networks.tracker import STRIDES, SUPPORT, WINDOW, TrackerNet, correlate, window


def test_a_window_at_whole_places_is_a_cut_of_the_features():
    features = torch.rand(2, 3, 20, 24)
    centres = torch.tensor([[[8.0, 9.0]], [[12.0, 5.0]]])
    cut = window(features, centres, 5)
    torch.testing.assert_close(cut[0, 0], features[0, :, 7:12, 6:11], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(cut[1, 0], features[1, :, 3:8, 10:15], atol=1e-5, rtol=1e-5)


def test_between_places_a_window_interpolates():
    ramp = torch.arange(24.0).expand(1, 1, 20, 24)
    cut = window(ramp, torch.tensor([[[8.25, 9.0]]]), 3)
    torch.testing.assert_close(cut[0, 0, 0, 1], torch.tensor([7.25, 8.25, 9.25]))


def test_all_of_the_neighbourhood_correlates_best_where_it_was_cut():
    features = torch.nn.functional.normalize(torch.randn(1, 16, 40, 40), dim=1)
    point = torch.tensor([[[21.0, 17.0]]])
    correlation = correlate(window(features, point, SUPPORT), features, point - torch.tensor([2.0, -1.0]))
    assert correlation.shape == (1, 1, SUPPORT**2, WINDOW**2)
    middle = WINDOW // 2
    assert correlation[0, 0].mean(dim=0).argmax() == (middle - 1) * WINDOW + middle + 2
    assert correlation.max() == pytest.approx(1, abs=1e-4)


def test_interpolated_correlations_are_those_of_interpolated_features():
    features = torch.randn(2, 8, 30, 34)
    exemplar = torch.randn(2, 3, 8, SUPPORT, SUPPORT)
    centres = torch.tensor([[10.3, 12.8], [1.2, 28.9], [33.0, -2.5]]).expand(2, 3, 2)
    searched = window(features, centres, WINDOW + SUPPORT - 1)
    shifted = searched.unfold(3, WINDOW, 1).unfold(4, WINDOW, 1)
    expected = torch.einsum("bncyx,bncyxvu->bnyxvu", exemplar, shifted).reshape(2, 3, SUPPORT**2, WINDOW**2)
    torch.testing.assert_close(correlate(exemplar, features, centres), expected, atol=1e-4, rtol=1e-4)


def test_feature_p_of_a_level_sits_at_pixel_stride_times_p():
    net = TrackerNet().eval()
    image = torch.rand(1, 1, 192, 192)
    moved = torch.roll(image, (16, 32), dims=(2, 3))
    with torch.inference_mode():
        for stride, before, after in zip(STRIDES, net.encode(image), net.encode(moved), strict=True):
            inside = slice(80 // stride, 112 // stride)
            shifted = torch.roll(before, (16 // stride, 32 // stride), dims=(2, 3))
            torch.testing.assert_close(
                after[..., inside, inside], shifted[..., inside, inside], atol=1e-3, rtol=0
            )


def test_every_step_tells_position_sigma_presence_and_where_it_stood():
    net = TrackerNet(near_steps=2)
    key, target = torch.rand(2, 1, 64, 64), torch.rand(2, 1, 64, 64)
    points = torch.rand(2, 5, 2) * 60
    steps = net(key, target, points, points + 1)
    assert [step.shape for step in steps] == [(2, 5, 7)] * 3
    torch.testing.assert_close(steps[0][..., 5:], points + 1)
    torch.testing.assert_close(steps[1][..., 5:], steps[0][..., :2])


def test_it_can_be_trained_in_the_process_that_has_used_it():
    net = TrackerNet()
    images, points = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 2) * 30
    tracker_module._steps.cache_clear()
    with torch.inference_mode():
        net(images, images, points, points)
    net(images, images, points, points)[-1].sum().backward()
    assert net.encoder.stem[0].weight.grad is not None


def test_it_stays_small():
    assert sum(p.numel() for p in TrackerNet().parameters()) < 500_000
