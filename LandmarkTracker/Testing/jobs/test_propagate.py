from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.jobs.propagate import frames_in_order, propagate, track_of
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.ncc import NccLocator
from LandmarkTrackerLib.methods.protocols import Example, names_of
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import results


class Recorder:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self, offset: float = 1.0, sigma: float = 1.0, max_sigma_mm: float = 5.0) -> None:
        self.offset, self.sigma, self.max_sigma_mm = offset, sigma, max_sigma_mm
        self.described: list[LandmarkSet] = []
        self.priors: list[LandmarkSet | None] = []

    def describe(self, image, landmarks):
        self.described.append(landmarks)
        return (Example(landmarks, None),)

    def locate(self, examples, image, prior=None):
        self.priors.append(prior)
        names = names_of(examples)
        known = LandmarkSet.missing(names)
        for example in examples:
            known = known.updated(example.landmarks)
        return LandmarkSet(
            names, known.positions + [self.offset, self.offset, 0], [[self.sigma, self.sigma, 0]]
        )


@pytest.fixture
def still_cine() -> Cine:
    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(1, 20, 20)).astype(np.float32))
    return Cine.of([image] * 6, "still")


POINTS = LandmarkSet.of({"a": (5, 6, 0), "b": (10, 3, 0)})


def test_a_known_shift_is_recovered_in_both_directions_from_the_middle(oblique_cine):
    cine, shifts = oblique_cine
    index = np.array([[40.0, 38.0, 0], [55.0, 45.0, 0]])
    start = 2
    at = {t: cine.grid.to_world(index + [*(shifts[t] - shifts[start]), 0]) for t in range(len(cine))}
    shown = LandmarkSet(("a", "b"), at[start])
    found = {f.frame: f.landmarks for f in results(propagate(cine, NccLocator(), {start: shown}))}
    assert sorted(found) == list(range(len(cine)))
    for t, landmarks in found.items():
        np.testing.assert_allclose(landmarks.positions, at[t], atol=0.05)


def test_the_query_frame_holds_exactly_what_was_clicked_and_is_yielded_first(still_cine):
    steps = list(results(propagate(still_cine, Recorder(), {3: POINTS})))
    assert steps[0].frame == 3
    assert (steps[0].landmarks.positions == POINTS.positions).all()
    assert (steps[0].landmarks.sigmas == 0).all()


@pytest.mark.parametrize(
    ("direction", "order"), [("forward", [2, 3, 4, 5]), ("backward", [2, 1, 0]), ("both", [2, 3, 4, 5, 1, 0])]
)
def test_frames_are_visited_outward_from_the_click(still_cine, direction, order):
    assert frames_in_order(6, 2, direction) == order
    assert [
        step.frame for step in results(propagate(still_cine, Recorder(), {2: POINTS}, direction))
    ] == order


def test_each_frame_starts_from_its_neighbour_and_the_way_back_from_the_click(still_cine):
    locator = Recorder(offset=0.1)
    answers = {s.frame: s.landmarks for s in results(propagate(still_cine, locator, {2: POINTS}))}
    asked = [3, 4, 5, 1, 0]
    neighbours = [2, 3, 4, 2, 1]
    for frame, neighbour, prior in zip(asked, neighbours, locator.priors, strict=True):
        np.testing.assert_array_equal(prior.positions, answers[neighbour].positions, err_msg=str(frame))


def test_a_correction_is_kept_as_it_is_and_teaches_the_frames_after_it(still_cine):
    correction = LandmarkSet.of({"a": (7, 7, 0)})
    locator = Recorder()
    found = {
        s.frame: s.landmarks
        for s in results(propagate(still_cine, locator, {0: POINTS, 3: correction}, start=3))
    }
    assert tuple(found[3]["a"].position) == (7, 7, 0)
    assert found[3]["b"].status == "defined"
    assert len(locator.described) == 2
    assert tuple(found[4]["a"].position) == (8, 8, 0)
    assert tuple(found[0]["a"].position) == (5, 6, 0)


def test_a_point_that_is_too_uncertain_is_missing(still_cine):
    steps = list(results(propagate(still_cine, Recorder(sigma=4), {0: POINTS}, max_sigma_mm=3)))
    assert all(not step.landmarks.defined.any() for step in steps[1:])
    assert steps[0].landmarks.defined.all()


def test_a_point_that_leaves_the_image_is_missing_and_its_place_is_not_kept(still_cine):
    steps = list(results(propagate(still_cine, Recorder(offset=50), {0: POINTS})))
    assert np.isnan(steps[1].landmarks.positions).all()


def test_a_constant_frame_loses_the_points_and_the_next_frame_finds_them_again():
    phantom = Phantom(0, frames=4)
    frames = list(phantom.cine())
    frames[2] = frames[2] * 0
    found = list(results(propagate(Cine.of(frames), NccLocator(), {0: phantom.landmarks(0)})))
    assert [step.landmarks.defined.any() for step in found] == [True, True, False, True]


def test_only_one_frame_is_in_memory_at_a_time():
    image = sitk.GetImageFromArray(np.arange(400, dtype=np.float32).reshape(1, 20, 20))
    alive: list[int] = []
    cine = Cine(
        range(10_000), lambda t: (alive.append(t), sitk.Image(image))[1], Cine.of([image]).grid, "long"
    )
    steps = results(propagate(cine, Recorder(offset=0), {0: POINTS}))
    for _ in range(3):
        next(steps)
    assert alive == [0, 1, 2]


def test_stopping_early_keeps_what_was_found(still_cine):
    steps = results(propagate(still_cine, Recorder(), {4: POINTS}, "backward"))
    found = {step.frame: step.landmarks for step, _ in zip(steps, range(3), strict=False)}
    track = track_of(still_cine, found)
    assert track.numbers == (2, 3, 4)


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ({}, "click at least one"),
        ({0: LandmarkSet.missing(["a"])}, "click at least one"),
        ({9: POINTS}, "there is no frame 9"),
        ({0: LandmarkSet.of({"far": (500, 0, 0)})}, "'far'.*outside the image"),
    ],
)
def test_what_cannot_be_tracked_is_refused_in_words(still_cine, shown, sentence):
    with pytest.raises(InputError, match=sentence):
        list(results(propagate(still_cine, Recorder(), shown)))


def test_a_click_on_a_constant_frame_is_refused():
    blank = sitk.Image(20, 20, 1, sitk.sitkFloat32)
    with pytest.raises(InputError, match="frame 0 is constant"):
        list(results(propagate(Cine.of([blank, blank]), Recorder(), {0: POINTS})))


def test_an_unknown_direction_is_refused(still_cine):
    with pytest.raises(InputError, match="sideways"):
        list(results(propagate(still_cine, Recorder(), {0: POINTS}, "sideways")))
