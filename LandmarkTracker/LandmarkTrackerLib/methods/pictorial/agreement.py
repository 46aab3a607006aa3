"""What several examples say of the same landmark, and whether they agree."""

from __future__ import annotations

import numpy as np

from LandmarkTrackerLib.landmarks import Array


def agreed(owners: Array, count: int, places: Array, sigma: Array) -> tuple[Array, Array]:
    """What several examples say of each landmark: the mean by inverse variance, and a sigma of how sure they
    are of themselves and how far they differ.

    Equation 3 of Frueh et al. 2022 weighs by 1 / sigma and asks nobody whether the answers agree; here an
    example that has failed should not count, and two that contradict each other must not be believed.

    Args:
        owners: (M,) which of the `count` landmarks each answer belongs to.
        places: (M, 2).
        sigma: (M,).

    Returns:
        (count, 2) places and (count,) sigma.
    """
    mine = owners == np.arange(count)[:, None]
    weights = mine * sigma**-2
    weights = weights / weights.sum(axis=1, keepdims=True)
    mean = weights @ places
    apart = ((places - mean[:, None]) ** 2).sum(axis=2)
    return mean, np.hypot(weights @ sigma, np.sqrt((weights * apart).sum(axis=1)))
