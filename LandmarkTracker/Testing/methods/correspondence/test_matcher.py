"""The whole matcher on volumes, with a network that was never trained: what holds whatever it learnt."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.correspondence.candidates import BLOCKS
from LandmarkTrackerLib.methods.correspondence.matcher import CorrespondenceMatcher
from LandmarkTrackerLib.methods.protocols import SteppedMatcher
from LandmarkTrackerLib.networks.correspondence import CorrespondenceNetwork
from LandmarkTrackerLib.weights import Model

FILTERS = (4, 4, 8)


@pytest.fixture
def matcher() -> CorrespondenceMatcher:
    torch.manual_seed(0)
    config = {"input": {"dimension": 3, "spacing": 2.0, "intensity": "image"}, "filters": list(FILTERS)}
    network = CorrespondenceNetwork(3, FILTERS)
    # Normalisation in the range of what is seen, and descriptors that match as far as they are alike.
    for _ in range(20):
        network(torch.rand(1, 1, 16, 16, 16))
    network.matching.weight.data = torch.tensor([[-1.0], [1.0]]).expand(2, FILTERS[1] + FILTERS[2])
    return CorrespondenceMatcher(
        Model("untrained", "correspondence", config, network.state_dict(), {}), "cpu", "consistent", 0
    )


def volume(seed: int = 0) -> sitk.Image:
    """160 mm high: two blocks."""
    noise = np.random.default_rng(seed).normal(size=(80, 20, 24)).astype(np.float32)
    image = sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise), 1.5)
    image.SetSpacing((2.0, 2.0, 2.0))
    image.SetOrigin((-20.0, 33.0, 5.0))
    return image


def test_every_block_is_a_step_and_the_last_step_holds_the_pairs(matcher: CorrespondenceMatcher) -> None:
    assert isinstance(matcher, SteppedMatcher)
    steps = list(matcher.steps(volume(), volume()))
    assert BLOCKS[3].core < 80
    assert [step.done for step in steps] == [0, 1, 2, 3, 4, 5]
    assert {step.total for step in steps} == {5}
    assert [step.result is None for step in steps] == [True] * 5 + [False]
    assert all(a.done < b.done for a, b in pairwise(steps))
    np.testing.assert_array_equal(steps[-1].result.fixed, matcher.match(volume(), volume()).fixed)


def test_a_volume_is_matched_with_itself_however_it_is_stored(matcher: CorrespondenceMatcher) -> None:
    """The second file counts its slices downwards and its columns from front to back."""
    again = sitk.DICOMOrient(volume(), "PRI")
    assert again.GetDirection() != volume().GetDirection()
    pairs = matcher.match(volume(), again)
    assert len(pairs) > 2
    np.testing.assert_allclose(pairs.moving, pairs.fixed, atol=1e-3)
    assert (np.diff(pairs.score) <= 0).all()


def test_a_volume_and_a_slice_do_not_go_together(matcher: CorrespondenceMatcher) -> None:
    with pytest.raises(InputError, match="for volumes and the image is one slice"):
        next(matcher.steps(volume(), volume()[:, :, 3:4]))


def test_the_models_file_says_how_far_apart_landmarks_are_where_consistency_alone_counts() -> None:
    config = {"input": {"dimension": 2, "spacing": 1.0, "intensity": "image"}, "filters": [4, 4]}
    config |= {"normalise": False, "transposed": True}
    network = CorrespondenceNetwork(2, (4, 4), normalise=False, transposed=True)
    for own, expected in (({}, (2, 2)), ({"apart": 0}, (0, 2))):
        model = Model("untrained", "correspondence", config | own, network.state_dict(), {})
        made = [CorrespondenceMatcher(model, "cpu", way) for way in ("consistent", "smooth")]  # type: ignore[arg-type]
        assert tuple(matcher.apart for matcher in made) == expected
