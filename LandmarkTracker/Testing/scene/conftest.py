"""Slicer's own scene, from `slicer-core`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
if not hasattr(slicer, "vtkMRMLScene"):
    pytest.skip("PyPI's `slicer` is another package; install slicer-core", allow_module_level=True)

from host.mrml import Mrml  # noqa: E402 - it imports slicer


@pytest.fixture
def app() -> Iterator[Mrml]:
    app = Mrml()
    yield app
    app.close()


@pytest.fixture
def scene(app):
    return app.scene
