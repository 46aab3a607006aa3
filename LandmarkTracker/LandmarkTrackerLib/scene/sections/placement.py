"""Landmarks: placed with Slicer's ordinary Markups placement, named, or asked for by a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import slicer

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import read_points
from LandmarkTrackerLib.formats.point_files import READERS
from LandmarkTrackerLib.scene.actions import Action, File
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.record import placed_in
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parts import Line, Row, Table
from LandmarkTrackerLib.scene.sections.inputs import Inputs

MARKUPS = slicer.vtkMRMLMarkupsNode
INTERACTION = slicer.vtkMRMLInteractionNode


class Placement:
    """What the user does to landmarks by hand.

    Attributes:
        selected: the landmark that is selected in the table, as a tuple of one name; empty for none.
    """

    def __init__(self, context: Context, inputs: Inputs) -> None:
        self.context, self.inputs = context, inputs
        # Frames whose lost points were offered to Slicer's placement.
        self._offered: set[int] = set()
        self._selected: Sequence[str] = ()

    def rows(self) -> list[Row]:
        """What can be done, and the landmarks."""
        return [
            [
                Action(
                    "place",
                    lambda: _("Stop placing") if self.active else _("Place landmarks"),
                    _("Click landmarks in a slice view; press again to end."),
                    self.toggle,
                    lambda: self.obstacle,
                    key="L",
                    on=lambda: self.active,
                ),
                Action(
                    "protocol",
                    _("Load protocol…"),
                    _("Load landmark names from a file, then click them in order."),
                    self.load_protocol,
                    lambda: self.obstacle,
                    file=File(_("Load landmark protocol"), "landmarks", _("Landmarks"), tuple(READERS)),
                ),
                Action(
                    "remove",
                    _("Remove"),
                    _("Remove the selected landmark from every frame."),
                    lambda: self.remove(self.selected[0]),
                    lambda: self.obstacle_remove,
                ),
            ],
            [
                Table(
                    "placed",
                    (_("Name"), _("In this frame")),
                    self.lines,
                    _("Type into a name to change it."),
                    selected=lambda: self.selected,
                    select=self.select,
                    rename=self.rename,
                )
            ],
        ]

    @property
    def obstacle(self) -> str:
        """Why nothing can be placed; empty if it can."""
        return "" if self.inputs.subject is not None else _("Choose a cine or a volume first.")

    @property
    def obstacle_remove(self) -> str:
        """Why nothing can be removed; empty if something can."""
        if not self.lines():
            return _("There is no landmark.")
        return "" if self.selected else _("Click a landmark in the table first.")

    @property
    def selected(self) -> tuple[str, ...]:
        subject = self.inputs.subject
        names = subject.record.names if subject is not None else ()
        return tuple(name for name in self._selected if name in names)

    @property
    def active(self) -> bool:
        """Whether the next click in a view places a landmark of ours."""
        subject, interaction = self.inputs.subject, self._interaction()
        if subject is None or subject.point_list is None or interaction is None:
            return False
        placing = interaction.GetCurrentInteractionMode() == INTERACTION.Place
        return bool(placing and self._selection().GetActivePlaceNodeID() == subject.point_list.GetID())

    @property
    def next_name(self) -> str:
        """The landmark that the next click places; empty if that will be a new one."""
        subject = self.inputs.subject
        if subject is None:
            return ""
        open_ = [name for name in subject.record.names if not self._is_there(subject, name)]
        return open_[0] if open_ else ""

    @reported
    def start(self) -> None:
        """Clicks place landmarks from now on, into a new point list if there is none."""
        subject = self.inputs.subject
        if subject is None:
            raise InputError(self.obstacle)
        if subject.point_list is None:
            change = self.context.history.begin(_("new point list"))
            subject = self.inputs.with_points(subject, change)
        selection = self._selection()
        selection.SetReferenceActivePlaceNodeClassName(subject.point_list.GetClassName())
        selection.SetActivePlaceNodeID(subject.point_list.GetID())
        interaction = self._interaction()
        self.context.watch.placing(interaction)
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(INTERACTION.Place)
        self.offer_lost()

    @reported
    def stop(self) -> None:
        """Clicks move the view again."""
        interaction = self._interaction()
        if interaction is not None and interaction.GetCurrentInteractionMode() == INTERACTION.Place:
            interaction.SetCurrentInteractionMode(INTERACTION.ViewTransform)
        self.restore_lost()

    def offer_lost(self) -> None:
        """Let clicks place what was lost in this frame: Slicer fills only points that are unplaced."""
        subject = self.inputs.subject
        if not self.active or subject is None:
            return
        node = subject.point_list
        for n in range(node.GetNumberOfControlPoints()):
            if node.GetNthControlPointPositionStatus(n) == MARKUPS.PositionMissing:
                node.UnsetNthControlPointPosition(n)
                self._offered.add(subject.frame)

    def restore_lost(self) -> None:
        """What was not placed after all is lost again."""
        subject = self.inputs.subject
        while self._offered and subject is not None:
            subject.refresh(self._offered.pop())

    @reported
    def load_protocol(self, path: Path) -> None:
        """The names of a landmark file, to be clicked in their order. Its positions are another patient's."""
        names = read_points(Path(path)).names
        subject = self.inputs.subject
        if subject is None:
            raise InputError(self.obstacle)
        change = self.context.history.begin(_("load the protocol '{name}'").format(name=Path(path).name))
        subject = self.inputs.with_points(subject, change)
        before, nodes = subject.record, subject.nodes
        assert nodes is not None
        fixed = nodes.point_list.GetFixedNumberOfControlPoints()
        change.steps.append(lambda: subject.show(before))
        change.steps.append(lambda: nodes.fix_number(fixed))
        subject.show(before.with_names(names))
        nodes.fix_number(True)

    @reported
    def rename(self, old: str, new: str) -> None:
        """Give a landmark another name, in every frame."""
        subject = self.inputs.subject
        if subject is None or old == new:
            return
        if not new.strip():
            raise InputError(_("a landmark needs a name; '{name}' keeps its own").format(name=old))
        if new in subject.record.names:
            raise InputError(
                _("there is a landmark '{new}' already; '{old}' keeps its name").format(new=new, old=old)
            )
        self.context.history.change(
            subject, subject.record.renamed({old: new}), _("rename '{name}'").format(name=old)
        )

    @reported
    def remove(self, name: str) -> None:
        """Remove a landmark from every frame."""
        subject = self.inputs.subject
        if subject is not None:
            self.context.history.change(
                subject, subject.record.without([name]), _("remove '{name}'").format(name=name)
            )

    def select(self, names: Sequence[str]) -> None:
        """Select a landmark in the table, or none."""
        self._selected = names
        self.context.notices.notify()

    def toggle(self) -> None:
        """Begin to place, or end it."""
        if self.active:
            self.stop()
        else:
            self.start()

    def lines(self) -> list[Line]:
        """Every landmark, and how it is in the frame in view."""
        subject = self.inputs.subject
        if subject is None:
            return []
        return [Line(name, (name, self._state(subject, name))) for name in subject.record.names]

    def _state(self, subject: Subject, name: str) -> str:
        known = subject.record.known(subject.frame)
        if name not in known:
            return _("not placed") if name not in subject.record.placed_names() else _("not looked for here")
        if known[name].status == "missing":
            return _("missing here")
        if len(placed_in(known.select([name]))):
            return _("placed here")
        sigma = known.select([name]).sigma_mm[0]
        return _("found, ± {sigma:.1f} {unit}").format(sigma=sigma, unit=subject.cine.length_unit)

    def _is_there(self, subject: Subject, name: str) -> bool:
        known = subject.record.known(subject.frame)
        return name in known and known[name].status != "missing"

    def _interaction(self):
        return self.context.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")

    def _selection(self):
        return self.context.scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
