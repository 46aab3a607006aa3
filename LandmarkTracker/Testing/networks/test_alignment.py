import pytest
import torch
from LandmarkTrackerLib.networks.alignment import Patches, Window, align

WINDOW = Window(reach=8, step=1, sigma=4, blur=0.7)
POINTS = torch.tensor([[30.0, 34.0], [41.3, 28.7], [50.0, 50.5]])


def scene(shift=(0.0, 0.0), linear=None) -> torch.Tensor:
    """(1, 1, 80, 80) a smooth texture that has moved: p shows what was at linear (p - 40) + 40 - shift."""
    rows, columns = torch.meshgrid(torch.arange(80.0), torch.arange(80.0), indexing="ij")
    at = torch.stack([columns, rows], dim=-1) - 40
    at = at @ (torch.eye(2) if linear is None else linear).T + 40 - torch.tensor(shift)
    x, y = at.unbind(dim=-1)
    wave = torch.sin(x / 3.1) * torch.cos(y / 2.7) + torch.sin((x + 2 * y) / 7) + torch.cos((2 * x - y) / 9)
    return (0.5 + 0.15 * wave)[None, None]


def fit(image, expected, sigma=2.0, key=None, steps=12):
    patches = Patches.cut(WINDOW.smoothed(scene() if key is None else key), POINTS, WINDOW)
    precision = torch.eye(2).expand(3, 2, 2) / sigma**2
    return align(patches, WINDOW.smoothed(image), expected, precision, torch.zeros(3, 4), steps)


def test_a_shift_by_parts_of_a_pixel_is_recovered():
    found = fit(scene((0.6, -1.3)), POINTS)
    torch.testing.assert_close(found.position - POINTS, torch.tensor([[0.6, -1.3]] * 3), atol=0.03, rtol=0)
    assert found.covariance.diagonal(dim1=1, dim2=2).max() < 0.15**2


def test_brightness_and_contrast_do_not_move_it():
    plain, changed = fit(scene((0.4, 0.8)), POINTS), fit(1.7 * scene((0.4, 0.8)) - 0.3, POINTS)
    torch.testing.assert_close(plain.position, changed.position, atol=0.01, rtol=0)


def test_a_slight_turn_is_told_from_a_shift():
    turn = torch.tensor([[1.0, 0.08], [-0.08, 1.0]])
    found = fit(scene(linear=turn), POINTS)
    truth = (POINTS - 40) @ torch.linalg.inv(turn).T + 40
    torch.testing.assert_close(found.position, truth, atol=0.05, rtol=0)
    expected = (torch.linalg.inv(turn) - torch.eye(2)).flatten().expand(3, 4)
    torch.testing.assert_close(found.affine, expected, atol=0.02, rtol=0)


def test_without_texture_it_stays_where_it_was_expected_and_says_how_little_it_knows():
    flat = torch.full((1, 1, 80, 80), 0.4)
    found = fit(flat, POINTS + 1.5, sigma=2.0, key=flat)
    torch.testing.assert_close(found.position, POINTS + 1.5, atol=1e-3, rtol=0)
    torch.testing.assert_close(found.covariance, 4 * torch.eye(2).expand(3, 2, 2), atol=0.01, rtol=0)


def test_along_an_edge_only_the_motion_across_it_is_known():
    columns = torch.arange(80.0).expand(1, 1, 80, 80)
    found = fit(
        torch.sigmoid((columns - 41) / 2), POINTS[:1].expand(3, 2), key=torch.sigmoid((columns - 40) / 2)
    )
    across, along = found.covariance[1].diagonal().sqrt()
    assert along == pytest.approx(2.0, rel=0.05)
    assert across < 0.3


def test_noise_makes_it_less_certain():
    torch.manual_seed(0)
    quiet, loud = (fit(scene() + s * torch.randn(1, 1, 80, 80), POINTS) for s in (0.0, 0.1))
    assert (loud.covariance.diagonal(dim1=1, dim2=2) > 4 * quiet.covariance.diagonal(dim1=1, dim2=2)).all()


def test_likeness_tells_the_patch_from_other_tissue():
    torch.manual_seed(4)
    strange = torch.nn.functional.interpolate(torch.rand(1, 1, 16, 16), (80, 80), mode="bicubic")
    same, other = fit(1.4 * scene((0.6, -1.3)), POINTS), fit(strange, POINTS, sigma=0.5)
    assert same.likeness.min() > 0.95
    assert other.likeness.median() < 0.5
