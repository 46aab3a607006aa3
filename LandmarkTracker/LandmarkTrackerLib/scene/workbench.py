"""What the user chose, what is running, what can be done next: everything that a front end shows and does.

The panel in Slicer and the page in a browser are views on this object. A view draws the `sections`, calls
`advance` while `busy` and `learning.poll` every second while `learning.running`, and draws itself anew when
`changed` is modified.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import vtk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Action
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.history import History, what_changed
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.edits import placed_by, taken_back
from LandmarkTrackerLib.scene.notices import Notices
from LandmarkTrackerLib.scene.parameters import Parameters, parameters_of
from LandmarkTrackerLib.scene.parts import Part, Section
from LandmarkTrackerLib.scene.sections.calibration import Calibration
from LandmarkTrackerLib.scene.sections.chart import Chart
from LandmarkTrackerLib.scene.sections.comparison import Comparison
from LandmarkTrackerLib.scene.sections.detection import Detection
from LandmarkTrackerLib.scene.sections.exports import Exports
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.learning import Learning
from LandmarkTrackerLib.scene.sections.matching import ScanMatching
from LandmarkTrackerLib.scene.sections.models import Models
from LandmarkTrackerLib.scene.sections.placement import Placement
from LandmarkTrackerLib.scene.sections.propagation import Propagation
from LandmarkTrackerLib.scene.sections.reliability_map import ReliabilityMap
from LandmarkTrackerLib.scene.sections.review import Review
from LandmarkTrackerLib.scene.watch import Handlers, Watch
from LandmarkTrackerLib.scene.work import Runner

# Everything that is kept in the parameter node.
PARAMETERS = tuple(
    parameters_of(
        Inputs,
        Calibration,
        Models,
        Propagation,
        Review,
        Chart,
        Detection,
        Learning,
        ReliabilityMap,
        ScanMatching,
        Exports,
    )
)
_BENCHES: WeakKeyDictionary[Any, Workbench] = WeakKeyDictionary()


def workbench_of(scene) -> Workbench:
    """The workbench of a scene. There is one: two would each take the other's work for the user's."""
    if scene not in _BENCHES:
        _BENCHES[scene] = Workbench(scene)
    return _BENCHES[scene]


class Workbench:
    """One user's work in one scene. See `workbench_of`.

    Attributes:
        context: what the sections work with.
        sections: what the front ends draw, from top to bottom.
        inputs, calibration, models, placement, propagation, review, exports, chart, detection, learning,
            reliability_map, matching, comparison: what the sections consist of.
    """

    def __init__(self, scene) -> None:
        self.notices = notices = Notices()
        self.runner = Runner(notices)
        handlers = Handlers(
            self.take_over,
            self._on_frame,
            self._on_placement,
            self._on_removed,
            self.forget,
            self._follow_parameters,
        )
        watch = Watch(scene, handlers)
        self.context = context = Context(scene, Parameters(scene), History(), self.runner, notices, watch)
        self.inputs = Inputs(context)
        self.calibration = Calibration(context, self.inputs)
        self.models = Models(context, self.inputs)
        self.placement = Placement(context, self.inputs)
        self.propagation = Propagation(context, self.inputs, self.models)
        self.review = Review(context, self.inputs)
        self.chart = Chart(context, self.inputs, self.review)
        self.detection = Detection(context, self.inputs, self.models)
        self.learning = Learning(context, self.detection, self.models)
        self.reliability_map = ReliabilityMap(context, self.inputs, self.models)
        self.matching = ScanMatching(context, self.models)
        self.comparison = Comparison(context, self.matching)
        self.exports = Exports(context, self.inputs, self.matching)
        refreshed = (self.chart, self.reliability_map, self.comparison, self.learning)
        notices.before += [section.refresh for section in refreshed]
        self.sections = self._sections()
        self._chosen: dict[str, str | None] = {}
        self._follow_parameters()

    def _sections(self) -> list[Section]:
        inputs, models = self.inputs, self.models
        images = [*inputs.image_rows(), *self.calibration.rows()]
        limits = [*models.device_rows(), *self.propagation.limit_rows()]
        return [
            Section("inputs", _("Inputs"), [*images, *models.rows(), *inputs.other_rows()]),
            Section("landmarks", _("Landmarks"), [*inputs.point_rows(), *self.placement.rows()]),
            Section("propagate", _("Propagate"), self.propagation.rows()),
            Section("review", _("Review"), [*self.review.rows(), *self.chart.rows()]),
            Section("sets", _("Landmark sets"), [*self.detection.rows(), *self.learning.rows()], True),
            Section("map", _("Reliability map"), self.reliability_map.rows(), True),
            Section("match", _("Match two scans"), self.comparison.rows(), True),
            Section("export", _("Export"), self.exports.rows(), True),
            Section("advanced", _("Advanced"), limits, True),
        ]

    @cached_property
    def cancel_action(self) -> Action:
        """Beside the progress."""
        return Action(
            "cancel", _("Cancel"), _("Stop; what is done stays."), self.cancel, lambda: self.obstacle_cancel
        )

    @cached_property
    def undo_action(self) -> Action:
        """Below the sections."""

        def label() -> str:
            change = self.history.label
            return _("Undo: {change}").format(change=change) if change else _("Undo")

        tip = _("Undo the last change.")
        return Action("undo", label, tip, self.undo, lambda: self.obstacle_undo, key="Z")

    @property
    def parts(self) -> Iterator[Part]:
        """Everything that the sections consist of."""
        for section in self.sections:
            yield from section.parts

    @property
    def actions(self) -> list[Action]:
        """Everything that a user can do."""
        mine = [part for part in self.parts if isinstance(part, Action)]
        return [*mine, self.cancel_action, self.undo_action]

    def do(self, action: Action, *arguments: Any) -> None:
        """Do it; say what is in the way if it cannot be done."""
        obstacle = action.obstacle()
        if obstacle:
            self.notices.problem = obstacle
            self.notify()
        else:
            action.run(*arguments)

    def close(self) -> None:
        """Stop observing the scene, and what is under way."""
        _BENCHES.pop(self.scene, None)
        self.cancel()
        self.learning.close()
        self.context.watch.removeObservers()

    @property
    def scene(self):
        """vtkMRMLScene."""
        return self.context.scene

    # What the front ends hear

    @property
    def changed(self):
        """A vtkObject; its ModifiedEvent says that there is something new to show."""
        return self.notices.changed

    def notify(self) -> None:
        """Tell the front ends."""
        self.notices.notify()

    @property
    def problem(self) -> str:
        """What the last action could not do, in a sentence; empty if it could."""
        return self.notices.problem

    @problem.setter
    def problem(self, problem: str) -> None:
        self.notices.problem = problem

    @property
    def report(self) -> str:
        """What the last action did, where that is not seen in the views."""
        return self.notices.report

    @report.setter
    def report(self, report: str) -> None:
        self.notices.report = report

    @property
    def status(self) -> str:
        """What went wrong, what is going on, what was done, or what to do next: one sentence."""
        if self.problem or self.runner.work is None:
            return self.problem or self.report or self._next_step()
        return self.runner.work.text

    # Long work

    @property
    def busy(self) -> bool:
        """Whether there is work to advance."""
        return self.runner.busy

    @property
    def obstacle_cancel(self) -> str:
        """Why nothing can be cancelled; empty if something can."""
        return self.runner.obstacle_cancel

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and steps in all; (0, 0) if nothing runs."""
        return self.runner.progress

    def advance(self) -> bool:
        """Do one step of the work, for as long as one frame takes; False when there is none left."""
        return self.runner.advance()

    def cancel(self) -> None:
        """Stop the work; what is done stays, and can be undone."""
        self.runner.cancel()

    def _next_step(self) -> str:
        subject = self.inputs.subject
        if subject is None:
            return self.comparison.next_step or _("Choose a cine or a volume.")
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
    def history(self) -> History:
        """What can be undone."""
        return self.context.history

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

    def take_over(self, point_list) -> None:
        """Something happened to one of our point lists: a click, a drag, a name; or nothing of the user's."""
        subjects = (*self.inputs.all(), *self.matching.matched)
        subject = next((s for s in subjects if s.point_list is point_list), None)
        if subject is None:
            return
        before, frame = subject.record, subject.frame
        try:
            after = subject.with_edits()
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
            self.matching.repeat(subject, change)
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

    # What happens in the scene

    def _follow_parameters(self) -> None:
        """Hear of it when something is chosen in the parameter node that there is now."""
        node, watch = self.context.parameters.node, self.context.watch
        if not watch.hasObserver(node, vtk.vtkCommand.ModifiedEvent, self._on_parameters):
            watch.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._on_parameters)
        self._on_parameters()

    def _on_parameters(self, _node=None, _event=None) -> None:
        # While a scene is read, nodes are missing that will be there.
        if self.scene.IsBatchProcessing():
            return
        node = self.context.parameters.node
        chosen = {parameter.name: parameter.raw(node) for parameter in PARAMETERS}
        if chosen == self._chosen:
            return
        self._chosen = chosen
        with self.notices.acting():
            for section in (self.inputs, self.matching, self.detection):
                section.follow()

    def _on_frame(self) -> None:
        self.placement.offer_lost()
        self.notify()

    def _on_placement(self) -> None:
        if not self.placement.active:
            self.placement.restore_lost()
        self.notify()

    def _on_removed(self, node) -> None:
        ours = [section.forget(node) for section in (self.inputs, self.matching, self.comparison)]
        if any(ours):
            # What led to nodes that are gone cannot be undone any more.
            self.history.clear()
            self.notify()
