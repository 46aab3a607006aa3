"""A cine for the Sample Data module: a simulated breathing torso, drawn on this computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

NAME = "BreathingTorso"


def register(icons: Path) -> None:
    """Offer the simulated cine in the Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="LandmarkTracker",
        sampleName=NAME,
        thumbnailFileName=str(icons / "BreathingTorso.png"),
        customDownloader=draw,
        nodeNames=NAME,
    )


def draw(_source=None):
    """Add the cine to the scene, show it, and return its browser."""
    from LandmarkTrackerLib.scene.nodes.sequences import add_cine, volume_sequence
    from LandmarkTrackerLib.simulation.phantom import Phantom

    with slicer.util.tryWithErrorDisplay(_("The simulated cine could not be drawn."), waitCursor=True):
        browser = add_cine(slicer.mrmlScene, replace(Phantom().cine(), name=NAME))
        volume = browser.GetProxyNode(volume_sequence(browser))
        slicer.util.setSliceViewerLayers(background=volume, fit=True, rotateToVolumePlane=True)
        return browser
