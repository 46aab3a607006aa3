"""A sequence of volumes in a browser <-> a cine."""

from __future__ import annotations

import slicer
import vtk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT, unit_of
from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.calibration import is_calibrated, mark
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume, grid_of, image_of, world_transform


def nodes_of(scene, class_name: str) -> list:
    """All nodes of a class. (`slicer.util.getNodesByClass` releases them once too often in slicer-core.)"""
    count = scene.GetNumberOfNodesByClass(class_name)
    return [scene.GetNthNodeByClass(n, class_name) for n in range(count)]


def sequences_of(browser) -> list:
    """The sequences that a browser plays, its master first."""
    collection = vtk.vtkCollection()
    browser.GetSynchronizedSequenceNodes(collection, True)
    return [collection.GetItemAsObject(n) for n in range(collection.GetNumberOfItems())]


def plays_volumes(sequence) -> bool:
    """Whether this is a sequence of volumes."""
    first = sequence.GetNthDataNode(0)
    return first is not None and bool(first.IsA("vtkMRMLVolumeNode"))


def volume_sequence(browser):
    """The first sequence of volumes in a browser.

    Raises:
        InputError: it has none, or an empty one.
    """
    for sequence in sequences_of(browser):
        if plays_volumes(sequence):
            return sequence
    raise InputError(
        _("'{name}' plays no sequence of volumes; choose another").format(name=browser.GetName())
    )


def browser_of(volume):
    """The browser that plays into this volume, or None."""
    browsers = nodes_of(volume.GetScene(), "vtkMRMLSequenceBrowserNode")
    return next((browser for browser in browsers if browser.IsProxyNode(volume.GetID())), None)


def cine_of(browser) -> Cine:
    """The cine that a browser plays. Frames are read from the sequence; the browser is not moved.

    Raises:
        InputError: it plays no volumes, or they are under a transform that is not linear.
    """
    sequence = volume_sequence(browser)
    proxy = browser.GetProxyNode(sequence)
    transform = world_transform(proxy if proxy is not None else sequence.GetNthDataNode(0))
    indices = [sequence.GetNthIndexValue(t) for t in range(sequence.GetNumberOfDataNodes())]
    try:
        times = [float(index) for index in indices]
        unit = unit_of(sequence.GetIndexUnit() or "", sequence.GetIndexName() or "")
    except ValueError:
        times, unit = [float(t) for t in range(len(indices))], "frame"
    return Cine(
        times,
        lambda t: image_of(sequence.GetNthDataNode(t), transform),
        grid_of(sequence.GetNthDataNode(0), transform),
        browser.GetName(),
        unit,
        is_calibrated(sequence),
    )


def add_cine(scene, cine: Cine):
    """Put a cine into the scene: a sequence of volumes and the browser that plays it, which is returned."""
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", cine.name)
    sequence.SetIndexName("frame" if cine.time_unit == "frame" else "time")
    mark(sequence, cine.calibrated)
    sequence.SetIndexUnit("" if cine.time_unit in ("frame", UNSTATED_UNIT) else cine.time_unit)
    volume = slicer.vtkMRMLScalarVolumeNode()
    volume.SetName(cine.name)
    for time, image in zip(cine.times, cine, strict=True):
        fill_volume(volume, image)
        sequence.SetDataNodeAtValue(volume, f"{time:.12g}")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", cine.name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser
