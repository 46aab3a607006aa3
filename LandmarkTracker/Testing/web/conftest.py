"""The page in Debian's Chromium, with a real mouse. Skipped, saying so, where that cannot be had."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")
pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")

PACKAGES = ("chromium", "libegl1", "libgl1-mesa-dri", "fonts-dejavu-core")
RENDER = (
    "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.Render(); assert w.SupportsOpenGL()"
)
# Without a screen, without a sandbox (root), and without looking for anything outside this machine.
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; installed now where that can be done without asking anybody."""
    found = shutil.which("chromium")
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "check": False}
        for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            try:
                subprocess.run(["apt-get", "-qq", *words], capture_output=True, timeout=240, **quiet)
            except subprocess.TimeoutExpired:
                break
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is not there and could not be installed; run: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def opengl(chromium) -> None:
    """Skips where VTK cannot draw off screen. Asked in another process: without OpenGL it may crash."""
    if subprocess.run([sys.executable, "-c", RENDER], capture_output=True, check=False).returncode:
        pytest.skip("VTK cannot draw off screen here; install libegl1 or libosmesa6")


@pytest.fixture(scope="module")
def browser(chromium, opengl) -> Iterator:
    """Chromium itself."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="module")
def serve(opengl) -> Iterator[Callable[..., str]]:
    """Start `landmark-tracker serve` with these words; returns the address that it prints."""
    servers = []

    def start(*words: object) -> str:
        command = [sys.executable, "-m", "LandmarkTrackerLib", "serve", "--port", "0", *map(str, words)]
        folder = Path(__file__).resolve().parents[2]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        servers.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            if address := re.search(r"http://\S+", line):
                return address[0]
        raise AssertionError(f"the server ended with {server.wait()}")

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait(20)


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """Open an address in a new tab of 1280 x 800 pixels; what goes wrong in the page fails the test."""
    tabs, errors = [], []

    def open_tab(address: str):
        tab = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(address)
        tabs.append(tab)
        return tab

    yield open_tab
    for tab in tabs:
        tab.context.close()
    assert not errors
