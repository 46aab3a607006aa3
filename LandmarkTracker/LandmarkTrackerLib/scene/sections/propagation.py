"""From what was placed to all other frames, and to the volumes of other subjects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.jobs.across import examples_of, locate_in
from LandmarkTrackerLib.jobs.propagate import Direction, frames_in_order, propagate
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.actions import Action, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.history import Change, of
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.models import Model, Models
from LandmarkTrackerLib.step import results

DIRECTIONS: dict[Direction, str] = {
    "both": _("Both directions"),
    "forward": _("Forward"),
    "backward": _("Backward"),
}


@dataclass(frozen=True)
class Leg:
    """Landmarks that start from one frame."""

    start: int
    names: tuple[str, ...]


class Propagation:
    """The job that the module is for.

    Attributes:
        direction: where to go from the frame in which the landmarks were placed.
        live: propagate as soon as a landmark is placed or corrected.
        limit_mm: a point less certain than this is missing; 0 for the model's own limit.
    """

    direction = Parameter[Direction]("direction", "both", choices=DIRECTIONS)
    live = Parameter("live", False)
    limit_mm = Parameter("maxSigma", 0.0, limits=(0, 100))

    def __init__(self, context: Context, inputs: Inputs, models: Models) -> None:
        self.context, self.inputs, self.models = context, inputs, models
        self._waiting: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        """Through the cine, and to the volumes of other subjects."""
        origin = _("From the frame in which the landmarks were placed.")
        at_once = _("Propagate every click and correction at once")
        return [
            [Setting(_("Direction"), self, "direction", origin)],
            [Setting(at_once, self, "live", _("As soon as a landmark is placed or dragged."))],
            [
                Action(
                    "propagate",
                    _("Propagate"),
                    _("Find the landmarks in the other frames."),
                    self.start,
                    lambda: self.context.runner.obstacle or self.obstacle,
                    key="P",
                    main=True,
                )
            ],
            [
                Action(
                    "find",
                    _("Find in ticked volumes"),
                    _("Find the landmarks in other subjects."),
                    self.start_across,
                    lambda: self.context.runner.obstacle or self.obstacle_across,
                )
            ],
        ]

    def limit_rows(self) -> list[Row]:
        """What few people change."""
        return [
            [
                Setting(
                    _("Missing above"),
                    self,
                    "limit_mm",
                    _("A landmark less certain than this is called missing."),
                    step=0.5,
                    unit="mm",
                    least=_("as the model says"),
                )
            ]
        ]

    @property
    def max_sigma_mm(self) -> float | None:
        """`limit_mm`; None for the model's own limit."""
        return self.limit_mm or None

    @property
    def obstacle(self) -> str:
        """Why nothing can be propagated through the cine; empty if it can."""
        subject = self.inputs.subject
        if subject is None:
            return _("Choose a cine or a volume first.")
        if len(subject.cine) == 1:
            return _("This volume has no other frame; choose volumes of other subjects below.")
        return self._nothing_shown(subject, self.models.chosen)

    @property
    def obstacle_across(self) -> str:
        """Why nothing can be found in other subjects; empty if it can."""
        subject = self.inputs.subject
        if subject is None:
            return _("Choose a cine or a volume first.")
        if not self.inputs.others:
            return _("Tick the volumes of other subjects first.")
        return self._nothing_shown(subject, self.models.chosen_across)

    @reported
    def start(self, names: Sequence[str] | None = None) -> None:
        """Begin to propagate through the cine. The frames follow with `Workbench.advance`.

        Args:
            names: these landmarks; if not given, those placed in the frame in view and those never
                propagated yet, or else all.
        """
        if self.obstacle:
            raise InputError(self.obstacle)
        subject = self.inputs.subject
        assert subject is not None
        legs = self.legs(subject, names)
        names = [name for leg in legs for name in leg.names]
        change = self.context.history.begin(_("propagate {names}").format(names=of(names)))
        before = subject.record
        change.steps.append(lambda: subject.show(before))
        total = sum(len(frames_in_order(len(subject.cine), leg.start, self.direction)) for leg in legs)
        self.context.runner.start(self._through(subject, legs), total)

    @reported
    def start_across(self) -> None:
        """Begin to find the landmarks in the chosen volumes of other subjects, one a step."""
        if self.obstacle_across:
            raise InputError(self.obstacle_across)
        subject = self.inputs.subject
        assert subject is not None
        change = self.context.history.begin(
            _("find landmarks in {count} volumes").format(count=len(self.inputs.others))
        )
        steps = self._across([subject, *self.inputs.others], change)
        self.context.runner.start(steps, len(self.inputs.others))

    def follow(self, names: Sequence[str]) -> None:
        """These were just placed in the frame in view: with `live`, propagate them, now or after the work."""
        if not self.live or self.obstacle:
            return
        runner = self.context.runner
        # What was cancelled does not go on by itself.
        waiting = self._waiting if runner.then == self._follow_on else ()
        self._waiting = tuple(dict.fromkeys((*waiting, *names)))
        runner.then = self._follow_on
        runner.go_on()

    def _follow_on(self) -> None:
        """Propagate what was placed while other work was under way."""
        self.start(self._waiting)

    def legs(self, subject: Subject, names: Sequence[str] | None = None) -> list[Leg]:
        """Which landmarks start where: in the frame in view if they are placed there, else in the first."""
        record, placed = subject.record, subject.record.placed()
        here = placed[subject.frame].names if subject.frame in placed else ()
        if names is None:
            fresh = [name for name in record.placed_names() if name not in record.looked_for]
            names = [name for name in record.names if name in here or name in fresh]
        names = [name for name in names or record.placed_names() if name in record.placed_names()]
        starts: dict[int, list[str]] = {}
        for name in names:
            starts.setdefault(subject.frame if name in here else record.origin(name), []).append(name)
        return [Leg(start, tuple(group)) for start, group in starts.items()]

    def _nothing_shown(self, subject: Subject, model: Model) -> str:
        if not subject.record.placed():
            return _("Place a landmark first.")
        return self.models.obstacle_of(model)

    def _through(self, subject: Subject, legs: Sequence[Leg]) -> Iterator[bool]:
        locator = self.models.locator()
        yield False
        for leg in legs:
            shown = subject.record.placed(leg.names)
            steps = propagate(subject.cine, locator, shown, self.direction, leg.start, self.max_sigma_mm)
            for found in results(steps):
                self._keep(subject, found.frame, found.landmarks)
                yield True

    def _across(self, subjects: Sequence[Subject], change: Change) -> Iterator[bool]:
        locator = self.models.locator(self.models.chosen_across)
        yield False
        shown = [
            (subject.cine[t], here) for subject in subjects for t, here in subject.record.placed().items()
        ]
        examples = examples_of(locator, shown)
        yield False
        images = {str(n): (lambda cine=other.cine: cine[0]) for n, other in enumerate(subjects[1:])}
        failures = []
        for found, other in zip(
            results(locate_in(images, locator, examples, self.max_sigma_mm)), subjects[1:], strict=True
        ):
            if found.landmarks is None:
                failures.append(f"{other.name}: {found.failure}")
            else:
                self._keep_in(other, found.landmarks, change)
            yield True
        if failures:
            raise InputError("; ".join(failures))

    def _keep(self, subject: Subject, frame: int, landmarks: LandmarkSet) -> None:
        """Unless the landmark was removed or renamed in the meantime."""
        names = [name for name in landmarks.names if name in subject.record.names]
        subject.show(subject.record.with_answer(frame, landmarks.select(names)))

    def _keep_in(self, other: Subject, landmarks: LandmarkSet, change: Change) -> None:
        other = self.inputs.with_points(other, change)
        before = other.record
        change.steps.append(lambda: other.show(before))
        other.show(before.with_answer(0, landmarks))
