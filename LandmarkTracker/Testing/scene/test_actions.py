"""What the sections offer is complete: names, texts, and values that can be chosen."""

from __future__ import annotations

from collections import Counter

import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Action, Setting, text_of
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Heading


class Lamp:
    """A section with a switch."""

    on = Parameter("lampOn", False)
    watts = Parameter("lampWatts", 40, limits=(5, 100))

    def __init__(self, context) -> None:
        self.context = context
        self.hue = "red"

    @property
    def broken(self) -> str:
        return "red"

    @broken.setter
    def broken(self, hue: str) -> None:
        raise InputError(f"there is no {hue} bulb; buy one")


def test_every_part_has_a_name_of_its_own(bench):
    names = [part.name for part in bench.parts if not isinstance(part, Heading)]
    names += [bench.cancel_action.name, bench.undo_action.name]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_action_says_in_a_sentence_what_it_does_or_why_it_cannot(bench):
    for action in bench.actions:
        assert text_of(action.label)
        assert action.tip.endswith("."), action.name
        assert action.obstacle() == "" or action.obstacle().endswith("."), action.name


def test_keys_are_single_letters_and_no_two_actions_share_one(bench):
    keys = [action.key for action in bench.actions if action.key]
    assert sorted(keys) == ["B", "L", "N", "P", "Z"]


def test_every_setting_has_a_value_that_can_be_chosen(bench):
    for setting in (part for part in bench.parts if isinstance(part, Setting)):
        if setting.kind == "choice" and setting.offered():
            assert setting.value in [choice.value for choice in setting.offered()], setting.name
        if setting.kind in ("number", "slider"):
            low, high = setting.range()
            assert low <= setting.value <= high, setting.name


def test_an_action_that_cannot_be_done_says_why_instead(bench):
    done = []
    bench.do(Action("go", "Go", "Go on.", lambda: done.append(1), lambda: "The road is closed."))
    assert bench.problem == "The road is closed."
    bench.do(Action("go", "Go", "Go on.", done.append), 2)
    assert done == [2]


def test_a_setting_is_of_the_kind_of_its_value(bench):
    lamp = Lamp(bench.context)
    assert Setting("On", lamp, "on").kind == "flag"
    assert Setting("Power", lamp, "watts").kind == "number"
    assert Setting("Hue", lamp, "hue").kind == "text"
    assert Setting("Hue", lamp, "hue", choices=list).kind == "choice"
    assert Setting("Hue", lamp, "hue", choices=list, several=True).kind == "choices"
    assert (Setting("On", lamp, "on").name, Setting("Hue", lamp, "hue").name) == ("lampOn", "hue")


def test_what_cannot_be_chosen_is_said(bench):
    Setting("Hue", Lamp(bench.context), "broken").set("blue")
    assert bench.problem == "there is no blue bulb; buy one"


def test_a_number_outside_its_limits_becomes_the_nearest_inside(bench):
    lamp = Lamp(bench.context)
    Setting("Power", lamp, "watts").set(1000)
    assert lamp.watts == 100


@pytest.mark.parametrize("front_end", ["gui", "web"])
def test_a_front_end_says_nothing_of_its_own_about_what_a_section_offers(root, bench, front_end):
    folder = root / "LandmarkTracker" / "LandmarkTrackerLib" / front_end
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    said_there = [action.tip for action in bench.actions if action.tip in text]
    said_there += [
        part.label for part in bench.parts if isinstance(part, Setting) and f'"{part.label}"' in text
    ]
    assert said_there == []
