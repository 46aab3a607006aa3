"""Section Landmark sets: detect what a model was trained for, and train one."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.widgets import Choices, ask_for_file, offer, put
from LandmarkTrackerLib.scene.workbench import Workbench


class SetsView:
    """The folders, the subjects' names and the steps are in the parameter node; `parameters` returns it."""

    def __init__(self, ui, bench: Workbench, parameters) -> None:
        self.ui, self.bench, self.parameters = ui, bench, parameters
        self._detectors = Choices(ui.detectorSelector)
        self._log: list[str] = []
        ui.detectorSelector.currentIndexChanged.connect(self._choose)
        ui.detectorFileButton.clicked.connect(self._open)
        ui.detectButton.clicked.connect(self._detect)
        ui.saveAnnotatedButton.clicked.connect(self._save)
        ui.trainButton.clicked.connect(self._train)
        ui.continueButton.clicked.connect(self._continue)
        ui.stopButton.clicked.connect(self._stop)
        ui.lossButton.clicked.connect(self._show_chart)

    def refresh(self) -> None:
        """Show the detectors that there are, and how far the training is."""
        detection, learning = self.bench.detection, self.bench.learning
        choices, chosen = detection.choices(), detection.chosen
        at = choices.index(chosen) if chosen is not None else -1
        self._detectors.show([choice.label for choice in choices], at)
        put(self.ui.detectorSelector, toolTip=chosen.title if chosen is not None else "")
        offer(
            self.ui.detectButton,
            self.bench.obstacle_busy or detection.obstacle,
            _("Find the detector's landmarks in the chosen image, in all its frames, and in ticked volumes."),
        )
        put(self.ui.detectorFileButton, toolTip=_("A model file (.pt) of your own."))
        offer(
            self.ui.saveAnnotatedButton,
            learning.obstacle_save,
            _("Save the chosen image and ticked volumes in which you placed landmarks, to train on them."),
        )
        offer(self.ui.trainButton, learning.obstacle, _("Train a detector on the images of the folder."))
        offer(self.ui.continueButton, learning.obstacle_continue, _("Go on where the training was stopped."))
        offer(self.ui.stopButton, learning.obstacle_stop, _("Stop after the step in hand, ready to go on."))
        offer(self.ui.lossButton, learning.obstacle_chart, _("Loss and error over the steps."))
        done, total = learning.progress
        put(self.ui.trainingProgressBar, maximum=total, value=done)
        put(self.ui.trainingLabel, text=learning.text)
        if learning.log != self._log:
            self._log = learning.log
            put(self.ui.trainingLog, plainText="\n".join(self._log))
            scroll = self.ui.trainingLog.verticalScrollBar()
            put(scroll, value=scroll.property("maximum"))

    def _choose(self, _index=None) -> None:
        choices = self.bench.detection.choices()
        if 0 <= self._detectors.index < len(choices):
            self.bench.detection.choose(choices[self._detectors.index].name)

    def _open(self, _checked=False) -> None:
        path = ask_for_file(self.ui.detectorFileButton, _("Open detector"), _("Models") + " (*.pt)")
        if path is not None:
            self.bench.detection.choose(str(path))

    def _detect(self, _checked=False) -> None:
        self.bench.detection.start()

    def _save(self, _checked=False) -> None:
        self.bench.learning.save(self.parameters().overwrite)

    def _train(self, _checked=False) -> None:
        self.bench.learning.start()

    def _continue(self, _checked=False) -> None:
        self.bench.learning.resume()

    def _stop(self, _checked=False) -> None:
        self.bench.learning.stop()

    def _show_chart(self, _checked=False) -> None:
        slicer.modules.plots.logic().ShowChartInLayout(self.bench.learning.show_chart())
