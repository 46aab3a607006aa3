"""Where the landmarks of one image live in the scene, so that scrubbing shows them and a drag is kept.

For a cine: a sequence of point lists in the cine's own browser, with changes saved into it. The point list
that the user sees and clicks into is the one that the browser plays it into. For a volume: the point list.
"""

from __future__ import annotations

from collections.abc import Sequence

from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.nodes.points import read_points, write_points
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.sequences import sequences_of, volume_sequence

POINT_LIST = "vtkMRMLMarkupsFiducialNode"


class LandmarkNodes:
    """A point list of one volume: it has the one frame 0."""

    def __init__(self, point_list) -> None:
        self.point_list = point_list

    @property
    def nodes(self) -> list:
        """What was made for the landmarks, last made first."""
        return [self.point_list]

    def frame(self) -> int:
        """The frame that the point list shows."""
        return 0

    def labels(self, frame: int) -> tuple[str, ...]:
        """The labels of one frame's points."""
        return read_points(self.point_list)[0]

    def read(self) -> Record:
        """Everything that the nodes hold.

        Raises:
            InputError: two points of a list have one name, or a point has none.
        """
        names, known = read_points(self.point_list)
        return Record(names, {0: known})

    def write(self, frame: int, names: Sequence[str], known: LandmarkSet) -> None:
        """Show these landmarks in this frame."""
        write_points(self.point_list, names, known)

    def fix_number(self, fixed: bool) -> None:
        """Whether Slicer's placement stops at the last of these landmarks, or goes on with new ones."""
        self.point_list.SetFixedNumberOfControlPoints(fixed)


class LandmarkSequence(LandmarkNodes):
    """A point list that a browser plays, and the sequence behind it: one data node for every frame."""

    def __init__(self, point_list, browser) -> None:
        super().__init__(point_list)
        self.browser = browser
        self.sequence = _sequence_behind(browser, point_list) or self._made()
        self._fill_gaps()

    @property
    def nodes(self) -> list:
        return [self.sequence, self.point_list]

    def frame(self) -> int:
        return max(0, self.browser.GetSelectedItemNumber())

    def labels(self, frame: int) -> tuple[str, ...]:
        return read_points(self.sequence.GetNthDataNode(frame))[0]

    def read(self) -> Record:
        frames = {t: read_points(self.sequence.GetNthDataNode(t)) for t in range(len(self._indices()))}
        names: dict[str, None] = {}
        for labels, _known in frames.values():
            names.update(dict.fromkeys(labels))
        return Record(tuple(names), {t: known for t, (_labels, known) in frames.items() if len(known)})

    def write(self, frame: int, names: Sequence[str], known: LandmarkSet) -> None:
        write_points(self.sequence.GetNthDataNode(frame), names, known)
        # The sequence does not see that one of its data nodes has changed, and would not be saved.
        self.sequence.StorableModified()
        if frame == self.frame():
            write_points(self.point_list, names, known)

    def fix_number(self, fixed: bool) -> None:
        for t in range(self.sequence.GetNumberOfDataNodes()):
            self.sequence.GetNthDataNode(t).SetFixedNumberOfControlPoints(fixed)
        super().fix_number(fixed)

    def _indices(self) -> list[str]:
        master = volume_sequence(self.browser)
        return [master.GetNthIndexValue(t) for t in range(master.GetNumberOfDataNodes())]

    def _made(self):
        """A new sequence, which takes the point list for its own."""
        browser, scene = self.browser, self.browser.GetScene()
        sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", self.point_list.GetName())
        master = volume_sequence(browser)
        sequence.SetIndexName(master.GetIndexName())
        sequence.SetIndexUnit(master.GetIndexUnit())
        sequence.SetIndexType(master.GetIndexType())
        # What the list holds already belongs to the frame that is shown.
        sequence.SetDataNodeAtValue(self.point_list, self._indices()[self.frame()])
        self.sequence = sequence
        self._fill_gaps()
        browser.AddProxyNode(self.point_list, sequence, False)
        browser.SetOverwriteProxyName(sequence, False)
        browser.SetSaveChanges(sequence, True)
        # A frame without points shows none, instead of those of the frame before.
        browser.SetMissingItemMode(sequence, browser.MissingItemSetToDefault)
        return sequence

    def _fill_gaps(self) -> None:
        """A data node for every frame, so that no frame shows the points of another."""
        there = {self.sequence.GetNthIndexValue(t) for t in range(self.sequence.GetNumberOfDataNodes())}
        missing = [index for index in self._indices() if index not in there]
        if missing:
            empty = self.point_list.CreateNodeInstance()
            empty.UnRegister(None)
            empty.SetName(self.point_list.GetName())
            empty.SetControlPointLabelFormat(self.point_list.GetControlPointLabelFormat())
            for index in missing:
                self.sequence.SetDataNodeAtValue(empty, index)


def landmark_nodes(image, point_list) -> LandmarkNodes:
    """Connect a point list to the image that its landmarks lie on: a browser (a cine) or a volume."""
    if image.IsA("vtkMRMLSequenceBrowserNode"):
        return LandmarkSequence(point_list, image)
    return LandmarkNodes(point_list)


def new_point_list(scene, name: str):
    """A point list with a name of its own, shown in the views."""
    node = scene.AddNewNodeByClass(POINT_LIST, scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    return node


def remove_point_list(point_list) -> None:
    """Remove a point list and how it is displayed from its scene."""
    scene, display = point_list.GetScene(), point_list.GetDisplayNode()
    scene.RemoveNode(point_list)
    if display is not None:
        scene.RemoveNode(display)


def point_lists_of(browser) -> list:
    """The point lists that a browser plays already."""
    proxies = (browser.GetProxyNode(sequence) for sequence in sequences_of(browser))
    return [proxy for proxy in proxies if proxy is not None and proxy.IsA(POINT_LIST)]


def _sequence_behind(browser, point_list):
    for sequence in sequences_of(browser):
        if browser.GetProxyNode(sequence) is point_list:
            return sequence
    return None
