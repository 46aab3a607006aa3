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


# Many points around one in the middle, which is the first.
AROUND = torch.tensor(
    [[60.0, 60.0]] + [[x, y] for x in range(12, 120, 12) for y in range(12, 120, 12) if (x, y) != (60, 60)],
    dtype=torch.float32,
)


def everywhere_textured(seed: int) -> torch.Tensor:
    knots = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(knots, (120, 120), mode="bicubic")


def test_what_rests_beside_moving_tissue_is_not_pulled_along():
    key, shift = everywhere_textured(5), torch.tensor([0.0, 6.0])
    rows, columns = torch.meshgrid(torch.arange(120), torch.arange(120), indexing="ij")
    bone = ((rows - 60) ** 2 + (columns - 60) ** 2) < 11**2
    image = torch.where(bone, key, moved(key, (0.0, 6.0)))
    truth = AROUND + shift
    truth[0] = AROUND[0]
    found, _, _ = refine(
        Exemplars.cut(key, AROUND, 3),
        smoothed(image),
        truth.clone(),
        torch.full((len(AROUND), 2), 2.0),
        torch.full((len(AROUND),), True),
    )
    assert (found - truth[:3]).norm(dim=1).max() < 0.3


def test_a_look_alike_far_from_where_the_neighbours_went_is_not_believed():
    key, shift = everywhere_textured(5), torch.tensor([1.0, 2.0])
    # What lies around the middle is there once more, 20 pixels aside, and not where it was.
    image = moved(key, (1.0, 2.0))
    image[..., 47:77, 67:97] = image[..., 47:77, 47:77].clone()
    image[..., 47:77, 47:67] = everywhere_textured(6)[..., 47:77, 47:67]
    start = AROUND + shift
    start[0, 0] += 20
    found, _, _ = refine(
        Exemplars.cut(key, AROUND, 3),
        smoothed(image),
        start,
        torch.full((len(AROUND), 2), 2.0),
        torch.full((len(AROUND),), True),
    )
    assert (found[0] - AROUND[0] - shift).norm() < 3
