import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.landmarks import LandmarkPairs, LandmarkSet, Track, Verdict


@pytest.fixture
def three() -> LandmarkSet:
    """a and c are found, b is not."""
    return LandmarkSet(
        ("a", "b", "c"),
        np.arange(9.0).reshape(3, 3),
        np.array([[3.0, 4.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]),
        np.array([0.5, 0.9, 1.0]),
        np.array([True, False, True]),
    )


def test_a_missing_landmark_has_no_position_that_could_be_read(three):
    lost = three["b"]
    assert lost.status == "missing"
    assert np.isnan(lost.position).all()
    assert np.isnan(lost.sigma).all()
    assert lost.score == 0
    assert np.isnan(three.sigma_mm[1])


def test_landmarks_cannot_be_changed(three):
    for array in (three.positions, three.sigmas, three.scores, three.defined):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    source = np.zeros((1, 3))
    kept = LandmarkSet(("a",), source)
    source[:] = 7
    assert (kept.positions == 0).all()


def test_names_are_unique_and_there():
    with pytest.raises(InputError, match="two landmarks are named 'a'; rename one of them"):
        LandmarkSet(("a", "a"), np.zeros((2, 3)))
    with pytest.raises(InputError, match="has no name"):
        LandmarkSet(("a", "  "), np.zeros((2, 3)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_defined_landmark_has_a_finite_position(bad):
    with pytest.raises(InputError, match="landmark 'a' has no finite position"):
        LandmarkSet.of({"a": (0, bad, 0)})


def test_a_clicked_point_is_certain():
    clicked = LandmarkSet.of({"a": (1, 2, 3)})["a"]
    assert (clicked.status, clicked.score) == ("defined", 1.0)
    assert (clicked.sigma == 0).all()
    assert tuple(clicked.position) == (1, 2, 3)


def test_sigma_in_one_number_counts_only_the_axes_that_were_searched(three):
    assert three.sigma_mm[0] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert three.sigma_mm[2] == 0


def test_scores_stay_between_0_and_1():
    assert LandmarkSet(("a", "b"), np.zeros((2, 3)), scores=[-0.5, 1.5]).scores.tolist() == [0, 1]


def test_selecting_keeps_the_order_asked_for_and_marks_the_unknown_missing(three):
    chosen = three.select(["c", "x", "a", "b"])
    assert chosen.names == ("c", "x", "a", "b")
    assert chosen.defined.tolist() == [True, False, True, False]
    assert np.array_equal(chosen.positions[[0, 2]], three.positions[[2, 0]])
    assert chosen["a"].score == 0.5
    assert LandmarkSet.missing([]).select(["x"]).names == ("x",)


def test_only_the_defined_ones_are_left(three):
    assert three.only_defined().names == ("a", "c")
    assert len(LandmarkSet.missing(["a", "b"]).only_defined()) == 0


def test_losing_a_landmark_leaves_the_others_as_they_were(three):
    fewer = three.without(np.array([True, False, False]))
    assert fewer.defined.tolist() == [False, False, True]
    assert np.isnan(fewer.positions[0]).all()
    assert np.array_equal(fewer.positions[2], three.positions[2])
    assert three.defined.tolist() == [True, False, True]


def test_updating_replaces_rows_and_appends_new_names(three):
    other = LandmarkSet(("c", "d"), np.full((2, 3), 9.0), defined=[False, True])
    both = three.updated(other)
    assert both.names == ("a", "b", "c", "d")
    assert both.defined.tolist() == [True, False, False, True]
    assert np.array_equal(both["a"].position, three["a"].position)
    assert tuple(both["d"].position) == (9, 9, 9)


def test_an_unknown_name_is_a_key_error(three):
    assert "a" in three
    assert "x" not in three
    with pytest.raises(KeyError):
        three["x"]
    assert [landmark.name for landmark in three] == ["a", "b", "c"]


def test_a_track_holds_the_same_landmarks_in_every_frame(three):
    track = Track(np.array([0.0, 40.0]), (three, three.without(np.array([True, True, True]))), "ms", (3, 4))
    assert track.positions.shape == (2, 3, 3)
    assert np.isnan(track.positions[1]).all()
    assert track.sigma_mm.shape == (2, 3)
    assert track.numbers == (3, 4)
    assert Track(np.zeros(2), (three, three)).numbers == (0, 1)
    with pytest.raises(ValueError, match="same landmarks"):
        Track(np.zeros(2), (three, three.only_defined()))
    with pytest.raises(ValueError, match="frame number"):
        Track(np.zeros(2), (three, three), numbers=(1,))


def test_pairs_match_row_by_row():
    pairs = LandmarkPairs(np.zeros((4, 3)), np.ones((4, 3)), np.full(4, 0.5))
    assert len(pairs) == 4
    with pytest.raises(ValueError, match="fixed and moving"):
        LandmarkPairs(np.zeros((4, 3)), np.ones((3, 3)), np.ones(4))
    with pytest.raises(ValueError, match="broadcast"):
        LandmarkPairs(np.zeros((4, 3)), np.ones((4, 3)), np.ones(3))


@pytest.fixture
def doubted(three) -> LandmarkSet:
    """a, with a score of 0.5, needs a look; b is missing; c is certain."""
    return three.uncertain_below(0.6)


def test_a_place_that_needs_a_look_keeps_its_position_and_score(doubted):
    assert [landmark.status for landmark in doubted] == ["uncertain", "missing", "defined"]
    assert doubted["a"].position.tolist() == [0, 1, 2]
    assert doubted["a"].score == 0.5
    assert doubted.defined.tolist() == [True, False, True]


def test_the_limit_decides_anew_and_a_missing_landmark_is_never_uncertain(doubted):
    assert not doubted.uncertain_below(0.5).uncertain.any()
    assert doubted.uncertain_below(2.0).uncertain.tolist() == [True, False, True]


def test_nothing_is_uncertain_unless_it_is_said(three):
    assert not three.uncertain.any()
    with pytest.raises(ValueError, match="read-only"):
        three.uncertain[0] = True


def test_selecting_losing_and_updating_keep_what_is_uncertain(doubted, three):
    assert [m.status for m in doubted.select(["c", "x", "a"])] == ["defined", "missing", "uncertain"]
    assert doubted.without(np.array([True, False, False]))["a"].status == "missing"
    assert three.updated(doubted.select(["a"]))["a"].status == "uncertain"
    assert doubted.updated(three.select(["a"]))["a"].status == "defined"
    assert doubted.only_defined().names == ("a", "c")
    assert doubted.only_certain().names == ("c",)


def test_pairs_are_of_certain_landmarks_unless_asked(doubted, three):
    assert LandmarkPairs.of(doubted, three).names == LandmarkPairs.of(three, doubted).names == ("c",)
    assert LandmarkPairs.of(doubted, three, include_uncertain=True).names == ("a", "c")
    renamed = LandmarkSet(("x", "y", "z"), three.positions, defined=three.defined)
    assert LandmarkPairs.of(doubted, renamed, by_order=True).names == ("c",)
    assert LandmarkPairs.of(renamed, doubted, by_order=True, include_uncertain=True).names == ("x", "z")


def test_pairs_by_order_are_equally_many(three):
    with pytest.raises(InputError, match="3 landmarks cannot be paired by order with 1"):
        LandmarkPairs.of(three, three.select(["a"]), by_order=True)


def test_a_verdict_has_a_level_and_a_reason():
    assert str(Verdict("doubtful", "the pairs lie on one side")) == "doubtful: the pairs lie on one side"
    with pytest.raises(ValueError, match="'good' is none of reliable, doubtful, unreliable"):
        Verdict("good", "it is")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="says why"):
        Verdict("reliable", " ")


def test_the_worst_of_several_verdicts_counts():
    verdicts = [Verdict("reliable", "a"), Verdict("unreliable", "b"), Verdict("unreliable", "c")]
    assert Verdict.worst(verdicts).why == "b"
    assert Verdict.worst(verdicts[:1]).level == "reliable"
