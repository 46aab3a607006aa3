"""One image of the scene, what is known of its landmarks, and the point list that shows it."""

from __future__ import annotations

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.scene.cine_nodes import browser_of, cine_of
from LandmarkTrackerLib.scene.edits import edited
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.landmark_nodes import LandmarkNodes, landmark_nodes
from LandmarkTrackerLib.scene.points import read_points
from LandmarkTrackerLib.scene.record import Record
from LandmarkTrackerLib.scene.volumes import image_of


class Subject:
    """A cine or a volume. Without a point list until somebody chooses or needs one.

    Attributes:
        node: the browser of a cine, or the volume.
        cine: its images; a volume is a cine of one frame.
        record: what is known; the nodes show it.
    """

    def __init__(self, node) -> None:
        browser = node if node.IsA("vtkMRMLSequenceBrowserNode") else browser_of(node)
        self.node = node if browser is None else browser
        self.cine = _one_frame(node) if browser is None else cine_of(browser)
        self.nodes: LandmarkNodes | None = None
        self.record = Record()

    @property
    def name(self) -> str:
        return self.node.GetName()

    @property
    def point_list(self):
        """The point list, or None."""
        return self.nodes.point_list if self.nodes is not None else None

    @property
    def frame(self) -> int:
        """The frame in view."""
        if not self.node.IsA("vtkMRMLSequenceBrowserNode"):
            return 0
        return max(0, self.node.GetSelectedItemNumber())

    def go_to(self, frame: int) -> None:
        """Bring a frame into view."""
        if self.node.IsA("vtkMRMLSequenceBrowserNode"):
            self.node.SetSelectedItemNumber(frame)

    def attach(self, point_list) -> None:
        """Show the landmarks in this point list, and take over what it holds.

        Raises:
            InputError: two of its points have one name, a point has none, or it is under a transform.
        """
        if point_list.GetParentTransformNode() is not None:
            raise InputError(
                _("'{name}' is under a transform; harden it, so that its points stay on the image").format(
                    name=point_list.GetName()
                )
            )
        read_points(point_list)
        self.nodes = landmark_nodes(self.node, point_list)
        record = self.nodes.read()
        self.record = Record()
        if all(self.nodes.labels(frame) == record.names for frame in range(len(self.cine))):
            self.record = record
        else:
            self.show(record)

    def show(self, record: Record) -> None:
        """Make this the record, and the nodes show it."""
        assert self.nodes is not None
        before, self.record = self.record, record
        for frame in range(len(self.cine)):
            same = before.frames.get(frame) is record.frames.get(frame)
            if not same or before.names != record.names:
                self.nodes.write(frame, record.names, record.known(frame))

    def seen(self) -> Record:
        """The record with what the user has done to the point list since; itself if that is nothing.

        Raises:
            InputError: two of its points have one name, or a point has none.
        """
        if self.nodes is None:
            return self.record
        return edited(self.record, self.frame, *read_points(self.nodes.point_list))

    def refresh(self) -> None:
        """Show the frame in view as the record has it."""
        if self.nodes is not None:
            self.nodes.write(self.frame, self.record.names, self.record.known(self.frame))


def _one_frame(volume) -> Cine:
    grid = Grid.of(image_of(volume))
    return Cine([0.0], lambda _: image_of(volume), grid, volume.GetName())
