"""Section Export: a download, or files in the data folder; and pairs of points for registration."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trame.widgets import html

from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, offer, tick, titled, words

KINDS = {
    "table": ("Table of all frames (track.csv)", True),
    "sequence": ("Slicer sequence (track.seq.mrb)", True),
    "frames": ("One point list a frame (.mrk.json)", False),
    "subjects": ("One point list a volume (.mrk.json)", True),
}


class ExportSection:
    def __init__(self, server: Any, session: Session) -> None:
        self.server, self.state = server, server.state
        self.session, self.bench, self.context = session, session.bench, session.bench.context
        self.state.update({f"export_{kind}": on for kind, (_title, on) in KINDS.items()})
        self.state.update({"export_folder": "results", "overwrite": False, "export_open": False})
        self.state.update({"fixed": 0, "moving": 0, "places": [], "programs": []})
        self.state.all_programs = list(EXPORTS)
        server.trigger("download")(self._download)
        server.trigger("download_pairs")(self._download_pairs)

    def draw(self) -> None:
        with Section("Export", "export"):
            for kind, (title, _on) in KINDS.items():
                tick(title, f"export_{kind}")
            with html.Div(classes="lt-row"):
                offer(
                    "Download zip",
                    _save("download", "landmarks.zip"),
                    "What is ticked, to your computer.",
                    "export_obstacle",
                    classes="lt-do-download",
                )
                offer(
                    "Write to folder", self.write, "What is ticked, into the data folder.", "export_obstacle"
                )
            words("Folder inside the data folder", "export_folder")
            tick("Replace files that are there", "overwrite")
            html.Div("Pairs of points for registration", classes="lt-small")
            with html.Div(classes="lt-row"):
                choose("Fixed", "fixed", "places", no_data_text="Nothing is placed yet")
                choose("Moving", "moving", "places", no_data_text="Nothing is placed yet")
            choose("Also for these programs", "programs", "all_programs", multiple=True, chips=True)
            with html.Div(classes="lt-row"):
                offer(
                    "Download pairs",
                    _save("download_pairs", "pairs.zip"),
                    "The landmarks that both share.",
                    "pairs_obstacle",
                    classes="lt-do-download-pairs",
                )
                offer("Write pairs", self.write_pairs, "Into the data folder.", "pairs_obstacle")
                offer(
                    "Add to scene",
                    self.add_pairs,
                    "Two point lists with the same names in the same order.",
                    "pairs_obstacle",
                )

    def values(self) -> dict[str, Any]:
        exports = self.bench.exports
        titles = [place.title for place in exports.places()]
        last = max(0, len(titles) - 1)
        fixed, moving = min(self.state.fixed or 0, last), min(self.state.moving or 0, last)
        if fixed == moving and last:
            moving = (fixed + 1) % (last + 1)
        return {
            "export_obstacle": exports.obstacle,
            "pairs_obstacle": exports.obstacle_pairs,
            "places": titled([(title, n) for n, title in enumerate(titles)]),
            "fixed": fixed,
            "moving": moving,
        }

    @reported
    def write(self) -> None:
        folder = self.session.root.find(self.state.export_folder or "")
        self.bench.exports.write(folder, self._ticked(), bool(self.state.overwrite))

    @reported
    def write_pairs(self) -> None:
        folder = self.session.root.find(self.state.export_folder or "")
        self._write_pairs(folder, bool(self.state.overwrite))

    def add_pairs(self) -> None:
        self.bench.exports.add_pairs(*self._pair())

    def _download(self) -> Any:
        return self._zipped(lambda folder: self.bench.exports.write(folder, self._ticked()))

    def _download_pairs(self) -> Any:
        return self._zipped(self._write_pairs)

    def _write_pairs(self, folder: Path, overwrite: bool = False) -> None:
        programs = [program for program in EXPORTS if program in (self.state.programs or ())]
        self.bench.exports.write_pairs(*self._pair(), folder, overwrite, programs)

    def _zipped(self, write: Callable[[Path], None]) -> Any:
        """What an export writes, as one file for the browser; None if it could not be written."""
        with tempfile.TemporaryDirectory(prefix="landmark-tracker-") as folder:
            write(Path(folder))
            if self.bench.problem:
                return None
            files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    archive.write(path, path.relative_to(folder))
        self.bench.report = f"{len(files)} files were sent to your browser."
        self.session.redraw()
        return self.server.protocol.addAttachment(packed.getvalue())

    def _ticked(self) -> set[str]:
        return {kind for kind in KINDS if self.state[f"export_{kind}"]}

    def _pair(self) -> tuple[Any, Any]:
        places = self.bench.exports.places()
        return places[self.state.fixed], places[self.state.moving]


def _save(trigger: str, name: str) -> str:
    """JavaScript that saves what a trigger of the server returns."""
    return f"trigger('{trigger}').then((file) => file && utils.download('{name}', file, 'application/zip'))"
