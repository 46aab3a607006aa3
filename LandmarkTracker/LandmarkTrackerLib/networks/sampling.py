"""Images read at points between their pixels, whole batches at a time. Nothing else calls `grid_sample`.

Points and translations are in pixels, (column, row[, slice]), from the centre of the first pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def sample(
    images: Tensor,
    points: Tensor,
    beyond: Literal["zeros", "border"] = "zeros",
    size: Sequence[int] | None = None,
    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear",
) -> Tensor:
    """Images (B, C, *spatial) at points (B, *output, d), by linear interpolation: (B, C, *output).

    Args:
        beyond: what is beyond the image, 0 or its border continued.
        size: columns, rows[, slices] of the image in whose pixels the points count, if it is another than
            this one that covers the same ground.
        mode: linear interpolation, the nearest pixel, or of slices cubic interpolation.
    """
    d = points.shape[-1]
    whole = torch.tensor(size or images.shape[:1:-1], dtype=points.dtype, device=points.device)
    # grid_sample counts from -1 to 1 from edge to edge of the border pixels.
    places = ((2 * points + 1) / whole - 1).to(images.dtype)
    listed = places.reshape(len(places), *[1] * (d - 1), -1, d)
    read = grid_sample(images, listed, mode=mode, padding_mode=beyond, align_corners=False)
    return read.reshape(*read.shape[:2], *points.shape[1:-1])


def warp(images: Tensor, affines: Tensor) -> Tensor:
    """Images (B, H, W) through affines (B, 2, 3), each to its own size; 0 from beyond the image."""
    rows, columns = images.shape[-2:]
    back = torch.linalg.inv(affines[:, :, :2])
    points = _lattice(columns, rows, images) - affines[:, None, None, :, 2]
    return sample(images[:, None], torch.einsum("bxy,bhwy->bhwx", back, points))[:, 0]


def cut(images: Tensor, centres: Tensor, linears: Tensor, gammas: Tensor, patch: int) -> Tensor:
    """K patches from each image, their centres in their middle; 0 from beyond the image (zero padding).

    Args:
        images: (B, H, W).
        centres: (B, K, 2).
        linears: (B, K, 2, 2) from offsets in the image to offsets in the patch.
        gammas: (B, K).
        patch: side P.

    Returns:
        (B, K, P, P).
    """
    offsets = _lattice(patch, patch, images) - (patch - 1) / 2
    points = torch.einsum("bkxy,hwy->bkhwx", torch.linalg.inv(linears), offsets) + centres[:, :, None, None]
    patches = sample(images[:, None], points)[:, 0]
    return patches.clamp(min=0) ** gammas[..., None, None]


def _lattice(columns: int, rows: int, like: Tensor) -> Tensor:
    """(rows, columns, 2) the points of a grid."""
    x = torch.arange(columns, dtype=like.dtype, device=like.device)
    y = torch.arange(rows, dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
