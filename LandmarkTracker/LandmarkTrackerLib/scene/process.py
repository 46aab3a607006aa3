"""A command of the program beside this one: started, listened to, asked to stop. Whoever shows it polls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import LandmarkTrackerLib

LIBRARY = Path(LandmarkTrackerLib.__file__).resolve().parents[1]
TAIL = 16384  # bytes


class Process:
    """`landmark-tracker ARGUMENTS` in the running Python; inside Slicer in PythonSlicer.

    Args:
        log: receives everything that it says.
        append: go on with that file.
    """

    def __init__(self, arguments: Sequence[str], log: Path, append: bool = False) -> None:
        python = shutil.which("PythonSlicer") or sys.executable
        paths = [str(LIBRARY), *filter(None, [os.environ.get("PYTHONPATH")])]
        said = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(paths)}
        with log.open("ab" if append else "wb") as file:
            self._process = subprocess.Popen(
                [python, "-m", "LandmarkTrackerLib", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **said},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    @property
    def code(self) -> int | None:
        """What it returned; None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end; it does so in its own time. (Windows ends it at once.)"""
        if self.code is None:
            self._process.terminate()

    def end(self, seconds: float) -> None:
        """Stop it and wait until it has ended, by force when it takes longer than this."""
        self.stop()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def last_lines(log: Path) -> list[str]:
    """What a log says last, without what a progress bar showed before; nothing if there is no log."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1].strip() for line in text.split("\n")]
    return [line for line in lines if line]
