"""One image of the scene, what is known of its landmarks, and the point list that shows it."""

from __future__ import annotations

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.calibration import is_calibrated
from LandmarkTrackerLib.scene.nodes.edits import edited
from LandmarkTrackerLib.scene.nodes.point_lists import LandmarkNodes, landmark_nodes
from LandmarkTrackerLib.scene.nodes.points import name_new_points, read_points
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.sequences import browser_of, cine_of, volume_sequence
from LandmarkTrackerLib.scene.nodes.volumes import grid_of, image_of, modality_of


class Subject:
    """A cine or a volume, and its landmarks.

    Attributes:
        node: the browser of a cine, or the volume.
        cine: its images; a volume is a cine of one frame.
        nodes: where its landmarks live; None until it has a point list.
        record: what is known; the nodes show it.

    Raises:
        InputError: the image cannot be used; two points have one name, a point has none, or they are under
            a transform.
    """

    def __init__(self, node, point_list=None) -> None:
        self.node, self.cine = image_node(node), cine_at(node)
        self.nodes: LandmarkNodes | None = None
        self.record = Record()
        if point_list is not None:
            self._attach(point_list)

    @property
    def name(self) -> str:
        return str(self.node.GetName())

    @property
    def volume(self):
        """The volume that views show: for a cine the one that its browser plays into."""
        if is_cine(self.node):
            return self.node.GetProxyNode(volume_sequence(self.node))
        return self.node

    @property
    def modality(self) -> str:
        """ "MR", "CT" and so on; empty if nobody knows."""
        nodes = [self.node, self.volume]
        if is_cine(self.node):
            nodes.append(volume_sequence(self.node))
        return next((m for m in map(modality_of, filter(None, nodes)) if m), "")

    @property
    def point_list(self):
        """The point list, or None."""
        return self.nodes.point_list if self.nodes is not None else None

    @property
    def frame(self) -> int:
        """The frame in view."""
        return max(0, self.node.GetSelectedItemNumber()) if is_cine(self.node) else 0

    def go_to(self, frame: int) -> None:
        """Bring a frame into view."""
        if is_cine(self.node):
            self.node.SetSelectedItemNumber(frame)

    def show(self, record: Record) -> None:
        """Make this the record; the nodes show it."""
        before, self.record = self.record, record
        for frame in range(len(self.cine)):
            same = before.frames.get(frame) is record.frames.get(frame)
            if not same or before.names != record.names:
                self.refresh(frame)

    def refresh(self, frame: int) -> None:
        """Show a frame as the record has it."""
        if self.nodes is not None:
            self.nodes.write(frame, self.record.names, self.record.known(frame))

    def with_edits(self) -> Record:
        """The record with what the user has done to the point list since; itself if that is nothing.

        Raises:
            InputError: two of its points have one name, or a point has none.
        """
        if self.nodes is None:
            return self.record
        name_new_points(self.nodes.point_list, self.record.names)
        return edited(self.record, self.frame, *read_points(self.nodes.point_list))

    def _attach(self, point_list) -> None:
        if point_list.GetParentTransformNode() is not None:
            raise InputError(
                _("'{name}' is under a transform; harden it, so that its points stay on the image").format(
                    name=point_list.GetName()
                )
            )
        read_points(point_list)
        self.nodes = landmark_nodes(self.node, point_list)
        record = self.nodes.read()
        if all(self.nodes.labels(frame) == record.names for frame in range(len(self.cine))):
            self.record = record
        else:
            self.show(record)


def is_cine(node) -> bool:
    """Whether this node plays a cine."""
    return bool(node.IsA("vtkMRMLSequenceBrowserNode"))


def image_node(node):
    """The node that stands for the image: the browser that plays into a volume, or the volume itself."""
    return node if is_cine(node) else browser_of(node) or node


def cine_at(node) -> Cine:
    """The images of a browser or a volume.

    Raises:
        InputError: they cannot be used.
    """
    node = image_node(node)
    if is_cine(node):
        return cine_of(node)
    return Cine(
        [0.0],
        lambda _frame: image_of(node),
        grid_of(node),
        node.GetName(),
        calibrated=is_calibrated(node),
    )
