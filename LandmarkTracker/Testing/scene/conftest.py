"""Slicer's own scene, from `slicer-core`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
if not hasattr(slicer, "vtkMRMLScene"):
    pytest.skip("PyPI's `slicer` is another package; install slicer-core", allow_module_level=True)

# These import slicer.
from host.mrml import Mrml  # noqa: E402
from LandmarkTrackerLib.scene.workbench import Workbench  # noqa: E402


@pytest.fixture
def app() -> Iterator[Mrml]:
    app = Mrml()
    yield app
    app.close()


@pytest.fixture
def scene(app):
    return app.scene


@pytest.fixture
def bench(scene) -> Iterator[Workbench]:
    bench = Workbench(scene)
    yield bench
    bench.close()
