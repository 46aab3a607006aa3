"""Makes Docs/pictures: the real panel beside real slice views, used step by step on real images.

    LANDMARKTRACKER_DATA=data python Docs/make_screenshots.py [--model NAME] [--only cine sets trust scans]

Needs the test extra, and the folders cardiac_cine, cardiac_edes and ct_followup of Docs/data.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("LANDMARKTRACKER_DATA", ROOT / "data"))
sys.path[:0] = [str(ROOT / part) for part in ("LandmarkTracker", "LandmarkTracker/Testing", "Benchmarks")]

from host.host import Host  # noqa: E402 - found beside the tests
from host.plot_view import draw_chart  # noqa: E402
from host.slice_view import SliceView  # noqa: E402
from LandmarkTrackerLib.formats import open_cine, read_image, write_landmarks  # noqa: E402
from LandmarkTrackerLib.scene.nodes.sequences import add_cine  # noqa: E402
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume  # noqa: E402
from PySide6 import QtCore, QtGui  # noqa: E402

PICTURES = ROOT / "Docs" / "pictures"
PATIENT, SLICE, DIASTOLE, SYSTOLE = "SCD0000301", "SCD0000301_slice04", 19, 6
PANEL, WIDTH, CHART = 400, 860, 330
# A test patient of scn-cardiac-lv, and two dates of a patient that correspondence-ct has not seen.
HEARTS, SCANS = "SC-HF-I-40", "A002304"
SECTIONS = ("inputs", "landmarks", "propagate", "review", "sets", "map", "match", "export", "advanced")
# A patient that tmn-cardiac-cine has not seen, at a middle level, and others; 1.37 mm a pixel is assumed.
TRUSTED, THROUGH = "SC-HF-NI-12", ("SC-HYP-40", "SC-N-05", "SC-HF-I-10", "SC-HF-NI-33", "SC-HYP-12")
PIXEL_MM = 1.37
WALLS = {"septal wall": (-1, 0), "lateral wall": (1, 0), "anterior wall": (0, 1), "inferior wall": (0, -1)}


class Session:
    """The module in use, and what its screen shows."""

    def __init__(self) -> None:
        self.host = Host()
        self.host.view = SliceView(self.host.mrml, size=(WIDTH, WIDTH))
        self.views = [self.host.view]
        self.ui = self.host.open()
        self.bench = self.host.widget.logic.workbench
        self.chart = None

    def walls(self, frame: int) -> dict[str, np.ndarray]:
        """Where the expert drew the edge of the blood pool towards each wall of the view; RAS mm."""
        contours = json.loads((DATA / "cardiac_cine" / f"{PATIENT}_contours.json").read_text())["contours"]
        mine = next(c for c in contours if c["sequence"] == SLICE and c["frame"] == frame)
        pixels = np.array(mine["points_px"])
        grid = self.bench.inputs.subject.cine.grid
        ras = grid.to_world(np.column_stack([pixels, np.zeros(len(pixels))])) * (-1, -1, 1)
        across, up = (self._axis(n) for n in range(2))
        seen = np.column_stack([ras @ across, ras @ up])
        return {name: ras[np.argmax(seen @ direction)] for name, direction in WALLS.items()}

    def shot(self, name: str) -> None:
        """Save what the screen shows now."""
        window = self.host.window
        self.host.process()
        window.setFixedWidth(PANEL)
        height = window.sizeHint().height()
        window.resize(PANEL, height)
        for _ in range(5):
            self.host.process()
        below = CHART if self.chart is not None else 0
        for view in self.views:
            view.resize((WIDTH // len(self.views), height - below))
        self.host.process()
        right = np.concatenate([view.picture() for view in self.views], axis=1)
        if self.chart is not None:
            right = np.concatenate([right, draw_chart(self.chart, (WIDTH, below))])
        screen = QtGui.QImage(PANEL + WIDTH, height, QtGui.QImage.Format.Format_RGB32)
        painter = QtGui.QPainter(screen)
        painter.drawImage(0, 0, window.grab().toImage())
        painter.drawImage(PANEL, 0, _image(right))
        painter.end()
        screen.save(str(PICTURES / f"{name}.png"), quality=0)
        print(PICTURES / f"{name}.png")

    def open_only(self, *sections: str) -> None:
        """Fold every section of the panel but these."""
        for section in SECTIONS:
            getattr(self.ui, f"{section}CollapsibleButton").setCollapsed(section not in sections)

    def open_cine(self) -> None:
        """Read the cine, choose it and show it."""
        browser = add_cine(self.host.mrml.scene, open_cine(DATA / "cardiac_cine" / f"{SLICE}.seq.nrrd"))
        self.ui.imageSelector.setCurrentNode(browser)
        volume = self.bench.inputs.subject.volume
        show_grey(volume, 380, 190)
        self.host.view.show(volume)

    def open_volumes(self, paths: list[Path], window: float, level: float) -> list:
        """Read images as volumes, with this display."""
        volumes = []
        for path in paths:
            volumes.append(self.host.mrml.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", path.stem))
            fill_volume(volumes[-1], read_image(path))
            show_grey(volumes[-1], window, level)
        return volumes

    def finish(self) -> None:
        """Let the panel work until nothing runs."""
        self.host.process(until=lambda: not self.bench.busy)

    def wait(self, until) -> None:
        """Let the window live until another process has done something."""
        while not until():
            self.host.process()
            time.sleep(0.1)

    def _axis(self, n: int) -> np.ndarray:
        matrix = self.host.view.node.GetSliceToRAS()
        return np.array([matrix.GetElement(row, n) for row in range(3)])


def show_grey(volume, window: float, level: float) -> None:
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(window, level)


def draw_thumbnail(host: Host) -> None:
    """The simulated cine, as the Sample Data module shows it."""
    from LandmarkTrackerLib.gui.sample_data import draw
    from LandmarkTrackerLib.simulation.phantom import Phantom

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


def cine(session: Session, model: str) -> None:
    """The tutorial, step by step."""
    ui, bench, host = session.ui, session.bench, session.host
    session.open_cine()
    bench.models.choose(model)
    bench.review.go_to(DIASTOLE)
    walls = session.walls(DIASTOLE)
    host.view.zoom(2.2, np.mean(list(walls.values()), axis=0))
    session.open_only("inputs", "landmarks")
    session.shot("inputs")

    ui.placeButton.click()
    for name, position in walls.items():
        host.view.click(position)
        bench.placement.rename(bench.placement.lines()[-1].key, name)
    session.shot("place")

    ui.placeButton.click()
    session.open_only("landmarks", "propagate")
    ui.propagateButton.click()
    host.process(until=lambda: bench.progress[0] >= 5)
    session.shot("propagate")
    session.finish()

    bench.review.go_to(SYSTOLE)
    session.open_only("landmarks", "review")
    session.chart = bench.chart.show()
    session.shot("review")

    name, wrong = "inferior wall", bench.inputs.subject.point_list
    shown = np.array(wrong.GetNthControlPointPositionWorld(wrong.GetControlPointIndexByLabel(name)))
    host.view.drag(shown, session.walls(SYSTOLE)[name])
    bench.chart.landmark = name
    session.shot("correct")

    session.chart = None
    session.open_only("export", "advanced")
    ui.exportFolderButton.setDirectory("Documents/LandmarkTracker")
    session.shot("export")


def landmark_sets(session: Session) -> None:
    """Detect in a patient that the detector has not seen; train another for a few steps."""
    from annotated_sets import cardiac

    ui, bench, host = session.ui, session.bench, session.host
    hearts = sorted((DATA / "cardiac_edes" / "images").glob(f"{HEARTS}-IM-*.png"))[2:6]
    volumes = session.open_volumes(hearts, 200, 90)
    ui.imageSelector.setCurrentNode(volumes[0])
    for n in range(len(volumes) - 1):
        ui.othersList.item(n).setCheckState(QtCore.Qt.CheckState.Checked)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        annotated, model = Path("LandmarkTracker/annotated"), Path("LandmarkTracker/my hearts")
        annotated.mkdir(parents=True)
        for path, landmarks in list(cardiac(DATA / "cardiac_edes"))[::9]:
            (annotated / path.name).write_bytes(path.read_bytes())
            write_landmarks(annotated / f"{path.stem}.mrk.json", landmarks)
        ui.annotatedFolderButton.setDirectory(str(annotated))
        ui.modelFolderButton.setDirectory(str(model))
        ui.subjectUntilEdit.setText("-IM-")
        ui.detectButton.click()
        session.finish()
        host.view.show(volumes[0])
        middle = bench.inputs.subject.record.at(0)["lv_centroid"].position * (-1, -1, 1)
        host.view.zoom(1.7, middle)
        session.open_only("inputs", "sets")
        session.shot("sets")
        ui.trainingStepsSpinBox.setValue(200)
        ui.trainButton.click()
        session.wait(lambda: bench.learning.progress[0] >= 60 or not bench.learning.running)
        session.open_only("sets")
        session.chart = bench.learning.show_chart()
        session.shot("train")
        ui.stopButton.click()
        session.wait(lambda: not bench.learning.running)
    session.chart = None


def reliability_map(session: Session) -> None:
    """The reliability map of a heart, computed through five other patients."""
    ui, host = session.ui, session.host
    folder = DATA / "cardiac_edes" / "images"
    series = [sorted(folder.glob(f"{name}-IM-*.png")) for name in (TRUSTED, *THROUGH)]
    volumes = session.open_volumes([images[len(images) // 2] for images in series], 200, 90)
    for volume in volumes:
        volume.SetSpacing(PIXEL_MM, PIXEL_MM, 8.0)
    ui.imageSelector.setCurrentNode(volumes[0])
    for n in range(len(THROUGH)):
        ui.othersList.item(n).setCheckState(QtCore.Qt.CheckState.Checked)
    host.view.show(volumes[0])
    ui.computeMapButton.click()
    session.finish()
    # Beside the legend.
    grid = session.bench.inputs.subject.cine.grid
    host.view.zoom(0.9, grid.to_world((np.array(grid.size) - 1) / 2) * (-1, -1, 1))
    session.open_only("map")
    session.shot("trust")


def scans(session: Session) -> None:
    """Two dates of a patient: pairs, and the second warped onto the first."""
    ui, host = session.ui, session.host
    session.views.append(SliceView(host.mrml, "Yellow", size=(WIDTH // 2, WIDTH)))
    host.view.resize((WIDTH // 2, WIDTH))
    pair = session.open_volumes(sorted((DATA / "ct_followup" / SCANS).glob("axial_*.nrrd")), 400, 40)
    ui.fixedVolumeSelector.setCurrentNode(pair[0])
    ui.movingVolumeSelector.setCurrentNode(pair[1])
    ui.matchButton.click()
    session.finish()
    session.open_only("match")
    ui.pairsTable.item(5, 0).setSelected(True)
    ui.pairsTable.cellClicked.emit(5, 0)
    session.shot("match")
    ui.warpButton.click()
    session.finish()
    session.shot("warp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="", help="the one that fits best if not given")
    parts = {"sets": landmark_sets, "trust": reliability_map, "scans": scans}
    parser.add_argument("--only", nargs="+", choices=("cine", *parts), default=["cine", *parts])
    args = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    session = Session()
    if "cine" in args.only:
        cine(session, args.model)
        draw_thumbnail(session.host)
    for part, make in parts.items():
        if part in args.only:
            session.host.mrml.scene.Clear(0)
            session.host.view.resize((WIDTH, WIDTH))
            make(session)


if __name__ == "__main__":
    main()
