"""Slicer's own scene, from `slicer-core`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
if not hasattr(slicer, "vtkMRMLScene"):
    pytest.skip("PyPI's `slicer` is another package; install slicer-core", allow_module_level=True)

# These import slicer.
from host.mrml import Mrml  # noqa: E402
from host.two_scans import Known, run, volume  # noqa: E402
from LandmarkTrackerLib.jobs.match import SLICES  # noqa: E402
from LandmarkTrackerLib.scene.sections import matching  # noqa: E402
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


@pytest.fixture
def views(app):
    """The slice views of Slicer's layout "side by side"."""
    logics = []
    for name in ("Red", "Yellow"):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(app.logic)
        logic.SetMRMLScene(app.scene)
        logic.AddSliceNode(name)
        logics.append(logic)
    yield {logic.GetSliceNode().GetLayoutName(): logic for logic in logics}
    for logic in logics:
        logic.SetMRMLScene(None)


@pytest.fixture
def scans(scene):
    """Two volumes of noise."""
    pixels = np.random.default_rng(0).normal(size=(2, 8, 20, 24))
    return volume(scene, "before", pixels[0]), volume(scene, "after", pixels[1], (5.0, 5.0, 5.0))


@pytest.fixture
def matched(bench, scans, monkeypatch):
    """The workbench with pairs between them, and their two point lists."""
    monkeypatch.setattr(matching, "make_matcher", lambda *_: Known())
    monkeypatch.setattr(matching, "model_names", lambda: [SLICES])
    bench.matching.choose(*scans)
    assert bench.status == "Press Match."
    bench.matching.start()
    run(bench)
    assert not bench.problem
    return [subject.point_list for subject in bench.matching.matched]
