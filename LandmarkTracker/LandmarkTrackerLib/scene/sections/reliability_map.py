"""The reliability map: the cyclic error of every point of the chosen image, through the ticked volumes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Literal

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.cyclic import Lattice, body, cyclic_error
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume, pixels
from LandmarkTrackerLib.jobs.cyclic import as_overlay, turned_like
from LandmarkTrackerLib.methods.registry import DEFAULT_ACROSS
from LandmarkTrackerLib.scene.actions import Action, Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.overlay import Overlay, bring_up, lay_over, overlay_of
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Note, Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.models import Model, Models, shipped

Detail = Literal["coarse", "medium", "fine"]
DETAILS: dict[Detail, str] = {"coarse": _("Coarse"), "medium": _("Medium"), "fine": _("Fine")}
# Points that are sought along the longer side; the coarser ones come first, so that there is soon an answer.
POINTS: dict[Detail, int] = {"coarse": 32, "medium": 64, "fine": 128}
# Points that are sought in one step: half a second.
AT_ONCE = 256


class ReliabilityMap:
    """Seeks points of the chosen image in the ticked volumes, and what is found there in the image again.

    Attributes:
        model: name of the method whose answers are tried; empty for the first that fits.
        detail: how many points.
        limit_mm: the error that is shown in red.
        shown: whether the overlay is to be seen.
    """

    model = Parameter("mapMethod", "")
    detail = Parameter[Detail]("mapDetail", "medium", choices=DETAILS)
    limit_mm = Parameter("mapLimit", 20.0, limits=(1, 200))
    shown = Parameter("mapShown", True)

    def __init__(self, context: Context, inputs: Inputs, models: Models) -> None:
        self.context, self.inputs, self.models = context, inputs, models

    def rows(self) -> list[Row]:
        """How it is computed, and shown."""
        return [
            [
                Setting(
                    _("Method"),
                    self,
                    "chosen_name",
                    lambda: self.chosen.title,
                    self._choices,
                    choose=lambda name: self.choose(name, self.detail),
                    name="mapMethod",
                )
            ],
            [
                Setting(
                    _("Detail"), self, "detail", _("How many points are tried. The coarse ones come first.")
                )
            ],
            [
                Setting(
                    _("Red from"),
                    self,
                    "limit_mm",
                    _("The error that is shown in red. It can be changed afterwards."),
                    step=5,
                    unit="mm",
                )
            ],
            [
                Action(
                    "computeMap",
                    _("Compute"),
                    _("Find points of the image in the ticked volumes, and these in the image again."),
                    self.start,
                    lambda: self.context.runner.obstacle or self.obstacle,
                ),
                Setting(
                    _("Show"),
                    self,
                    "shown",
                    _("Lay the map over the image, or take it away."),
                    obstacle=lambda: self.obstacle_show,
                ),
            ],
            [Note("mapLegend", lambda: self.legend)],
        ]

    def choices(self) -> list[Model]:
        """Every method that seeks each point by itself, those that fit first, and that look anywhere."""
        anywhere = [name for name, _card in shipped("tmn")]
        choices = [choice for choice in self.models.choices() if choice.name != DEFAULT_ACROSS]
        return sorted(choices, key=lambda choice: (not choice.fits, choice.name not in anywhere))

    @property
    def chosen(self) -> Model:
        """The one that will run."""
        choices = self.choices()
        return next((choice for choice in choices if choice.name == self.model), choices[0])

    @property
    def obstacle(self) -> str:
        """Why no map can be computed; empty if it can."""
        subject, others = self.inputs.subject, self.inputs.others
        if subject is None:
            return _("Choose a cine or a volume first.")
        for image in (subject, *others):
            if not image.cine.grid.is_slice:
                return _("'{name}' is a volume; this works on slices.").format(name=image.name)
        if not others:
            return _("Tick the volumes of other subjects first.")
        return self.models.obstacle_of(self.chosen)

    @property
    def obstacle_show(self) -> str:
        """Why there is nothing to show or to hide; empty if there is."""
        return "" if self.overlay is not None else _("Press Compute first.")

    @property
    def overlay(self) -> Overlay | None:
        """That of the chosen image; None as long as there is none."""
        subject = self.inputs.subject
        return overlay_of(subject.node) if subject is not None else None

    @property
    def legend(self) -> str:
        """What the colours mean."""
        return _(
            "Mean distance from a point to where it is found again. Green: 0 mm. Yellow: {half:g} mm."
            " Red: {limit:g} mm or more. No colour: background, or not found in most volumes."
        ).format(half=self.limit_mm / 2, limit=self.limit_mm)

    @reported
    def choose(self, model: str, detail: Detail) -> None:
        """Take this method, empty for the first that fits, and this many points."""
        self.model, self.detail = model, detail

    @reported
    def start(self) -> None:
        """Begin; the overlay appears when the coarsest points are done, and becomes finer."""
        if self.obstacle:
            raise InputError(self.obstacle)
        subject = self.inputs.subject
        assert subject is not None
        grid, targets = subject.cine.grid, len(self.inputs.others)
        steps = steps_of(grid, self.detail)
        total = sum(targets * len(Lattice(grid, step).chunks(AT_ONCE)) for step in steps)
        self.context.runner.start(self._through(subject, steps), total)

    @property
    def chosen_name(self) -> str:
        """The name of the method that will run."""
        return self.chosen.name

    def _choices(self) -> list[Choice]:
        return [model.choice for model in self.choices()]

    def refresh(self) -> None:
        """Let the views show the overlay of the chosen image, in the frame that it is of, and no other."""
        subject, overlay = self.inputs.subject, self.overlay
        if subject is None or overlay is None:
            lay_over(self.context.scene, None, None)
            return
        overlay.limit(self.limit_mm)
        seen = self.shown and overlay.frame == subject.frame
        lay_over(self.context.scene, subject.volume, overlay.volume if seen else None)

    def _through(self, subject: Subject, steps: list[int]) -> Iterator[bool]:
        choice, frame = self.chosen, subject.frame
        locator = self.models.locator(choice)
        yield False
        image = as_volume(subject.cine[frame])
        targets = {str(n): partial(_read, other, image) for n, other in enumerate(self.inputs.others)}
        undoable = False
        for step in steps:
            for now in cyclic_error(locator, image, targets, step, AT_ONCE):
                if now.result is not None:
                    overlay = as_overlay(now.result, image)
                    if not undoable:
                        self._begin(subject)
                        undoable = True
                    self._fill(subject, frame, overlay)
                    self.context.notices.report = self._report(subject, overlay, image, len(targets), choice)
                yield True

    def _begin(self, subject: Subject) -> None:
        """From here on it can be taken back."""
        before = overlay_of(subject.node)
        content = before.content if before is not None else (0, None)
        change = self.context.history.begin(_("compute the reliability map"))
        change.steps.append(partial(self._fill, subject, *content))
        self.shown = True
        bring_up(self.context.scene, subject.volume)

    def _fill(self, subject: Subject, frame: int, image: sitk.Image | None) -> None:
        """Show this, or nothing any more."""
        overlay = overlay_of(subject.node)
        if image is None:
            if overlay is not None:
                overlay.remove()
        else:
            if overlay is None:
                title = _("{image} reliability (mm)").format(image=subject.name)
                overlay = Overlay.add(subject.node, title)
            overlay.fill(frame, image)
        self.refresh()

    def _report(
        self, subject: Subject, overlay: sitk.Image, image: sitk.Image, count: int, choice: Model
    ) -> str:
        errors = pixels(overlay)[0][body(image)]
        within = int(((errors >= 0) & (errors <= self.limit_mm)).sum())
        return _(
            "{share:.0f} % of '{name}' is found again within {limit:g} mm, through {count} volumes and with"
            " {model}. Place landmarks where it is green."
        ).format(
            share=100 * within / max(len(errors), 1),
            name=subject.name,
            limit=self.limit_mm,
            count=count,
            model=choice.label,
        )


def steps_of(grid: Grid, detail: Detail) -> list[int]:
    """Pixels from one point to the next, the coarsest first, down to what is asked for."""
    wanted = [points for points in POINTS.values() if points <= POINTS[detail]]
    steps = [max(1, math.ceil(max(grid.size[:2]) / points)) for points in wanted]
    return list(dict.fromkeys(steps))


def _read(other: Subject, source: sitk.Image) -> sitk.Image:
    try:
        return turned_like(Grid.of(source), partial(other.cine.__getitem__, 0))
    except InputError as error:
        raise InputError(f"{other.name}: {error}") from None
