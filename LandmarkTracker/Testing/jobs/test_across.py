"""One example, found in other subjects."""

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.jobs.across import examples_of, locate_in
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.methods.ncc import NccLocator
from LandmarkTrackerLib.step import results

PIXEL = np.array([45, 40, 0])


@pytest.fixture
def example(oblique_cine):
    cine, _ = oblique_cine
    return cine[0], LandmarkSet.of({"apex": cine.grid.to_world(PIXEL)})


def test_the_example_is_found_in_every_image(oblique_cine, example):
    cine, shifts = oblique_cine
    locator = NccLocator()
    images = {str(t): (lambda t=t: cine[t]) for t in (2, 3)}
    found = list(results(locate_in(images, locator, examples_of(locator, [example]))))
    assert [answer.name for answer in found] == ["2", "3"]
    for answer, t in zip(found, (2, 3), strict=True):
        there = cine.grid.to_index(answer.landmarks["apex"].position)
        assert there[:2] == pytest.approx(PIXEL[:2] + shifts[t], abs=0.1)


def test_subjects_stored_with_other_axes_are_turned_like_the_example_and_say_so(oblique_cine, example):
    cine, shifts = oblique_cine
    locator = NccLocator()
    images = {
        "reversed": lambda: sitk.Flip(cine[2], (True, True, False)),
        "swapped": lambda: sitk.PermuteAxes(cine[2], (1, 0, 2)),
    }
    plain = next(results(locate_in({"2": lambda: cine[2]}, locator, examples_of(locator, [example]))))
    for answer in results(locate_in(images, locator, examples_of(locator, [example]))):
        assert "axes stored in" in answer.note
        there = cine.grid.to_index(answer.landmarks["apex"].position)
        assert there[:2] == pytest.approx(PIXEL[:2] + shifts[2], abs=0.1)
        expected = plain.landmarks["apex"].sigma
        assert answer.landmarks["apex"].sigma == pytest.approx(
            expected[[1, 0, 2]] if answer.name == "swapped" else expected
        )


def test_examples_stored_with_other_axes_teach_the_same(oblique_cine, example):
    cine, shifts = oblique_cine
    image, landmarks = example
    locator = NccLocator()
    turned = sitk.PermuteAxes(image, (1, 0, 2))
    second = LandmarkSet.of({"base": cine.grid.to_world(PIXEL + (10, 10, 0))})
    (found,) = results(
        locate_in(
            {"3": lambda: cine[3]}, locator, examples_of(locator, [(image, landmarks), (turned, second)])
        )
    )
    there = cine.grid.to_index(found.landmarks.positions)[:, :2]
    assert there == pytest.approx(np.array([PIXEL[:2], PIXEL[:2] + 10]) + shifts[3], abs=0.1)


def test_one_image_that_cannot_be_read_does_not_stop_the_others(oblique_cine, example):
    def broken() -> sitk.Image:
        raise InputError("patient 2 is damaged; copy it again")

    locator = NccLocator()
    images = {"1": lambda: oblique_cine[0][1], "2": broken, "3": lambda: oblique_cine[0][3]}
    found = list(results(locate_in(images, locator, examples_of(locator, [example]))))
    assert [answer.failure for answer in found] == ["", "patient 2 is damaged; copy it again", ""]
    assert found[1].landmarks is None


def test_no_example_is_refused(oblique_cine):
    with pytest.raises(InputError, match="place at least one"):
        examples_of(NccLocator(), [(oblique_cine[0][0], LandmarkSet.missing(["apex"]))])


def test_an_example_off_its_image_is_refused(oblique_cine):
    with pytest.raises(InputError, match="outside the image"):
        examples_of(NccLocator(), [(oblique_cine[0][0], LandmarkSet.of({"apex": (999, 0, 0)}))])
