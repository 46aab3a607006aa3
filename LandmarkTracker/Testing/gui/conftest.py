"""The panel in a window. Skipped, saying so, where Qt or off-screen OpenGL cannot run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip(
    "PySide6.QtWidgets", reason="PySide6 or its system libraries are missing", exc_type=ImportError
)

from host.host import Host

RENDER = (
    "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.Render(); assert w.SupportsOpenGL()"
)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


@pytest.fixture(scope="session")
def opengl() -> None:
    """Skips where VTK cannot draw off screen. Asked in another process: without OpenGL it may crash."""
    if subprocess.run([sys.executable, "-c", RENDER], capture_output=True, check=False).returncode:
        pytest.skip("VTK cannot draw off screen here; install libegl1 or libosmesa6")


@pytest.fixture
def view(host, opengl):
    """The host's slice view."""
    return host.view


@pytest.fixture
def ui(host):
    """The panel, opened on whatever is in the scene."""
    return host.open()


@pytest.fixture
def bench(host, ui):
    """What the panel works with."""
    return host.widget.logic.workbench
