import torch
from LandmarkTrackerLib.networks.refinement import Exemplars, refine, smoothed
from torch.nn.functional import grid_sample


def texture(size: int = 120) -> torch.Tensor:
    """(1, 1, S, S) smooth, but flat in the middle."""
    generator = torch.Generator().manual_seed(3)
    knots = torch.rand(1, 1, size // 5, size // 5, generator=generator)
    image = torch.nn.functional.interpolate(knots, (size, size), mode="bicubic")
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    blank = ((rows - size / 2) ** 2 + (columns - size / 2) ** 2) < 26**2
    return torch.where(blank, 0.5, image)


def moved(image: torch.Tensor, shift: tuple[float, float]) -> torch.Tensor:
    size = image.shape[-1]
    line = torch.arange(size, dtype=torch.float32)
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1) - torch.tensor(shift)
    return grid_sample(image, ((2 * at + 1) / size - 1)[None], mode="bicubic", align_corners=False)


POINTS = torch.tensor([[20.0, 25.0], [60.0, 60.0], [95.0, 30.0], [24.0, 92.0], [90.0, 94.0], [60.0, 20.0]])


def test_landmarks_are_found_to_a_fraction_of_a_pixel_and_those_without_texture_move_along():
    key, shift = texture(), (2.3, -1.6)
    start = POINTS + torch.tensor([1.0, 1.0])
    found, variances, _ = refine(
        Exemplars.cut(key, POINTS, 3),
        smoothed(moved(key, shift)),
        start,
        torch.full((6, 2), 2.0),
        torch.full((6,), True),
    )
    assert found.shape == variances.shape == (3, 2)
    off = (found - POINTS[:3] - torch.tensor(shift)).norm(dim=1)
    assert off[[0, 2]].max() < 0.15
    assert off[1] < 0.6
    assert variances[1].min() > variances[0].max()


def test_what_the_search_did_not_see_is_left_to_the_others():
    key, shift = texture(), (1.2, 0.7)
    start = POINTS.clone()
    start[0] += 9
    present = torch.tensor([False, True, True, True, True, True])
    found, variances, _ = refine(
        Exemplars.cut(key, POINTS, 3), smoothed(moved(key, shift)), start, torch.full((6, 2), 2.0), present
    )
    torch.testing.assert_close(found[0], POINTS[0] + torch.tensor(shift), atol=0.5, rtol=0)
    assert variances[0].min() > variances[2].max()
