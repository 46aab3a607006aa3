from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.methods.protocols import Matcher, SteppedMatcher
from LandmarkTrackerLib.methods.volume_matcher.matcher import VolumeMatcher, VolumeMatching
from methods.volume_matcher.phantom import bent, blank, moved, texture, turned


def errors(pairs: LandmarkPairs, comes_from: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(N,) mm in the fixed volume."""
    return np.asarray(np.linalg.norm(comes_from(pairs.moving) - pairs.fixed, axis=1))


def last_of(fixed: sitk.Image, moving: sitk.Image) -> VolumeMatching:
    *_, last = VolumeMatcher().steps(fixed, moving)
    assert last.result is not None
    assert last.evidence is not None
    return last


@pytest.fixture(scope="module")
def fixed() -> sitk.Image:
    return texture(0)


@pytest.fixture(scope="module")
def elastic(fixed: sitk.Image) -> VolumeMatching:
    return last_of(fixed, moved(fixed, bent))


def test_an_elastic_motion_is_found_all_over_the_body(elastic: VolumeMatching) -> None:
    off = errors(elastic.result, bent)
    assert len(off) > 200
    assert np.mean(off < 2) > 0.97
    assert np.median(off) < 0.6
    assert elastic.evidence.coverage > 0.6


def test_an_affine_motion_is_found(fixed: sitk.Image) -> None:
    off = errors(VolumeMatcher().match(fixed, moved(fixed, turned)), turned)
    assert len(off) > 200
    assert np.mean(off < 2) > 0.97
    assert np.median(off) < 0.6


def test_every_pair_has_its_evidence_and_the_best_come_first(elastic: VolumeMatching) -> None:
    count = len(elastic.result)
    evidence = elastic.evidence
    assert (
        evidence.distance.shape == evidence.there_and_back.shape == evidence.off_neighbours.shape == (count,)
    )
    assert (np.diff(elastic.result.score) <= 0).all()
    assert 0.5 <= elastic.result.score.min() <= elastic.result.score.max() <= 1
    assert evidence.tolerance == 2.0
    assert evidence.cell == 16.0


def test_swapping_the_volumes_swaps_the_pairs_and_nothing_else(
    fixed: sitk.Image, elastic: VolumeMatching
) -> None:
    swapped = last_of(moved(fixed, bent), fixed)
    np.testing.assert_array_equal(swapped.result.fixed, elastic.result.moving)
    np.testing.assert_array_equal(swapped.result.moving, elastic.result.fixed)
    np.testing.assert_array_equal(swapped.result.score, elastic.result.score)


def test_contrast_spacing_axes_and_origin_may_differ(fixed: sitk.Image) -> None:
    """The moving volume is bright where the other is dark, along other axes, coarser, 30 mm elsewhere."""
    there = moved(fixed, bent)
    other = sitk.Cast(250 - 1.2 * there, sitk.sitkFloat32)
    stored = sitk.DICOMOrient(sitk.Expand(sitk.BinShrink(other, [1, 1, 2]), [2, 1, 1]), "PIR")
    stored.SetOrigin(np.array(stored.GetOrigin()) + (30.0, 0.0, -10.0))
    pairs = VolumeMatcher().match(fixed, stored)
    off = errors(pairs, lambda points: bent(points - (30.0, 0.0, -10.0)))
    assert len(off) > 150
    assert np.mean(off < 2) > 0.9


def test_of_two_volumes_that_share_nothing_hardly_any_point_is_believed(
    fixed: sitk.Image, elastic: VolumeMatching
) -> None:
    unlike = last_of(fixed, texture(1))
    assert len(unlike.result) < 0.05 * len(elastic.result)
    assert unlike.evidence.survived < 0.05 < 0.5 < elastic.evidence.survived
    assert unlike.evidence.coverage < 0.1


def test_progress_starts_at_once_and_ends_with_the_pairs(fixed: sitk.Image) -> None:
    matcher: Matcher = VolumeMatcher()
    assert isinstance(matcher, SteppedMatcher)
    steps = matcher.steps(fixed, fixed)
    first = next(steps)
    assert (first.done, first.result) == (0, None)
    before = [next(steps) for _ in range(5)]
    assert [step.done for step in before] == [1, 2, 3, 4, 5]
    assert {step.total for step in before} == {first.total}
    steps.close()


def test_the_last_step_is_the_total(elastic: VolumeMatching) -> None:
    assert elastic.done == elastic.total


def test_a_slice_and_a_constant_volume_are_refused(fixed: sitk.Image) -> None:
    with pytest.raises(InputError, match="single slice"):
        VolumeMatcher().match(fixed, fixed[:, :, 5:6])
    with pytest.raises(InputError, match="constant"):
        VolumeMatcher().match(fixed, blank())
