"""What a person brings to the panel, and does to its widgets."""

import slicer
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from PySide6 import QtCore


def add_volume(name, image):
    """A volume that was loaded: the node."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    fill_volume(node, image)
    node.CreateDefaultDisplayNodes()
    return node


def choose(combo, text):
    index = combo.findText(text)
    assert index >= 0, [combo.itemText(n) for n in range(combo.count())]
    combo.setCurrentIndex(index)


def tick_all(items):
    for n in range(items.count()):
        items.item(n).setCheckState(QtCore.Qt.CheckState.Checked)
