from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import elastix
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.landmarks import LandmarkPairs


@pytest.mark.parametrize("dimension", [2, 3])
def test_points_survive_to_the_last_digit(tmp_path: Path, dimension: int) -> None:
    points = np.random.default_rng(0).normal(size=(5, dimension)) / 3
    elastix.write_points(tmp_path / "p.txt", points)
    assert (tmp_path / "p.txt").read_text().splitlines()[:2] == ["point", "5"]
    np.testing.assert_array_equal(elastix.parse(tmp_path / "p.txt").values(), points)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node\n1\n1 2 3\n", "neither 'point' nor 'index'"),
        ("point\n2\n1 2 3\n", "says 2 points"),
        ("point\n1\n1 2 x\n", "not a number"),
        ("point\n", "not a number"),
    ],
)
def test_a_bad_point_file_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        elastix.parse(tmp_path / "p.txt")


def exported(folder: Path, scans: ScanPair) -> tuple[np.ndarray, np.ndarray]:
    folder.mkdir()
    elastix.export(folder, scans)
    return tuple(elastix.parse(folder / f"{role}_points.txt").values() for role in ("fixed", "moving"))


def register(folder: Path, images: tuple[str, str], **changes: str) -> Any:
    """What register.sh asks of elastix, by the same files."""
    itk = pytest.importorskip("itk", reason="itk-elastix is not installed")
    parameters = itk.ParameterObject.New()
    for name in elastix.STAGES:
        parameters.AddParameterFile(str(folder / name))
    for key, value in changes.items():
        for stage in range(len(elastix.STAGES)):
            parameters.SetParameter(stage, key, value)
    fixed, moving = (itk.imread(str(folder / name), itk.F) for name in images)
    _, found = itk.elastix_registration_method(
        fixed,
        moving,
        parameter_object=parameters,
        fixed_point_set_file_name=str(folder / "fixed_points.txt"),
        moving_point_set_file_name=str(folder / "moving_points.txt"),
        log_to_console=False,
    )
    itk.transformix_filter(
        moving,
        found,
        fixed_point_set_file_name=str(folder / "fixed_points.txt"),
        output_directory=str(folder),
    )
    return elastix.parse_output_points(folder / "outputpoints.txt").values()


@pytest.mark.parametrize("dimension", [2, 3])
def test_elastix_sends_the_fixed_points_to_the_moving_ones(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair], dimension: int
) -> None:
    scans = scan_pair(dimension)
    fixed, moving = exported(tmp_path / "elastix", scans)
    assert fixed.shape == (12, dimension)
    # In noise only the points pull.
    answer = register(
        tmp_path / "elastix",
        scans_files(tmp_path / "elastix", scans),
        Metric1Weight="1.0",
        NumberOfSpatialSamples="200",
        NumberOfResolutions="2",
        MaximumNumberOfIterations="80",
    )
    before = np.linalg.norm(moving - fixed, axis=1)
    after = np.linalg.norm(moving - answer, axis=1)
    assert before.max() > 8
    assert after.mean() < 0.15 * before.mean()


def scans_files(folder: Path, scans: ScanPair) -> tuple[str, str]:
    assert (folder / "register.sh").read_text().count("elastix -f fixed.mha -m moving.mha -fp") == 1
    return scans.images(folder)


def ribs(shift: float) -> sitk.Image:
    """Stripes 16 mm apart and one spot, all of it shifted along the rows."""
    x, y = np.meshgrid(np.arange(64.0) - shift, np.arange(64.0))
    spot = np.exp(-((x - 30) ** 2 + (y - 20) ** 2) / 60)
    grey = 100 * np.cos(2 * np.pi * x / 16) + 60 * np.cos(2 * np.pi * y / 40) + 40 * spot
    return sitk.GetImageFromArray(grey[None].astype(np.float32))


def test_pairs_keep_elastix_from_slipping_by_one_rib(tmp_path: Path) -> None:
    shift = np.array([13.0, 0.0])
    fixed = np.array([[20.0, 20, 0], [40, 22, 0], [25, 44, 0], [44, 40, 0], [32, 30, 0]])
    pairs = LandmarkPairs(fixed, fixed + (*shift, 0), np.ones(5))
    scans = ScanPair(Scan(ribs(0)), Scan(ribs(shift[0])), pairs)
    off = {}
    for weights in ((), elastix.Settings().points):
        folder = tmp_path / str(len(weights))
        exported(folder, scans)
        settings = elastix.Settings(points=weights, iterations=60)
        for name, stage in elastix.STAGES.items():
            (folder / name).write_text(elastix.parameters(stage, settings))
        answer = register(folder, scans_files(folder, scans))
        off[len(weights)] = np.linalg.norm(answer - fixed[:, :2] - shift, axis=1)
    assert off[0].min() > 10
    assert off[4].max() < 1


def test_points_and_bending_have_their_weights_and_points_may_be_left_out() -> None:
    text = elastix.parameters("b-spline", elastix.Settings(points=(0.25, 0.125), bending=7))
    assert '(Metric "AdvancedMattesMutualInformation" "CorrespondingPointsEuclideanDistanceMetric" ' in text
    assert "(Metric1Weight 0.25 0.125)" in text
    assert "(Metric2Weight 7)" in text
    without = elastix.parameters("affine", elastix.Settings(points=()))
    assert '(Metric "AdvancedMattesMutualInformation")' in without


def test_a_volume_with_a_file_is_not_copied(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    scans = scan_pair(3)
    path = tmp_path / "my scan.mha"
    sitk.WriteImage(scans.fixed.image, str(path))
    exported(tmp_path / "elastix", ScanPair(Scan(scans.fixed.image, path), scans.moving, scans.pairs))
    assert not (tmp_path / "elastix" / "fixed.mha").exists()
    assert f"-f '{path}' -m moving.mha" in (tmp_path / "elastix" / "register.sh").read_text()


def test_slices_are_written_in_their_own_plane(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    scans = scan_pair(2)
    fixed, _ = exported(tmp_path / "elastix", scans)
    flat = sitk.ReadImage(str(tmp_path / "elastix" / "fixed.mha"))
    assert flat.GetDimension() == 2
    for point, world in zip(fixed.tolist(), scans.pairs.fixed.tolist(), strict=True):
        here = flat.TransformPhysicalPointToContinuousIndex(point)
        there = scans.fixed.image.TransformPhysicalPointToContinuousIndex(world)
        np.testing.assert_allclose(here, there[:2], atol=1e-6)


def test_what_is_not_from_transformix_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o.txt").write_text("point\n1\n1 2 3\n")
    with pytest.raises(InputError, match="no OutputPoint"):
        elastix.parse_output_points(tmp_path / "o.txt")
