from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.methods.correspondence import input as pair_input
from LandmarkTrackerLib.methods.correspondence.input import PairInputConfig, grey_image


@pytest.mark.parametrize("thickness", [0.8, 4.0])
def test_slabs_give_the_same_grey_values_as_the_whole(
    thickness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).normal(0, 300, (90, 22, 26)).astype(np.float32)
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing((1.5, 1.5, thickness))
    image.SetOrigin((5.0, -7.0, 11.0))
    image.SetDirection((0.8, 0.0, 0.6, 0.0, 1.0, 0.0, -0.6, 0.0, 0.8))
    config = PairInputConfig(3, 2.0)
    parts = {}
    for slab in (7, 1000):
        monkeypatch.setattr(pair_input, "SLAB", slab)
        parts[slab] = grey_image(image, config)
    (grid, grey), (whole_grid, whole) = parts[7], parts[1000]
    assert grid == whole_grid
    assert grey.shape == grid.size[::-1]
    assert grey.std() > 0.05
    # The outermost pixels may lie beyond the image, where it is as dark as it ever is nearby.
    np.testing.assert_allclose(grey[1:-1], whole[1:-1], atol=1e-4)
