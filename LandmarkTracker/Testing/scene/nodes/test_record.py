"""What is known of one image's landmarks, and what a person does to it."""

import numpy as np
import pytest
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.edits import edited, placed_by
from LandmarkTrackerLib.scene.nodes.record import Record, placed_in


def found(**points) -> LandmarkSet:
    """Found by a method, 1 mm uncertain."""
    return LandmarkSet(tuple(points), np.array(list(points.values()), float), np.full((len(points), 3), 1.0))


def clicked(**points) -> LandmarkSet:
    return LandmarkSet.of(points)


@pytest.fixture
def record() -> Record:
    record = Record().with_known(2, clicked(apex=(0, 0, 0), base=(5, 5, 5)))
    record = record.with_answer(3, found(apex=(1, 0, 0), base=(6, 5, 5)))
    return record.with_answer(4, LandmarkSet.missing(("apex",)))


def test_only_clicked_points_count_as_placed(record):
    assert {t: here.names for t, here in record.placed().items()} == {2: ("apex", "base")}
    assert placed_in(record.at(3)).names == ()


def test_not_looked_for_is_not_the_same_as_lost(record):
    assert "apex" in record.known(4)
    assert "base" not in record.known(4)
    assert not record.at(4).defined.any()


def test_an_answer_never_replaces_what_was_clicked(record):
    after = record.with_answer(2, found(apex=(9, 9, 9), base=(9, 9, 9)))
    assert after.at(2).positions.tolist() == [[0, 0, 0], [5, 5, 5]]


def test_a_track_holds_every_frame_and_every_name(record, oblique_cine):
    cine: Cine = oblique_cine[0]
    track = record.track(cine)
    assert len(track) == len(cine)
    assert track.names == ("apex", "base")
    assert np.isnan(track.positions[[0, 1, 4, 5]]).all()


def test_the_old_record_is_untouched(record):
    before = record.at(2).positions.copy()
    record.with_known(2, clicked(apex=(7, 7, 7))).renamed({"base": "root"}).without(["apex"])
    assert record.names == ("apex", "base")
    assert (record.at(2).positions == before).all()


def test_a_point_list_as_the_module_left_it_is_no_edit(record):
    for frame in range(6):
        assert edited(record, frame, record.names, record.known(frame)) is record


def test_a_new_point_is_placed_in_this_frame_and_unplaced_in_the_others(record):
    shown = record.known(3).updated(clicked(wall=(2, 2, 2)))
    after = edited(record, 3, ("apex", "base", "wall"), shown)
    assert after.names == ("apex", "base", "wall")
    assert after.placed()[3].names == ("wall",)
    assert "wall" not in after.known(2)
    assert placed_by(record, after, 3) == ("wall",)


def test_a_dragged_point_is_placed_and_its_neighbours_stay_found(record):
    shown = record.known(3).updated(found(apex=(1.5, 0, 0)))
    after = edited(record, 3, record.names, shown)
    assert after.placed()[3].names == ("apex",)
    assert after.at(3)["apex"].sigma.tolist() == [0, 0, 0]
    assert after.at(3)["apex"].score == 1
    assert after.at(3)["base"].sigma.tolist() == [1, 1, 1]


def test_a_lost_point_that_is_asked_for_again_stays_lost_until_it_is_placed(record):
    assert edited(record, 4, record.names, LandmarkSet.missing(())) is record
    after = edited(record, 4, record.names, clicked(apex=(3, 0, 0)))
    assert after.placed()[4].names == ("apex",)


def test_a_point_whose_position_is_cleared_is_not_known_in_this_frame_only(record):
    after = edited(record, 3, record.names, record.known(3).select(["base"]))
    assert "apex" not in after.known(3)
    assert "apex" in after.known(2)


def test_a_point_that_is_declared_missing_is_lost(record):
    shown = record.known(3).without(np.array([True, False]))
    after = edited(record, 3, record.names, shown)
    assert after.at(3)["apex"].status == "missing"
    assert "apex" in after.known(3)


def test_a_new_label_renames_the_landmark_in_every_frame(record):
    shown = record.known(3).select(["base"]).updated(found(tip=(1, 0, 0)))
    after = edited(record, 3, ("tip", "base"), shown)
    assert after.names == ("tip", "base")
    assert set(after.known(2).names) == {"tip", "base"}
    assert "tip" in after.known(4)
    assert after.at(3)["tip"].sigma.tolist() == [1, 1, 1]


def test_a_removed_point_goes_from_every_frame(record):
    after = edited(record, 3, ("base",), record.known(3).select(["base"]))
    assert after.names == ("base",)
    assert "apex" not in after.known(2)


def test_a_correction_in_an_earlier_frame_is_not_where_the_landmark_began(record):
    begun = edited(Record(), 4, ("apex",), clicked(apex=(0, 0, 0)))
    corrected = edited(begun, 1, ("apex",), clicked(apex=(3, 0, 0)))
    assert corrected.origin("apex") == 4
    assert corrected.renamed({"apex": "tip"}).origin("tip") == 4
    assert corrected.forget(4, ["apex"]).origin("apex") == 1
    # As after loading a scene.
    assert record.origin("base") == 2


def test_another_order_is_kept(record):
    after = edited(record, 3, ("base", "apex"), record.known(3))
    assert after.names == ("base", "apex")
    assert after.at(2).positions.tolist() == [[5, 5, 5], [0, 0, 0]]
