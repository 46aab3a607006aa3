"""Makes Docs/pictures: the real panel beside a real slice view, used step by step on a real cine.

    LANDMARKTRACKER_DATA=data python Docs/make_screenshots.py [--model NAME]

Needs the test extra, and the folder cardiac_cine of Docs/data.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "LandmarkTracker"), str(ROOT / "LandmarkTracker" / "Testing")]

from host.host import Host  # noqa: E402 - found beside the tests
from host.plot_view import draw_chart  # noqa: E402
from host.slice_view import SliceView  # noqa: E402
from PySide6 import QtGui  # noqa: E402

PICTURES = ROOT / "Docs" / "pictures"
PATIENT, SLICE, DIASTOLE, SYSTOLE = "SCD0000301", "SCD0000301_slice04", 19, 6
PANEL, WIDTH, CHART = 400, 860, 330
WALLS = {"septal wall": (-1, 0), "lateral wall": (1, 0), "anterior wall": (0, 1), "inferior wall": (0, -1)}


class Session:
    """The module in use, and what its screen shows."""

    def __init__(self, model: str) -> None:
        self.host = Host()
        self.host.view = SliceView(self.host.mrml, size=(WIDTH, WIDTH))
        self.ui = self.host.open()
        self.bench = self.host.widget.logic.workbench
        self._open_cine()
        self.bench.models.choose(model)
        self.chart = None

    def walls(self, frame: int) -> dict[str, np.ndarray]:
        """Where the expert drew the edge of the blood pool towards each wall of the view; RAS mm."""
        folder = Path(os.environ.get("LANDMARKTRACKER_DATA", ROOT / "data")) / "cardiac_cine"
        contours = json.loads((folder / f"{PATIENT}_contours.json").read_text())["contours"]
        mine = next(c for c in contours if c["sequence"] == SLICE and c["frame"] == frame)
        pixels = np.array(mine["points_px"])
        grid = self.bench.inputs.subject.cine.grid
        ras = grid.to_world(np.column_stack([pixels, np.zeros(len(pixels))])) * (-1, -1, 1)
        across, up = (self._axis(n) for n in range(2))
        seen = np.column_stack([ras @ across, ras @ up])
        return {name: ras[np.argmax(seen @ direction)] for name, direction in WALLS.items()}

    def shot(self, name: str) -> None:
        """Save what the screen shows now."""
        window, view = self.host.window, self.host.view
        self.host.process()
        window.setFixedWidth(PANEL)
        height = window.sizeHint().height()
        window.resize(PANEL, height)
        for _ in range(5):
            self.host.process()
        below = CHART if self.chart is not None else 0
        view.resize((WIDTH, height - below))
        right = view.picture()
        if self.chart is not None:
            right = np.concatenate([right, draw_chart(self.chart, (WIDTH, below))])
        screen = QtGui.QImage(PANEL + WIDTH, height, QtGui.QImage.Format.Format_RGB32)
        painter = QtGui.QPainter(screen)
        painter.drawImage(0, 0, window.grab().toImage())
        painter.drawImage(PANEL, 0, _image(right))
        painter.end()
        screen.save(str(PICTURES / f"{name}.png"))
        print(PICTURES / f"{name}.png")

    def open_only(self, *sections: str) -> None:
        """Fold every section of the panel but these."""
        for section in ("inputs", "landmarks", "propagate", "review", "export", "advanced"):
            getattr(self.ui, f"{section}CollapsibleButton").setCollapsed(section not in sections)

    def _open_cine(self) -> None:
        from LandmarkTrackerLib.formats import open_cine
        from LandmarkTrackerLib.scene.cine_nodes import add_cine

        folder = Path(os.environ.get("LANDMARKTRACKER_DATA", ROOT / "data")) / "cardiac_cine"
        browser = add_cine(self.host.mrml.scene, open_cine(folder / f"{SLICE}.seq.nrrd"))
        self.ui.imageSelector.setCurrentNode(browser)
        volume = self.bench.inputs.subject.volume
        volume.CreateDefaultDisplayNodes()
        display = volume.GetDisplayNode()
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(380, 190)
        self.host.view.show(volume)

    def _axis(self, n: int) -> np.ndarray:
        matrix = self.host.view.node.GetSliceToRAS()
        return np.array([matrix.GetElement(row, n) for row in range(3)])


def draw_thumbnail(host: Host) -> None:
    """The simulated cine, as the Sample Data module shows it."""
    from LandmarkTrackerLib.evaluation.phantom import Phantom
    from LandmarkTrackerLib.gui.sample_data import draw

    browser = draw()
    volume = browser.GetProxyNode(browser.GetMasterSequenceNode())
    volume.CreateDefaultDisplayNodes()
    volume.GetDisplayNode().SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    host.view.resize((260, 280))
    host.view.show(volume, "Sagittal")
    found = Phantom().landmarks(0)
    host.mrml.point_list("Torso", **{n: found[n].position * (-1, -1, 1) for n in ("liver dome", "lesion")})
    _image(host.view.picture()).save(str(ROOT / "LandmarkTracker/Resources/Icons/BreathingTorso.png"))


def _image(pixels: np.ndarray) -> QtGui.QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    return QtGui.QImage(pixels.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="", help="the one that fits best if not given")
    model = parser.parse_args().model
    PICTURES.mkdir(parents=True, exist_ok=True)
    session = Session(model)
    ui, bench, host = session.ui, session.bench, session.host
    bench.review.go_to(DIASTOLE)
    walls = session.walls(DIASTOLE)
    host.view.zoom(2.2, np.mean(list(walls.values()), axis=0))
    session.open_only("inputs", "landmarks")
    session.shot("inputs")

    ui.placeButton.click()
    for name, position in walls.items():
        host.view.click(position)
        bench.placement.rename(bench.placement.rows()[-1].name, name)
    session.shot("place")

    ui.placeButton.click()
    session.open_only("landmarks", "propagate")
    ui.propagateButton.click()
    host.process(until=lambda: bench.progress[0] >= 12)
    session.shot("propagate")
    host.process(until=lambda: not bench.busy)

    bench.review.go_to(SYSTOLE)
    session.open_only("landmarks", "review")
    session.chart = bench.chart.show()
    session.shot("review")

    name, wrong = "inferior wall", bench.inputs.subject.point_list
    shown = np.array(wrong.GetNthControlPointPositionWorld(wrong.GetControlPointIndexByLabel(name)))
    host.view.drag(shown, session.walls(SYSTOLE)[name])
    bench.chart.choose(name)
    session.shot("correct")

    session.chart = None
    session.open_only("export", "advanced")
    ui.exportFolderButton.setDirectory("Documents/LandmarkTracker")
    session.shot("export")
    draw_thumbnail(host)


if __name__ == "__main__":
    main()
