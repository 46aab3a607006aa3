"""What the user chose, what is running, what can be done next: everything that a front end shows and does.

The panel in Slicer and the page in a browser are views on this object. A view calls the actions of the
sections, asks `obstacle` why one cannot be done, calls `advance` while `busy` and `learning.poll` every
second while `learning.running`, and draws itself anew when `changed` is modified.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import vtk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.history import History
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.edits import placed_by, taken_back, what_changed
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.sections.chart import Chart
from LandmarkTrackerLib.scene.sections.comparison import Comparison
from LandmarkTrackerLib.scene.sections.detection import Detection
from LandmarkTrackerLib.scene.sections.exports import Exports
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.learning import Learning
from LandmarkTrackerLib.scene.sections.matching import Matching
from LandmarkTrackerLib.scene.sections.models import Models
from LandmarkTrackerLib.scene.sections.placement import Placement
from LandmarkTrackerLib.scene.sections.propagation import Propagation
from LandmarkTrackerLib.scene.sections.reliability_map import Trust
from LandmarkTrackerLib.scene.sections.review import Review
from LandmarkTrackerLib.scene.watch import Watch
from LandmarkTrackerLib.scene.work import Task

_BENCHES: WeakKeyDictionary[Any, Workbench] = WeakKeyDictionary()


def workbench_of(scene) -> Workbench:
    """The workbench of a scene. There is one: two would each take the other's work for the user's."""
    if scene not in _BENCHES:
        _BENCHES[scene] = Workbench(scene)
    return _BENCHES[scene]


class Workbench:
    """One user's work in one scene. See `workbench_of`.

    Attributes:
        changed: a vtkObject; its ModifiedEvent says that there is something new to show.
        problem: what the last action could not do, in a sentence; empty if it could.
        report: what the last action did, where that is not seen in the views.
        inputs, models, placement, propagation, review, exports, chart, detection, learning, trust, matching,
            comparison: the sections.
    """

    def __init__(self, scene) -> None:
        self.scene = scene
        self.changed = vtk.vtkObject()
        self.problem = ""
        self.report = ""
        self.history = History()
        self.inputs = Inputs(self)
        self.models = Models(self)
        self.placement = Placement(self)
        self.propagation = Propagation(self)
        self.review = Review(self)
        self.detection = Detection(self)
        self.learning = Learning(self)
        self.trust = Trust(self)
        self.matching = Matching(self)
        self.comparison = Comparison(self)
        self.exports = Exports(self)
        self.chart = Chart(self)
        self.watch = Watch(self)
        self._task: Task | None = None

    def close(self) -> None:
        """Stop observing the scene, and what is under way."""
        _BENCHES.pop(self.scene, None)
        self.cancel()
        self.learning.close()
        self.watch.removeObservers()

    def notify(self) -> None:
        """Tell the views."""
        self.chart.refresh()
        self.trust.refresh()
        self.changed.Modified()

    # Long work

    @property
    def busy(self) -> bool:
        """Whether there is work to advance."""
        return self._task is not None

    @property
    def obstacle_busy(self) -> str:
        """Why no other work can begin; empty if it can."""
        return _("Wait until this has finished, or cancel it.") if self.busy else ""

    @property
    def obstacle_cancel(self) -> str:
        """Why nothing can be cancelled; empty if something can."""
        return "" if self.busy else _("Nothing is running.")

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and steps in all; (0, 0) if nothing runs."""
        return (self._task.done, self._task.total) if self._task is not None else (0, 0)

    def start(self, task: Task) -> None:
        """Begin long work; what ran before is cancelled."""
        self.cancel()
        self._task = task

    def expect(self, total: int) -> None:
        """The work that is under way turns out to take this many steps."""
        if self._task is not None:
            self._task.total = total

    def advance(self) -> bool:
        """Do one step of the work, for as long as one frame takes; False when there is none left."""
        if self._task is None:
            return False
        try:
            if not self._task.advance():
                self._task = None
                self.propagation.follow_on()
        except InputError as error:
            self.problem, self._task = str(error), None
        except BaseException:
            self._task = None
            raise
        finally:
            self.notify()
        return self.busy

    def cancel(self) -> None:
        """Stop the work; what is done stays, and can be taken back."""
        self.propagation.forget_waiting()
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self.notify()

    @property
    def status(self) -> str:
        """What went wrong, what is going on, what was done, or what to do next: one sentence."""
        if self.problem or self._task is None:
            return self.problem or self.report or self._next_step()
        return self._task.text

    def _next_step(self) -> str:
        subject = self.inputs.subject
        if subject is None:
            return self.matching.next_step or _("Choose a cine or a volume.")
        if self.models.obstacle:
            return self.models.obstacle
        if self.placement.active:
            name = self.placement.next_name
            return (
                _("Click '{name}' in a slice view.").format(name=name)
                if name
                else _("Click a landmark in a slice view.")
            )
        if not subject.record.placed():
            return _("Press Place landmarks and click them in a slice view, or load a protocol.")
        uncertain = self.review.uncertain_frames()
        if uncertain:
            return _("Uncertain frames: {count}. Look at them, and drag what is wrong.").format(
                count=len(uncertain)
            )
        if self.review.obstacle and not self.propagation.obstacle:
            return _("Press Propagate.")
        if not self.review.obstacle:
            return _("No frame is uncertain. Scrub through them, drag what is wrong, and export.")
        return _("Tick volumes of other subjects, and find the landmarks there.")

    # Changes

    @property
    def obstacle_undo(self) -> str:
        """Why nothing can be taken back; empty if something can."""
        return "" if self.history.label else _("Nothing to undo.")

    def undo(self) -> None:
        """Take back the last change."""
        self.cancel()
        self.problem = self.report = ""
        if self.history.label:
            self.history.undo()
        self.notify()

    def change(self, subject: Subject, record: Record, label: str) -> None:
        """Show another record, and be able to take it back."""
        before = subject.record
        self.history.begin(label).steps.append(lambda: subject.show(before))
        subject.show(record)

    def take_over(self, point_list) -> None:
        """Something happened to one of our point lists: a click, a drag, a name; or nothing of the user's."""
        subjects = (*self.inputs.all(), *self.matching.matched)
        subject = next((s for s in subjects if s.point_list is point_list), None)
        if subject is None:
            return
        before, frame = subject.record, subject.frame
        try:
            after = subject.seen()
        except InputError as error:
            self.problem = str(error)
            subject.refresh(frame)
            self.notify()
            return
        if after is before:
            return
        self.problem = self.report = ""
        names = placed_by(before, after, frame)
        change = self.history.begin(what_changed(before, after, names))
        change.steps.append(lambda: subject.show(taken_back(subject.record, before, after, frame)))
        subject.show(after)
        if subject is self.inputs.subject:
            self.propagation.follow(names)
        if subject in self.matching.matched:
            self.matching.follow(subject, change)
        self.notify()

    def forget(self) -> None:
        """The scene is being closed."""
        self.cancel()
        self.history.clear()
        self.inputs.clear()
        self.matching.clear()
        self.learning.forget()
        self.chart.forget()
        self.notify()
