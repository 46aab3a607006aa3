"""How tissue moves from one frame of a cine to another, drawn at random. Everything is in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from LandmarkTrackerLib.geometry import rotation
from LandmarkTrackerLib.simulation.deformation import Deformation, Smooth

# Of `draw_bumps`: the shift of the whole slice to either side, and the width of local movements.
SHIFT_MM, BUMP_MM = 6.0, 20.0


def draw_motion(
    rng: np.random.Generator, size: int, shift: float, smooth: float, ripple: float
) -> Deformation:
    """A small similarity and a smooth displacement of S x S pixels; in half of the draws, a finer one too.

    Args:
        shift: standard deviation of the common shift along each axis.
        smooth, ripple: how far the longest displacement reaches at most, and that of the finer ones.
    """
    linear = rotation(rng.normal(0, 0.06)) * np.exp(rng.normal(0, 0.05))
    moves = rng.normal(0, shift, 2)
    parts = [draw_smooth(rng, size, rng.uniform(0, smooth))]
    if rng.random() < 0.5:
        parts.append(draw_smooth(rng, size, rng.uniform(0, ripple)))
    return Deformation(np.full(2, size / 2), linear, moves, tuple(parts))


def draw_smooth(rng: np.random.Generator, size: int, reach: float) -> Smooth:
    """Smooth random displacements of S x S pixels, the longest of which has `reach` pixels."""
    knots = int(rng.integers(3, 8))
    drawn = Smooth.through(rng.normal(size=(2, knots, knots)).transpose(0, 2, 1), (size, size))
    line = np.arange(size, dtype=float)
    return drawn.times(reach / np.linalg.norm(drawn.on_axes((line, line)), axis=0).max())


def draw_bumps(
    rng: np.random.Generator, size: Sequence[int], spacing_mm: float, local_mm: float
) -> Deformation:
    """What a heart or a breath may do between two frames: the whole slice turns, grows and shifts a little,
    and every part of it deforms in its own way: the standard deviation of a bump is `local_mm`."""
    whole, width = np.array(size), BUMP_MM / spacing_mm
    turn = rotation(np.radians(rng.uniform(-3, 3)))
    shift = rng.uniform(-SHIFT_MM, SHIFT_MM, 2) / spacing_mm
    # So many that they cover the field.
    count = int(np.ceil(np.prod(whole) / (2 * np.pi * width**2)))
    moves = rng.normal(0, local_mm / spacing_mm, (count, 2))
    at = rng.uniform(0, 1, (count, 2)) * (whole - 1)
    bumps = Smooth.bumps(at, moves, width)
    return Deformation((whole - 1) / 2, turn * rng.uniform(0.96, 1.04), shift, (bumps,))
