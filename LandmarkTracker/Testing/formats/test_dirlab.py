from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import dirlab
from LandmarkTrackerLib.formats.scans import ScanPair
from LandmarkTrackerLib.geometry import Grid


def test_voxels_count_from_one_in_columns_rows_slices(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair]
) -> None:
    grid = Grid.of(scan_pair(3).fixed.image)
    points = grid.to_world([[0, 0, 0], [29, 25, 21], [3.4, 7.6, 11.0]])
    dirlab.write_points(tmp_path / "p.txt", points, grid)
    assert (tmp_path / "p.txt").read_text() == "1\t1\t1\n30\t26\t22\n4\t9\t12\n"
    back = dirlab.parse(tmp_path / "p.txt").landmarks(grid).positions
    np.testing.assert_allclose(grid.to_index(back), [[0, 0, 0], [29, 25, 21], [3, 8, 11]], atol=1e-9)


def test_no_point_moves_by_more_than_half_a_voxel(
    tmp_path: Path, scan_pair: Callable[[int], ScanPair]
) -> None:
    scans = scan_pair(3)
    dirlab.export(tmp_path, scans)
    for role in ("fixed", "moving"):
        grid = Grid.of(getattr(scans, role).image)
        back = dirlab.parse(tmp_path / f"{role}_xyz.txt").landmarks(grid).positions
        apart = grid.to_index(back) - grid.to_index(getattr(scans.pairs, role))
        assert np.abs(apart).max() <= 0.5 + 1e-9


def test_a_point_off_the_scan_has_no_voxel(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    grid = Grid.of(scan_pair(3).fixed.image)
    with pytest.raises(InputError, match="outside its scan"):
        dirlab.write_points(tmp_path / "p.txt", grid.to_world([[40, 0, 0]]), grid)


@pytest.mark.parametrize("text", ["1 2\n", "1 2 3.5\n", "-1 1 1\n"])
def test_what_is_no_voxel_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(InputError, match="three whole"):
        dirlab.parse(tmp_path / "p.txt")


def test_slices_are_refused(tmp_path: Path, scan_pair: Callable[[int], ScanPair]) -> None:
    with pytest.raises(InputError, match="volumes only"):
        dirlab.export(tmp_path, scan_pair(2))
