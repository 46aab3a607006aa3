"""Section Inputs: the image, the model, and volumes of other subjects."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from LandmarkTrackerLib.gui.install import install_pytorch
from LandmarkTrackerLib.gui.widgets import Choices, put, silent
from LandmarkTrackerLib.scene.workbench import Workbench


class InputsView:
    """The selectors of nodes follow the parameter node; here is the rest."""

    def __init__(self, ui, bench: Workbench) -> None:
        self.ui, self.bench = ui, bench
        self._models = Choices(ui.modelSelector)
        self._shown = None
        self._volumes: list = []
        self._titles: list[str] = []
        ui.modelSelector.currentIndexChanged.connect(self._choose_model)
        ui.installButton.clicked.connect(self._install)
        ui.othersList.itemChanged.connect(self._choose_others)

    def refresh(self) -> None:
        """Show the models that there are, the one that will run, and on what."""
        models = self.bench.models
        choices = models.choices()
        titles = [_("Automatic: {model}").format(model=models.best.name), *(c.name for c in choices)]
        names = ["", *(c.name for c in choices)]
        self._models.show(titles, names.index(models.name) if models.name in names else 0)
        put(self.ui.modelSelector, toolTip=models.chosen.title)
        put(self.ui.deviceLabel, text=models.runs_on)
        why = _("Trained models run on PyTorch, which is not installed yet.")
        put(self.ui.installButton, visible=models.torch_missing, toolTip=why)
        self._show_volumes()
        self._show_image()

    def _show_image(self) -> None:
        """Bring an image into the slice views when it is chosen; a single slice in its own plane."""
        subject = self.bench.inputs.subject
        node = subject.node if subject is not None else None
        if node is not self._shown:
            self._shown = node
            # Slicer runs without slice views in its own tests and in batch mode.
            if subject is not None and slicer.app.layoutManager() is not None:
                slicer.util.setSliceViewerLayers(
                    background=subject.volume, fit=True, rotateToVolumePlane=subject.cine.grid.is_slice
                )

    def _choose_model(self, _index=None) -> None:
        names = ["", *(choice.name for choice in self.bench.models.choices())]
        self.bench.models.choose(names[max(0, self._models.index)], self.bench.models.device)

    def _install(self, _checked=False) -> None:
        install_pytorch()
        self.bench.notify()

    def _show_volumes(self) -> None:
        volumes = self.bench.inputs.volumes()
        titles = [volume.GetName() for volume in volumes]
        if titles == self._titles and volumes == self._volumes:
            return
        self._volumes, self._titles = volumes, titles
        chosen = [other.node for other in self.bench.inputs.others]
        with silent(self.ui.othersList):
            self.ui.othersList.clear()
            for volume, title in zip(volumes, titles, strict=True):
                item = qt.QListWidgetItem(title)
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
                item.setCheckState(qt.Qt.Checked if volume in chosen else qt.Qt.Unchecked)
                self.ui.othersList.addItem(item)

    def _choose_others(self, _item=None) -> None:
        ticked = [
            volume
            for n, volume in enumerate(self._volumes)
            if self.ui.othersList.item(n).checkState() == qt.Qt.Checked
        ]
        self.bench.inputs.choose_others(ticked)
