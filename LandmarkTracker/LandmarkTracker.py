"""LandmarkTracker in 3D Slicer: click a landmark once, find it in every other frame or subject.

What the module does is in LandmarkTrackerLib; here is what Slicer looks for in a scripted module.
"""

import enum
import pathlib
from typing import Annotated

import slicer
import vtk
from slicer import vtkMRMLMarkupsFiducialNode, vtkMRMLScalarVolumeNode, vtkMRMLSequenceBrowserNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class LandmarkTracker(ScriptedLoadableModule):
    """What the module selector shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Landmark Tracker")
        parent.categories = [
            translate("qSlicerAbstractCoreModule", category)
            for category in ("Tracking", "Registration", "Sequences")
        ]
        parent.dependencies = ["Markups", "Sequences", "Plots"]
        parent.contributors = ["The LandmarkTracker contributors"]
        parent.helpText = _(
            "Click a landmark in one frame of a cine and find it in every other frame, or in the images of"
            ' other subjects, with its uncertainty. See the <a href="{url}">tutorial</a>.'
        ).format(url="https://github.com/LandmarkTracker/SlicerLandmarkTracker/blob/main/Docs/tutorial.md")
        parent.acknowledgementText = _(
            "The methods are those of Frueh et al. 2022 (template matching network), Payer et al. 2019"
            " (SpatialConfiguration-Net) and Grewal et al. 2020 (end-to-end landmark correspondence)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """Offer a cine in the Sample Data module."""
    from LandmarkTrackerLib.gui.sample_data import register

    register(pathlib.Path(__file__).parent / "Resources" / "Icons")


class Direction(enum.Enum):
    """Where propagation goes from the frame in which the landmarks were placed."""

    BOTH = "both"
    FORWARD = "forward"
    BACKWARD = "backward"

    def label(self) -> str:
        return {
            "both": _("Both directions"),
            "forward": _("Forward"),
            "backward": _("Backward"),
        }[self.value]


class Device(enum.Enum):
    """What a trained model runs on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"

    def label(self) -> str:
        return {"auto": _("Automatic"), "cpu": "CPU", "cuda": "CUDA"}[self.value]


@parameterNodeWrapper
class LandmarkTrackerParameterNode:
    """What the user chose, saved with the scene.

    image - The cine (a sequence browser) or the volume to work on.
    landmarks - The point list to click into.
    model - The model that the user chose; empty for the one that fits best.
    device - What it runs on.
    direction - Where to propagate.
    live - Propagate as soon as a landmark is placed or corrected.
    maxSigma - A landmark less certain than this (mm) is missing; 0 for the model's own limit.
    uncertainBelow - Confidence in percent under which a landmark counts as uncertain.
    exportFolder - Where files are written.
    exportTable, exportSequence, exportFrames, exportSubjects, overwrite - What is written there.
    detector - The detector that the user chose: its name or its file; empty for the first that fits.
    annotatedFolder - Annotated images to train on.
    subjectUntil - The subject of an annotated image is its name up to this text.
    modelFolder - Where the training and its model go.
    trainingSteps - How long to train.
    fixedVolume, movingVolume - The two scans to match.
    """

    image: vtkMRMLSequenceBrowserNode | vtkMRMLScalarVolumeNode | None
    landmarks: vtkMRMLMarkupsFiducialNode
    model: str = ""
    device: Device = Device.AUTO
    direction: Direction = Direction.BOTH
    live: bool = False
    maxSigma: Annotated[float, WithinRange(0, 100)] = 0.0
    uncertainBelow: Annotated[int, WithinRange(0, 100)] = 50
    exportFolder: pathlib.Path = pathlib.Path.home() / "LandmarkTracker"
    exportTable: bool = True
    exportSequence: bool = True
    exportFrames: bool = False
    exportSubjects: bool = True
    overwrite: bool = False
    detector: str = ""
    annotatedFolder: pathlib.Path = pathlib.Path.home() / "LandmarkTracker" / "annotated"
    subjectUntil: str = "-frame-"
    modelFolder: pathlib.Path = pathlib.Path.home() / "LandmarkTracker" / "my landmarks"
    trainingSteps: Annotated[int, WithinRange(10, 1000000)] = 2000
    fixedVolume: vtkMRMLScalarVolumeNode
    movingVolume: vtkMRMLScalarVolumeNode


class LandmarkTrackerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The shell of the panel: loads it, and carries choices between the parameter node and the workbench."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._carrying = False
        self._carriedLandmarks = None

    def setup(self) -> None:
        """Called when the module is opened for the first time."""
        from LandmarkTrackerLib.gui.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/LandmarkTracker.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = LandmarkTrackerLogic()
        self.panel = Panel(self.ui, self.logic.workbench, lambda: self._parameterNode)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneReady)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneReady)
        self.addObserver(self.logic.workbench.changed, vtk.vtkCommand.ModifiedEvent, self.onWorkbenchChanged)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called when the module is unloaded or Slicer closes."""
        self.removeObservers()
        self.panel.close()
        self.logic.workbench.close()

    def enter(self) -> None:
        """Called each time the module is opened."""
        self.initializeParameterNode()
        self.panel.shortcuts.create(self.parent)

    def exit(self) -> None:
        """Called each time another module is opened."""
        self.panel.shortcuts.remove()
        self.logic.workbench.placement.stop()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event) -> None:
        """The parameter node goes with the scene."""
        self.setParameterNode(None)

    def onSceneReady(self, caller, event) -> None:
        """A scene was closed or loaded: take up the parameter node that is there now."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """Take up the scene's parameter node, and choose a cine if none is chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.image is None:
            self._parameterNode.image = self.logic.workbench.inputs.first_cine()

    def setParameterNode(self, parameterNode: LandmarkTrackerParameterNode | None) -> None:
        """Follow this parameter node; None for none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        self._parameterNode = parameterNode
        self._carriedLandmarks = None
        if parameterNode is not None:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
            self.onParametersChanged()

    def onParametersChanged(self, caller=None, event=None) -> None:
        """The user chose something: tell the workbench."""
        if self._carrying:
            return
        self._carrying = True
        try:
            chosen, bench = self._parameterNode, self.logic.workbench
            bench.models.choose(chosen.model, chosen.device.value)
            bench.propagation.direction = chosen.direction.value
            bench.propagation.live = chosen.live
            bench.propagation.max_sigma_mm = chosen.maxSigma or None
            bench.review.uncertain_below = chosen.uncertainBelow / 100
            bench.inputs.choose_image(chosen.image)
            if chosen.landmarks is not self._carriedLandmarks:
                bench.inputs.choose_points(chosen.landmarks)
            if chosen.detector != bench.detection.model:
                bench.detection.choose(chosen.detector)
            bench.learning.images = chosen.annotatedFolder
            bench.learning.subject_until = chosen.subjectUntil
            bench.learning.folder = chosen.modelFolder
            bench.learning.steps = chosen.trainingSteps
            bench.matching.choose(chosen.fixedVolume, chosen.movingVolume)
        finally:
            self._carrying = False
        self.onWorkbenchChanged()

    def onWorkbenchChanged(self, caller=None, event=None) -> None:
        """The workbench chose something (a new point list, the best model): keep it with the scene."""
        if self._carrying or self._parameterNode is None:
            return
        self._carrying = True
        try:
            chosen, bench = self._parameterNode, self.logic.workbench
            subject = bench.inputs.subject
            self._carriedLandmarks = subject.point_list if subject is not None else None
            now = {
                "model": bench.models.name,
                "landmarks": self._carriedLandmarks,
                "detector": bench.detection.model,
            }
            if subject is not None:
                now["image"] = subject.node
            for name, value in now.items():
                if getattr(chosen, name) != value:
                    setattr(chosen, name, value)
        finally:
            self._carrying = False


class LandmarkTrackerLogic(ScriptedLoadableModuleLogic):
    """For scripts: `workbench` does everything that the panel does.

    Example::

        bench = LandmarkTrackerLogic().workbench
        bench.inputs.choose_image(slicer.util.getNode("cine browser"))
        bench.inputs.choose_points(slicer.util.getNode("F"))
        bench.propagation.start()
        while bench.advance():
            pass
    """

    def __init__(self) -> None:
        from LandmarkTrackerLib.scene.workbench import workbench_of

        ScriptedLoadableModuleLogic.__init__(self)
        self.workbench = workbench_of(slicer.mrmlScene)

    def getParameterNode(self) -> LandmarkTrackerParameterNode:
        """What the user chose in this scene."""
        return LandmarkTrackerParameterNode(super().getParameterNode())


class LandmarkTrackerTest(ScriptedLoadableModuleTest):
    """The user's work in a running Slicer, on the simulated cine and without PyTorch."""

    def setUp(self):
        from LandmarkTrackerLib.gui.sample_data import draw
        from LandmarkTrackerLib.simulation.phantom import Phantom

        slicer.mrmlScene.Clear()
        slicer.util.selectModule("LandmarkTracker")
        self.widget = slicer.modules.landmarktracker.widgetRepresentation().self()
        self.bench = self.widget.logic.workbench
        self.phantom = Phantom()
        self.parameters = self.widget.logic.getParameterNode()
        self.parameters.image = draw()
        self.parameters.model = "ncc"

    def test_ClickPropagateCorrectUndo(self):
        self.delayDisplay("Click, propagate, scrub")
        self.click("lesion", 5)
        self.bench.propagation.start()
        self.finish()
        for frame in (0, 30, 59):
            self.assertLess(self.error("lesion", frame), 5)
        self.delayDisplay("Correct one frame and take it back")
        self.bench.review.go_to(30)
        before = self.shown("lesion")
        node = self.parameters.landmarks
        node.SetNthControlPointPositionWorld(0, *(before + (0, 0, 8)))
        self.assertIn("lesion", self.bench.inputs.subject.record.placed()[30])
        self.bench.undo()
        self.assertLess(abs(self.shown("lesion") - before).max(), 1e-6)

    def test_LiveAndCancel(self):
        self.delayDisplay("Propagate as soon as the click lands, and cancel")
        self.parameters.live = True
        self.click("vertebra", 20)
        self.assertTrue(self.bench.busy)
        for _step in range(10):
            self.bench.advance()
        self.bench.cancel()
        self.assertEqual(len(self.bench.inputs.subject.record.frames), 9)

    def test_LostLandmarksAreMissing(self):
        self.delayDisplay("A landmark that is too uncertain is missing, in the scene and in the files")
        self.click("lesion", 0)
        self.parameters.maxSigma = 0.1
        self.bench.propagation.start()
        self.finish()
        self.bench.review.go_to(10)
        node = self.parameters.landmarks
        self.assertEqual(node.GetNthControlPointPositionStatus(0), node.PositionMissing)
        self.assertFalse(node.GetNthControlPointSelected(0))

    def click(self, name, frame):
        """Place a landmark as Slicer's placement does."""
        self.bench.review.go_to(frame)
        self.bench.placement.start()
        left, posterior, superior = self.phantom.landmarks(frame)[name].position
        self.parameters.landmarks.AddControlPointWorld(-left, -posterior, superior, name)
        self.bench.placement.stop()

    def finish(self):
        """Let the panel work until nothing runs."""
        while self.bench.busy:
            slicer.app.processEvents()

    def shown(self, name):
        """Where the user sees a landmark, RAS mm."""
        import numpy as np

        node = self.parameters.landmarks
        return np.array(node.GetNthControlPointPositionWorld(node.GetControlPointIndexByLabel(name)))

    def error(self, name, frame):
        """Distance in mm between where the user sees a landmark and where it is."""
        self.bench.review.go_to(frame)
        there = self.shown(name) * (-1, -1, 1)
        return float(sum((there - self.phantom.landmarks(frame)[name].position) ** 2) ** 0.5)
