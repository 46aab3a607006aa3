"""What an export writes, as one file for the browser."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import offer


class Downloads:
    """Two buttons of section Export."""

    def __init__(self, server: Any, session: Session) -> None:
        self.server, self.session, self.exports = server, session, session.bench.exports
        server.trigger("download")(lambda: self._zipped(self._write))
        server.trigger("download_pairs")(lambda: self._zipped(self._write_pairs))

    def draw(self) -> None:
        tip = _("What is ticked, to your computer.")
        offer(
            "download", _("Download zip"), _save("download", "landmarks.zip"), tip, obstacle="export_obstacle"
        )

    def draw_pairs(self) -> None:
        tip = _("The landmarks that both share, to your computer.")
        save = _save("download_pairs", "pairs.zip")
        offer("download-pairs", _("Download pairs"), save, tip, obstacle="exportPairs_obstacle")

    def _write(self, folder: Path) -> None:
        self.exports.write(folder, self.exports.ticked())

    def _write_pairs(self, folder: Path) -> None:
        self.exports.write_pairs(*self.exports.pair, folder, programs=self.exports.programs)

    def _zipped(self, write: Callable[[Path], None]) -> Any:
        """The file; None if it could not be written."""
        bench = self.session.bench
        with tempfile.TemporaryDirectory(prefix="landmark-tracker-") as folder:
            write(Path(folder))
            if bench.problem:
                return None
            files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    archive.write(path, path.relative_to(folder))
        bench.report = _("{count} files were sent to your browser.").format(count=len(files))
        self.session.redraw()
        return self.server.protocol.addAttachment(packed.getvalue())


def _save(trigger: str, name: str) -> str:
    """JavaScript that saves what a trigger of the server returns."""
    return f"trigger('{trigger}').then((file) => file && utils.download('{name}', file, 'application/zip'))"
