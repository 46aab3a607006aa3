"""What the tutorial says of Slicer's Python console is true."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import slicer
from LandmarkTrackerLib.scene.nodes.points import write_points
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.simulation.phantom import Phantom


def test_the_snippet_of_the_tutorial_tracks_the_simulated_torso(root, host, monkeypatch, capsys):
    phantom = Phantom()
    cine = phantom.cine()
    add_cine(slicer.mrmlScene, replace(cine, name="BreathingTorso"))
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    clicked = phantom.landmarks(0)
    write_points(points, clicked.names, clicked)
    monkeypatch.setitem(sys.modules, "LandmarkTracker", host.module)
    tutorial = (root / "Docs" / "tutorial.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", tutorial, re.DOTALL)
    exec(compile(snippet, "tutorial.md", "exec"), {"slicer": slicer})
    assert "frame" in capsys.readouterr().out
    sequences = slicer.mrmlScene.GetNodesByClass("vtkMRMLSequenceNode")
    nodes = [sequences.GetItemAsObject(n) for n in range(sequences.GetNumberOfItems())]
    # The cine, and the landmarks in all its frames.
    assert [node.GetNumberOfDataNodes() for node in nodes] == [len(cine), len(cine)]
