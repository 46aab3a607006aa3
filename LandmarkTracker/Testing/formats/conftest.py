"""What the tests of formats share: awkward landmarks and images, and the real Slicer to compare with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkPairs, LandmarkSet, Track

OBLIQUE = (0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8)


@pytest.fixture
def landmarks() -> LandmarkSet:
    """A point that no short decimal holds, a missing one, and one with a name that needs quoting."""
    return LandmarkSet(
        ("dome", "lost", 'rib 7, "left" é'),
        np.array([[1 / 3, -2.0, 1e-7], [0.0, 0.0, 0.0], [-104.93659210205001, 257.35, 141.75]]),
        np.array([[1.25, 0.1, 0.0], [0.0, 0.0, 0.0], [1 / 7, 2.0, 3.0]]),
        np.array([0.93, 0.0, 1 / 3]),
        np.array([True, False, True]),
    )


@pytest.fixture
def doubted(landmarks: LandmarkSet) -> LandmarkSet:
    """The same, of which the last needs a look."""
    return landmarks.uncertain_below(0.5)


@pytest.fixture
def assert_same() -> Callable[..., None]:
    """Assert that two sets are equal, to the last digit unless `rtol` says otherwise."""

    def check(a: LandmarkSet, b: LandmarkSet, rtol: float = 0.0) -> None:
        assert a.names == b.names
        assert [landmark.status for landmark in a] == [landmark.status for landmark in b]
        for array in ("positions", "sigmas", "scores"):
            np.testing.assert_allclose(getattr(a, array), getattr(b, array), rtol, atol=0)

    return check


@pytest.fixture
def track(landmarks: LandmarkSet) -> Track:
    """Three frames of a longer cine; the first landmark is lost in the second."""
    lost = np.array([True, False, False])
    frames = (landmarks, landmarks.without(lost), landmarks)
    return Track(np.array([100 / 3, 66.5, 1e3]), frames, "ms", (4, 5, 9))


@pytest.fixture
def volume() -> Callable[..., sitk.Image]:
    """Make a volume, oblique and anisotropic, with pixels that tell axes and frames apart."""

    def make(frame: int = 0, size: tuple[int, int, int] = (7, 5, 3), dtype: str = "int16") -> sitk.Image:
        pixels = np.arange(np.prod(size)).reshape(size[::-1]) + 1000 * frame
        image = sitk.GetImageFromArray(pixels.astype(dtype))
        image.SetSpacing((1.25, 1 / 3, 8.0))
        image.SetOrigin((-30.1, 12.25, 7.0))
        image.SetDirection(OBLIQUE)
        return image

    return make


@pytest.fixture
def slicer_app(tmp_path: Path) -> SimpleNamespace:
    """Slicer's own classes around a scene that can read and write files.

    `.node` makes a node of a class, `.stored` reads or writes it through a storage class, `.markups` and
    `.sequences` are the logics.
    """
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
    if not hasattr(slicer, "vtkMRMLScene"):
        pytest.skip("PyPI's `slicer` is another package; install slicer-core")
    scene = slicer.vtkMRMLScene()
    cache = slicer.vtkCacheManager()
    cache.SetRemoteCacheDirectory(str(tmp_path))
    cache.SetMRMLScene(scene)
    manager = slicer.vtkDataIOManager()
    manager.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(manager)
    selection = slicer.vtkMRMLSelectionNode()
    selection.SetSingletonTag("Singleton")
    scene.AddNode(selection)
    logics = [slicer.vtkSlicerMarkupsLogic(), slicer.vtkSlicerSequencesLogic()]
    for logic in logics:
        logic.SetMRMLScene(scene)

    def stored(node: object, storage_class: str, path: Path, write: bool = False) -> bool:
        storage = scene.AddNewNodeByClass(storage_class)
        storage.SetFileName(str(path))
        return bool((storage.WriteData if write else storage.ReadData)(node))

    markups, sequences = logics
    # The scene does not own its managers: they live as long as this namespace.
    return SimpleNamespace(
        node=scene.AddNewNodeByClass,
        stored=stored,
        markups=markups,
        sequences=sequences,
        kept=(scene, manager),
    )


@pytest.fixture
def scan_pair() -> Callable[[int], ScanPair]:
    """Make two oblique scans, slices (2) or volumes (3), and pairs that no mirrored axis would map alike.

    The moving points are the fixed ones turned by 20 degrees about the third axis of the scans and shifted by
    another amount along each axis. Grey values are noise: only the points say how the scans lie.
    """

    def make(dimension: int) -> ScanPair:
        rng = np.random.default_rng(dimension)
        size = (30, 26, 1) if dimension == 2 else (30, 26, 22)
        fixed, moving = (
            sitk.GetImageFromArray(rng.normal(100, 20, size[::-1]).astype(np.float32)) for _ in range(2)
        )
        for image, origin in ((fixed, (-41.5, 12.25, 7.0)), (moving, (-40.0, 14.0, 9.5))):
            image.SetSpacing((2.0, 2.5, 3.0))
            image.SetOrigin(origin)
            image.SetDirection(OBLIQUE)
        index = rng.uniform(0.2, 0.8, (12, 3)) * (np.array(size) - 1)
        axes = np.array(OBLIQUE).reshape(3, 3)
        turn = np.eye(3)
        turn[:2, :2] = [[0.94, -0.342], [0.342, 0.94]]
        grid = Grid.of(fixed)
        points = grid.to_world(index)
        middle = grid.to_world((np.array(size) - 1) / 2)
        shift = np.array([4.0, -2.5, 1.5 if dimension == 3 else 0.0])
        partners = (points - middle) @ (axes @ turn @ axes.T).T + middle + axes @ shift
        if dimension == 2:
            # Onto the moving slice's own plane, which lies elsewhere in space.
            partners = partners + axes[:, 2] * ((np.array(moving.GetOrigin()) - grid.origin) @ axes[:, 2])
        pairs = LandmarkPairs(points, partners, np.linspace(1, 0.5, 12))
        return ScanPair(Scan(fixed), Scan(moving), pairs)

    return make
