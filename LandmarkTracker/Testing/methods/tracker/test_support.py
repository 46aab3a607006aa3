import torch
from LandmarkTrackerLib.methods.tracker.support import BORDER, FEWEST, MOST, ROOM, support_points


def corners(size: int = 200) -> torch.Tensor:
    """(1, 1, S, S) a chessboard: corners every 20 pixels, at 20 n - 0.5."""
    line = torch.arange(size) // 20
    return ((line[:, None] + line) % 2).float()[None, None]


def test_they_are_where_patches_cannot_be_moved_unnoticed():
    points = support_points(corners(), torch.tensor([[100.0, 100.0]]))
    off = (points + 0.5 - ((points + 0.5) / 20).round() * 20).abs().amax(dim=1)
    assert 0.6 * FEWEST < len(points) < 1.6 * FEWEST
    # A cell that holds no corner takes what is nearest to one.
    assert (off < 5).float().mean() > 0.5


def test_they_surround_the_landmarks_but_not_the_border_of_the_image():
    landmarks = torch.tensor([[30.0, 90.0], [80.0, 120.0]])
    points = support_points(torch.rand(1, 1, 200, 180), landmarks)
    low, high = landmarks.amin(dim=0) - ROOM, landmarks.amax(dim=0) + ROOM
    assert (points >= low.clamp(min=BORDER)).all()
    assert (points <= high).all()


def test_landmarks_far_apart_get_more_of_them():
    near, far = torch.tensor([[250.0, 250.0]]), torch.tensor([[60.0, 60.0], [440.0, 440.0]])
    image = torch.rand(1, 1, 500, 500)
    assert 1.5 * len(support_points(image, near)) < len(support_points(image, far)) < 1.3 * MOST


def test_a_small_image_still_gets_some():
    points = support_points(torch.rand(1, 1, 24, 20), torch.tensor([[10.0, 10.0]]))
    assert len(points) > 0
    assert (points >= 0).all()
    assert (points < torch.tensor([20.0, 24.0])).all()
