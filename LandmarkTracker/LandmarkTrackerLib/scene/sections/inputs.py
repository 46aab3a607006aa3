"""Which images, and which point list: the first thing that the user decides."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.history import Change
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.overlay import is_overlay
from LandmarkTrackerLib.scene.nodes.point_lists import (
    POINT_LIST,
    LandmarkSequence,
    new_point_list,
    point_lists_of,
    remove_point_list,
)
from LandmarkTrackerLib.scene.nodes.sequences import browser_of, nodes_of, plays_volumes, sequences_of
from LandmarkTrackerLib.scene.nodes.subject import Subject, image_node, is_cine
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Row

# Which volume the points of a list lie on: a reference from the list, so that a saved scene still knows.
ON_IMAGE = "LandmarkTracker.Image"
BROWSER, VOLUME = "vtkMRMLSequenceBrowserNode", "vtkMRMLScalarVolumeNode"


class Inputs:
    """The image to work on, its point list, and volumes of other subjects.

    Attributes:
        subject: the chosen cine or volume; None until one is chosen.
        others: chosen volumes of other subjects.
        image, points: the nodes that are chosen.
    """

    image = Parameter("image", None, nodes=(BROWSER, VOLUME))
    points = Parameter("landmarks", None, nodes=(POINT_LIST,))

    def __init__(self, context: Context) -> None:
        self.context = context
        self.subject: Subject | None = None
        self.others: list[Subject] = []
        # By the id of the point list: a subject that is chosen again still has its record and its undo.
        self._known: dict[str, Subject] = {}

    def image_rows(self) -> list[Row]:
        """The image."""
        tip = _("A cine (a sequence browser that plays volumes) or one volume.")
        return [[Setting(_("Image"), self, "image", tip, self._images)]]

    def other_rows(self) -> list[Row]:
        """The other subjects."""
        tip = _("Other volumes in which to find, detect or save the same landmarks.")
        chosen = Setting(
            _("Other subjects"),
            self,
            "ticked",
            tip,
            self._volumes,
            several=True,
            choose=self.choose_others,
            name="others",
        )
        return [[chosen]]

    def point_rows(self) -> list[Row]:
        """The point list."""
        tip = _("The points to click. On a cine they follow its frames.")
        return [[Setting(_("Point list"), self, "points", tip, self._point_lists)]]

    @reported
    def choose_image(self, node) -> None:
        """A browser (a cine), a volume, or None. Its point list comes with it, if it has one."""
        try:
            self._take_image(node)
        finally:
            self._keep()

    @reported
    def choose_points(self, point_list) -> None:
        """The point list to click into. None for none; for a cine the list begins to follow its frames."""
        try:
            self._take_points(point_list)
        finally:
            self._keep()

    def follow(self) -> None:
        """Take up what is chosen in the parameter node.

        Raises:
            InputError: it cannot be used; what was used before is chosen again.
        """
        before = self.subject.point_list if self.subject is not None else None
        try:
            self._take_image(self.image)
            # The list of the image before is not one of this image.
            if self.points is not before:
                self._take_points(self.points)
        finally:
            self._keep()

    def _take_image(self, node) -> None:
        if node is None:
            if self.subject is not None:
                self._use(None)
        elif self.subject is None or image_node(node) is not self.subject.node:
            self._use(self._best(node))

    def _take_points(self, point_list) -> None:
        if self.subject is None or point_list is self.subject.point_list:
            return
        if point_list is None:
            self._use(Subject(self.subject.node))
            return
        owner = browser_of(point_list)
        if owner is not None and owner is not self.subject.node:
            raise InputError(
                _("'{name}' belongs to the cine '{cine}'; choose another point list").format(
                    name=point_list.GetName(), cine=owner.GetName()
                )
            )
        adopted = is_cine(self.subject.node) and owner is None
        before, subject = self.subject, self._with(self.subject.node, point_list)
        self._use(subject)
        if adopted:
            change = self.context.history.begin(
                _("use the point list '{name}'").format(name=subject.point_list.GetName())
            )
            change.steps.append(lambda: self._release(subject, before))

    @reported
    def choose_others(self, nodes: Sequence) -> None:
        """Volumes of other subjects; the chosen image itself is not one of them."""
        mine = self.subject.node if self.subject is not None else None
        wanted = [node for node in nodes if node is not None and image_node(node) is not mine]
        there = {subject.node.GetID(): subject for subject in self.others}
        self.others = [there.get(node.GetID()) or self._best(node) for node in wanted]

    @property
    def ticked(self) -> tuple:
        """The chosen volumes of other subjects, as nodes."""
        return tuple(other.node for other in self.others)

    def first_cine(self):
        """The first browser of the scene that plays volumes, or None."""
        browsers = nodes_of(self.context.scene, BROWSER)
        return next((b for b in browsers if any(map(plays_volumes, sequences_of(b)))), None)

    def images(self) -> list:
        """Every cine and volume of the scene that can be chosen, in the scene's order."""
        return [*nodes_of(self.context.scene, BROWSER), *volumes_in(self.context.scene)]

    def volumes(self) -> list:
        """Every volume of the scene that can be chosen as another subject, in the scene's order."""
        mine = self.subject.node if self.subject is not None else None
        return [node for node in volumes_in(self.context.scene) if node is not mine]

    def with_points(self, subject: Subject, change: Change) -> Subject:
        """The same image with a point list, made now if it has none; part of a change."""
        if subject.point_list is not None:
            return subject
        name = _("{image} landmarks").format(image=subject.name)
        point_list = new_point_list(self.context.scene, name)
        point_list.SetControlPointLabelFormat("L%d")
        made = self._with(subject.node, point_list)
        change.steps.append(lambda: self._remove(made))
        if subject is self.subject:
            self._use(made)
            self._keep()
        self.others = [made if other is subject else other for other in self.others]
        self._show_lists()
        return made

    def all(self) -> list[Subject]:
        """Every subject with a point list that was chosen in this scene."""
        return list(self._known.values())

    def forget(self, node) -> bool:
        """A node has left the scene. Whether it was one of ours."""
        ours = self.subject is not None and self.subject.node is node
        ours |= any(other.node is node for other in self.others)
        for key, subject in list(self._known.items()):
            if node in (subject.node, *(subject.nodes.nodes if subject.nodes else ())):
                ours = True
                del self._known[key]
                self.context.watch.forget_points(subject)
                self.others = [other for other in self.others if other is not subject]
                if subject is self.subject:
                    self._use(None if node is subject.node else Subject(subject.node))
        self.others = [other for other in self.others if other.node is not node]
        if self.subject is not None and self.subject.node is node:
            self._use(None)
        if ours:
            self._keep()
        return ours

    def clear(self) -> None:
        """The scene is being closed."""
        for subject in self.all():
            self.context.watch.forget_points(subject)
        self._known = {}
        self.others = []
        self._use(None)

    def _keep(self) -> None:
        """Let the parameter node say what is used."""
        subject = self.subject
        with slicer.util.NodeModify(self.context.parameters.node):
            self.image = subject.node if subject is not None else None
            self.points = subject.point_list if subject is not None else None

    def _images(self) -> list[Choice]:
        return named(self.images())

    def _volumes(self) -> list[Choice]:
        return named(self.volumes())

    def _point_lists(self) -> list[Choice]:
        none = Choice(None, _("New when the first landmark is placed"))
        return [none, *named(nodes_of(self.context.scene, POINT_LIST))]

    def _use(self, subject: Subject | None) -> None:
        self.context.runner.cancel()
        self.subject = subject
        self.context.watch.frames(subject.node if subject is not None and is_cine(subject.node) else None)
        if subject is not None:
            self.others = [other for other in self.others if other.node is not subject.node]
        self._show_lists()

    def _show_lists(self) -> None:
        """Points of another subject would lie anywhere on the chosen one."""
        if self.subject is None:
            return
        for known in self.all():
            display = known.point_list.GetDisplayNode()
            if display is not None:
                display.SetVisibility(known.node is self.subject.node)

    def _best(self, node) -> Subject:
        """The image with the point list that it was last given."""
        node = image_node(node)
        known = [subject for subject in self._known.values() if subject.node is node]
        if known:
            return known[-1]
        lists = point_lists_of(node) if is_cine(node) else self._lists_on(node)
        return self._with(node, lists[0]) if lists else Subject(node)

    def _with(self, node, point_list) -> Subject:
        known = self._known.get(point_list.GetID())
        if known is not None and known.node is node:
            return known
        subject = Subject(node, point_list)
        if known is not None:
            self.context.watch.forget_points(known)
        point_list.SetNodeReferenceID(ON_IMAGE, node.GetID())
        self._known[point_list.GetID()] = subject
        self.context.watch.points(subject)
        return subject

    def _lists_on(self, volume) -> list:
        nodes = nodes_of(self.context.scene, POINT_LIST)
        return [node for node in nodes if node.GetNodeReferenceID(ON_IMAGE) == volume.GetID()]

    def _release(self, subject: Subject, before: Subject) -> None:
        """Undo of a list's adoption by a cine: the list stays, with the points of the frame in view."""
        sequence = subject.nodes.sequence if isinstance(subject.nodes, LandmarkSequence) else None
        if self.subject is subject:
            self._use(before)
            self._keep()
        self._known.pop(subject.point_list.GetID(), None)
        self.context.watch.forget_points(subject)
        if sequence is not None:
            subject.node.RemoveSynchronizedSequenceNode(sequence.GetID())
            self.context.scene.RemoveNode(sequence)

    def _remove(self, subject: Subject) -> None:
        """Undo of a new list."""
        point_list = subject.point_list
        bare = Subject(subject.node)
        self.others = [bare if other is subject else other for other in self.others]
        self._release(subject, bare)
        remove_point_list(point_list)


def volumes_in(scene) -> list:
    """Every volume of a scene that is an image by itself, in the scene's order."""
    return [
        node
        for node in nodes_of(scene, VOLUME)
        if not (node.GetHideFromEditors() or node.IsA("vtkMRMLLabelMapVolumeNode"))
        and browser_of(node) is None
        and not is_overlay(node)
    ]


def named(nodes: Sequence) -> list[Choice]:
    """Nodes to choose from."""
    return [Choice(node, node.GetName()) for node in nodes]
