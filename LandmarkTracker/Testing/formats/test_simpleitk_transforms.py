from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import simpleitk_transforms
from LandmarkTrackerLib.formats.scans import ScanPair
from LandmarkTrackerLib.formats.simpleitk_transforms import FILES


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("name", FILES.values())
def test_every_transform_sends_fixed_points_to_moving_ones(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], dimension: int, name: str
) -> None:
    scans = scan_pair(dimension)
    simpleitk_transforms.export(tmp_path, scans)
    fixed, moving = scans.points
    transform = sitk.ReadTransform(str(tmp_path / name))
    mapped = np.array([transform.TransformPoint(point) for point in fixed.tolist()])
    # The turn's matrix is rounded to three digits, which no rotation is exactly.
    np.testing.assert_allclose(mapped, moving, atol=0.02)


@pytest.mark.parametrize("dimension", [2, 3])
def test_simpleitk_itself_finds_the_same_affine_transform(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], dimension: int
) -> None:
    scans = scan_pair(dimension)
    simpleitk_transforms.export(tmp_path, scans)
    fixed, moving = scans.points
    theirs = sitk.LandmarkBasedTransformInitializer(
        sitk.AffineTransform(dimension), fixed.ravel().tolist(), moving.ravel().tolist()
    )
    ours = sitk.ReadTransform(str(tmp_path / "affine.tfm"))
    for point in np.random.default_rng(0).normal(0, 50, (5, dimension)).tolist():
        np.testing.assert_allclose(ours.TransformPoint(point), theirs.TransformPoint(point), atol=1e-4)


def test_the_script_warps_the_moving_image_on_the_fixed_one(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair]
) -> None:
    scans = scan_pair(3)
    bright = scans.moving.image * 0
    spot = bright.TransformPhysicalPointToIndex(scans.pairs.moving[0].tolist())
    bright[spot] = 1000.0
    scans = type(scans)(scans.fixed, type(scans.moving)(bright), scans.pairs)
    simpleitk_transforms.export(tmp_path, scans)
    subprocess.run([sys.executable, "warp.py", "rigid.tfm"], cwd=tmp_path, check=True)
    warped = sitk.ReadImage(str(tmp_path / "warped.mha"))
    assert warped.GetSize() == scans.fixed.image.GetSize()
    k, j, i = np.unravel_index(sitk.GetArrayFromImage(warped).argmax(), warped.GetSize()[::-1])
    found = warped.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
    assert np.linalg.norm(np.array(found) - scans.pairs.fixed[0]) < 4


def test_slicer_reads_the_transforms_as_moving_to_fixed_from_its_parent(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], slicer_app: SimpleNamespace
) -> None:
    """The moving image goes under the transform, which sends its points to the parent (RAS) as fixed ones."""
    scans = scan_pair(3)
    simpleitk_transforms.export(tmp_path, scans)
    for name in FILES.values():
        node = slicer_app.node("vtkMRMLTransformNode")
        storage = slicer_app.node("vtkMRMLTransformStorageNode")
        storage.SetFileName(str(tmp_path / name))
        assert storage.ReadData(node)
        from_parent = node.GetTransformFromParent()
        signs = np.array([-1, -1, 1])
        for fixed, moving in zip(scans.pairs.fixed[:4], scans.pairs.moving[:4], strict=True):
            np.testing.assert_allclose(
                np.array(from_parent.TransformPoint(*(fixed * signs))) * signs, moving, atol=0.02
            )


def test_few_pairs_give_the_transforms_that_they_can(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair]
) -> None:
    scans = scan_pair(3)
    few = ScanPair(scans.fixed, scans.moving, scans.pairs.select(np.arange(3)))
    simpleitk_transforms.export(tmp_path, few)
    assert (tmp_path / "rigid.tfm").exists()
    assert not (tmp_path / "affine.tfm").exists()
    assert "'rigid.tfm'" in (tmp_path / "warp.py").read_text()
    fewer = ScanPair(scans.fixed, scans.moving, scans.pairs.select(np.arange(2)))
    with pytest.raises(InputError, match="2 pairs are too few"):
        simpleitk_transforms.export(tmp_path, fewer)
