"""Points that two scans share: two point lists that stay in step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import slicer

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.jobs.match import SLICES, VOLUMES, matching
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.methods.fit import doubt_of
from LandmarkTrackerLib.methods.protocols import Matcher
from LandmarkTrackerLib.methods.registry import make_matcher
from LandmarkTrackerLib.scene.actions import Action, Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.history import Change, of
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.edits import relabelled
from LandmarkTrackerLib.scene.nodes.pair_lists import lists_between, new_lists
from LandmarkTrackerLib.scene.nodes.point_lists import remove_point_list
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.sequences import browser_of
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Line, Row, Table
from LandmarkTrackerLib.scene.sections.inputs import VOLUME, named, volumes_in
from LandmarkTrackerLib.scene.sections.models import Models
from LandmarkTrackerLib.weights import model_names

NO_PAIRS = LandmarkPairs(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))


class ScanMatching:
    """Two volumes, and the pairs between them.

    Attributes:
        fixed, moving: the chosen volumes, with their point lists once they are matched; None until chosen.
        fixed_volume, moving_volume: their nodes.
    """

    fixed_volume = Parameter("fixedVolume", None, nodes=(VOLUME,))
    moving_volume = Parameter("movingVolume", None, nodes=(VOLUME,))

    def __init__(self, context: Context, models: Models) -> None:
        self.context, self.models = context, models
        self.fixed: Subject | None = None
        self.moving: Subject | None = None
        self._followed: tuple = (None, None)
        self._selected: Sequence[str] = ()
        self._loaded: tuple[tuple[str, str], Matcher] | None = None
        # The records that these pairs are of.
        self._found: tuple[list[Record], LandmarkPairs] = ([], NO_PAIRS)
        self._lines: tuple[LandmarkPairs, list[Line]] = (NO_PAIRS, [])

    def scan_rows(self) -> list[Row]:
        """The two scans."""
        return [
            [Setting(_("Fixed"), self, "fixed_volume", _("The scan that stays."), self._volumes)],
            [
                Setting(
                    _("Moving"), self, "moving_volume", _("The scan that is warped onto it."), self._volumes
                )
            ],
        ]

    def match_action(self) -> Action:
        return Action(
            "match",
            _("Match"),
            _("Find the points that both scans share."),
            self.start,
            lambda: self.context.runner.obstacle or self.obstacle,
        )

    def pair_rows(self, look_at: Callable[[str], object]) -> list[Row]:
        """The pairs.

        Args:
            look_at: brings a pair into view.
        """
        return [
            [
                Table(
                    "pairs",
                    (_("Pair"), _("Confidence")),
                    self.lines,
                    _("Click a pair to see it in both scans."),
                    click=look_at,
                    selected=lambda: self.selected,
                    select=self.select,
                    several=True,
                )
            ],
            [
                Action(
                    "removePairs",
                    _("Remove selected pairs"),
                    _("Remove the selected pairs from both scans."),
                    lambda: self.remove(self.selected),
                    lambda: self.obstacle_remove,
                )
            ],
        ]

    @property
    def chosen(self) -> tuple[Subject, ...]:
        """Fixed and moving; empty unless both are chosen."""
        return (self.fixed, self.moving) if self.fixed is not None and self.moving is not None else ()

    @property
    def matched(self) -> tuple[Subject, ...]:
        """Fixed and moving, once they have pairs."""
        return self.chosen if all(s.point_list is not None for s in self.chosen) else ()

    @property
    def pairs(self) -> LandmarkPairs:
        """What both lists have a position for."""
        records = [subject.record for subject in self.matched]
        if records != self._found[0]:
            sets = [record.at(0) for record in records]
            self._found = (records, LandmarkPairs.of(*sets, include_uncertain=True) if sets else NO_PAIRS)
        return self._found[1]

    def lines(self) -> list[Line]:
        """Every pair, the least certain first; the same list as long as nothing changes."""
        pairs = self.pairs
        if pairs is not self._lines[0]:
            order = np.argsort(pairs.score, kind="stable")
            lines = [Line(pairs.names[n], (pairs.names[n], f"{100 * pairs.score[n]:.0f} %")) for n in order]
            self._lines = (pairs, lines)
        return self._lines[1]

    @property
    def selected(self) -> tuple[str, ...]:
        """The pairs that are selected in the table."""
        return tuple(name for name in self._selected if name in self.pairs.names)

    def select(self, names: Sequence[str]) -> None:
        """Select these pairs in the table."""
        self._selected = names
        self.context.notices.notify()

    @property
    def obstacle_remove(self) -> str:
        """Why no pair can be removed; empty if one can."""
        if not len(self.pairs):
            return _("There are no pairs.")
        return "" if self.selected else _("Click a pair in the table first.")

    @property
    def obstacle(self) -> str:
        """Why nothing can be matched; empty if it can."""
        if not self.chosen:
            return _("Choose a fixed and a moving volume first.")
        if self.models.torch_missing:
            return _("Install PyTorch first.")
        fixed, moving = self.chosen
        names = {"fixed": fixed.name, "moving": moving.name}
        if fixed.cine.grid.is_slice != moving.cine.grid.is_slice:
            return _(
                "'{fixed}' and '{moving}' are a slice and a volume; choose two of the same kind."
            ).format(**names)
        if not self.model:
            return _("No model that matches slices comes with the program; train one.")
        return ""

    @property
    def next_step(self) -> str:
        """What to do next with the two scans; empty as long as they are not chosen."""
        if not self.chosen:
            return ""
        if not len(self.pairs):
            return self.obstacle or _("Press Match.")
        return _("{count} pairs. Remove what is wrong, then press Warp.").format(count=len(self.pairs))

    @property
    def model(self) -> str:
        """What matches these slices or volumes; empty if its model does not come with the program."""
        if self.chosen and not self.chosen[0].cine.grid.is_slice:
            return VOLUMES
        return SLICES if SLICES in model_names() else ""

    # Choose, match

    @reported
    def choose(self, fixed, moving) -> None:
        """Two volumes, or None. Pairs that were found between them come with them."""
        self._keep(fixed, moving)
        self.follow()

    def follow(self) -> None:
        """Take up the volumes that are chosen in the parameter node.

        Raises:
            InputError: they cannot be matched; the two before stay.
        """
        chosen = (self.fixed_volume, self.moving_volume)
        if chosen != self._followed:
            self._followed = chosen
            self._take(*chosen)

    def _keep(self, fixed, moving) -> None:
        """Let the parameter node say so."""
        with slicer.util.NodeModify(self.context.parameters.node):
            self.fixed_volume, self.moving_volume = fixed, moving

    def _volumes(self) -> list[Choice]:
        return [Choice(None, _("None")), *named(volumes_in(self.context.scene))]

    def _take(self, fixed, moving) -> None:
        for node in (fixed, moving):
            if node is not None and browser_of(node) is not None:
                raise InputError(_("'{name}' is part of a cine; choose volumes").format(name=node.GetName()))
        if fixed is not None and fixed is moving:
            raise InputError(
                _("'{name}' cannot be matched with itself; choose two").format(name=fixed.GetName())
            )
        self.context.runner.cancel()
        self._leave()
        lists = lists_between(self.context.scene, fixed, moving)
        self.fixed, self.moving = (
            Subject(node, points) if node is not None else None
            for node, points in zip((fixed, moving), lists, strict=True)
        )
        self._watch()

    @reported
    def start(self) -> None:
        """Begin to match. The pairs replace those that were found before."""
        if self.obstacle:
            raise InputError(self.obstacle)
        self.context.runner.start(self._matching(), 1)

    @reported
    def remove(self, names: Sequence[str]) -> None:
        """Remove pairs from both lists."""
        change = self.context.history.begin(_("remove {names}").format(names=of(names)))
        for subject in self.matched:
            self._change(subject, subject.record.without(names), change)

    def repeat(self, edited: Subject, change: Change) -> None:
        """A point was removed, renamed or added in one list: the same in the other."""
        other = next(subject for subject in self.matched if subject is not edited)
        after = relabelled(other.record, edited.record.names)
        if after is not other.record:
            self._change(other, after, change)

    def _matching(self) -> Iterator[bool]:
        fixed, moving = self.chosen
        matcher = self._matcher()
        yield False
        pairs = NO_PAIRS
        for step in matching(fixed.cine[0], moving.cine[0], matcher):
            self.context.runner.expect(step.total)
            if step.result is not None:
                pairs = step.result
            elif step.done:
                yield True
        if not len(pairs):
            raise InputError(
                _("'{fixed}' and '{moving}' share no point that the model is sure of.").format(
                    fixed=fixed.name, moving=moving.name
                )
            )
        change = self.context.history.begin(_("match {fixed}").format(fixed=fixed.name))
        if not self.matched:
            self._make_lists(change)
        for subject, landmarks in zip(self.matched, pairs.landmarks, strict=True):
            record = Record(landmarks.names, {0: landmarks})
            self._change(subject, record, change)
        doubts = dict.fromkeys(doubt_of(matcher, subject.cine[0]) for subject in (fixed, moving))
        self.context.notices.report = " ".join([self.next_step, *filter(None, doubts)])
        yield True

    def _matcher(self) -> Matcher:
        key = (self.model, self.models.device)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = (key, make_matcher(*key))
        return self._loaded[1]

    def _change(self, subject: Subject, record: Record, change: Change) -> None:
        change.steps.append(partial(subject.show, subject.record))
        subject.show(record)

    # Point lists

    def _make_lists(self, change: Change) -> None:
        bare = self.chosen
        lists = new_lists(self.context.scene, *(subject.node for subject in bare))
        self.fixed, self.moving = (
            Subject(subject.node, points) for subject, points in zip(bare, lists, strict=True)
        )
        self._watch()
        change.steps.append(partial(self._remove_lists, bare, self.matched))

    def _remove_lists(self, bare: Sequence[Subject], made: Sequence[Subject]) -> None:
        """Undo of the first match of two volumes."""
        if self.matched and self.matched[0] is made[0]:
            self.fixed, self.moving = bare
        for subject in made:
            self.context.watch.forget_points(subject)
            remove_point_list(subject.point_list)

    def _watch(self) -> None:
        for subject in self.matched:
            self.context.watch.points(subject)

    def _leave(self) -> None:
        """Other volumes are chosen: what was made stays in the scene as it is."""
        for subject in self.matched:
            self.context.watch.forget_points(subject)
        self.fixed = self.moving = None

    # The scene

    def forget(self, node) -> bool:
        """A node has left the scene. Whether it was one of ours."""
        chosen = [subject for subject in (self.fixed, self.moving) if subject is not None]
        if not any(node in (subject.node, subject.point_list) for subject in chosen):
            return False
        # What is left of the two volumes stays chosen, without pairs.
        fixed, moving = (
            Subject(subject.node) if subject is not None and subject.node is not node else None
            for subject in (self.fixed, self.moving)
        )
        self._leave()
        self.fixed, self.moving = fixed, moving
        self._followed = tuple(subject.node if subject is not None else None for subject in (fixed, moving))
        self._keep(*self._followed)
        return True

    def clear(self) -> None:
        """The scene is being closed."""
        self._leave()
        self._followed = (None, None)
