"""LandmarkTracker in 3D Slicer: click a landmark once, find it in every other frame or subject.

What the module does is in LandmarkTrackerLib; here is what Slicer looks for in a scripted module.
"""

import pathlib

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
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
        categories = ("Tracking", "Registration", "Sequences")
        parent.categories = [translate("qSlicerAbstractCoreModule", name) for name in categories]
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


class LandmarkTrackerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The shell of the panel: loads it, and joins its widgets to the parameter node while it is open."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = self.panel = None
        self._parameterNode = self._parameterNodeGuiTag = None

    def setup(self) -> None:
        """Called when the module is opened for the first time."""
        from LandmarkTrackerLib.gui.panel import Panel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/LandmarkTracker.ui"))
        self.layout.addWidget(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = LandmarkTrackerLogic()
        self.panel = Panel(slicer.util.childWidgetVariables(uiWidget), self.logic.workbench)
        # With what the panel has made.
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneReady)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneReady)
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
        """Take up the scene's parameter node, and choose a cine if nothing is chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.image is None:
            self._parameterNode.image = self.logic.workbench.inputs.first_cine()

    def setParameterNode(self, parameterNode) -> None:
        """Join the widgets to this parameter node; None for none."""
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
        self._parameterNode = parameterNode
        if parameterNode is not None:
            self._parameterNodeGuiTag = parameterNode.connectGui(self.ui)
            self.panel.refresh()


class LandmarkTrackerLogic(ScriptedLoadableModuleLogic):
    """For scripts: `workbench` does everything that the panel does; Docs/tutorial.md shows how."""

    def __init__(self) -> None:
        from LandmarkTrackerLib.scene.workbench import workbench_of

        ScriptedLoadableModuleLogic.__init__(self)
        self.workbench = workbench_of(slicer.mrmlScene)

    def getParameterNode(self):
        """What the user chose in this scene: a `parameterNodeWrapper` of what the sections keep."""
        from LandmarkTrackerLib.gui.parameter_node import LandmarkTrackerParameterNode

        return LandmarkTrackerParameterNode(super().getParameterNode())


class LandmarkTrackerTest(ScriptedLoadableModuleTest):
    """The user's work in a running Slicer, on the simulated cine and without PyTorch."""

    def setUp(self):
        from LandmarkTrackerLib.gui.self_test import SelfTest

        self.user = SelfTest(self.delayDisplay)

    def test_ClickPropagateCorrectUndo(self):
        self.user.click_propagate_correct_undo()

    def test_LiveAndCancel(self):
        self.user.live_and_cancel()

    def test_LostLandmarksAreMissing(self):
        self.user.lost_landmarks_are_missing()
