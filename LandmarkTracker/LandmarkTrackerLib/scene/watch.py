"""What the user does in the views and to the scene, told to the workbench."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from LandmarkTrackerLib.scene.nodes.subject import Subject

MARKUPS = slicer.vtkMRMLMarkupsNode
EDITS = (
    MARKUPS.PointPositionDefinedEvent,
    MARKUPS.PointPositionUndefinedEvent,
    MARKUPS.PointPositionMissingEvent,
    MARKUPS.PointModifiedEvent,
    MARKUPS.PointRemovedEvent,
)


@dataclass(frozen=True)
class Handlers:
    """What is called, and with what.

    Attributes:
        edited: a point list that is watched was edited.
        scrubbed: another frame is in view.
        placed: Slicer's placement began or ended.
        removed: a node has left the scene.
        closed: the scene is being closed.
        ready: nodes were read, or the scene is closed.
    """

    edited: Callable[[Any], None]
    scrubbed: Callable[[], None]
    placed: Callable[[], None]
    removed: Callable[[Any], None]
    closed: Callable[[], None]
    ready: Callable[[], None]


class Watch(slicer.util.VTKObservationMixin):
    """All observers of the workbench: `removeObservers` ends them."""

    def __init__(self, scene, handlers: Handlers) -> None:
        super().__init__()
        self.handlers = handlers
        self._dragging = False
        self._browser = None
        self.addObserver(scene, scene.StartCloseEvent, self._on_scene_close)
        self.addObserver(scene, scene.NodeRemovedEvent, self._on_node_removed)
        self.addObserver(scene, scene.EndBatchProcessEvent, self._on_ready)

    def points(self, subject: Subject) -> None:
        """Watch a subject's points."""
        for event, method in self._point_events():
            self.addObserver(subject.point_list, event, method)

    def forget_points(self, subject: Subject) -> None:
        """Watch them no longer."""
        for event, method in self._point_events():
            self.removeObserver(subject.point_list, event, method)

    def frames(self, browser) -> None:
        """Watch which frame is in view; None for no cine."""
        if self._browser is not None:
            self.removeObserver(self._browser, vtk.vtkCommand.ModifiedEvent, self._on_frame)
        self._browser = browser
        if browser is not None:
            self.addObserver(browser, vtk.vtkCommand.ModifiedEvent, self._on_frame)

    def placing(self, interaction) -> None:
        """Watch for the end of placement: Slicer ends it by itself, or the user with Slicer's own button."""
        event = interaction.InteractionModeChangedEvent
        if not self.hasObserver(interaction, event, self._on_mode):
            self.addObserver(interaction, event, self._on_mode)

    def _point_events(self):
        yield from ((event, self._on_points) for event in EDITS)
        yield MARKUPS.PointStartInteractionEvent, self._on_drag
        yield MARKUPS.PointEndInteractionEvent, self._on_drop

    def _on_points(self, point_list, _event) -> None:
        # A drag that has not ended yet is not an edit.
        if not self._dragging:
            self.handlers.edited(point_list)

    def _on_drag(self, _point_list, _event) -> None:
        self._dragging = True

    def _on_drop(self, point_list, _event) -> None:
        self._dragging = False
        self.handlers.edited(point_list)

    def _on_frame(self, _browser, _event) -> None:
        self.handlers.scrubbed()

    def _on_mode(self, _interaction, _event) -> None:
        self.handlers.placed()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _scene, _event, node) -> None:
        self.handlers.removed(node)

    def _on_scene_close(self, _scene, _event) -> None:
        self._dragging = False
        self.handlers.closed()

    def _on_ready(self, _scene, _event) -> None:
        self.handlers.ready()
