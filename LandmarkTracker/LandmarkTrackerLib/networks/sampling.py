"""Images and patches through affine maps, whole batches at a time, exact to a fraction of a pixel.

Points and translations are in pixels, (column, row), from the centre of the first pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def warp(images: Tensor, affines: Tensor) -> Tensor:
    """Images (B, H, W) through affines (B, 2, 3), each to its own size; 0 from beyond the image."""
    rows, columns = images.shape[-2:]
    back = torch.linalg.inv(affines[:, :, :2])
    points = _lattice(columns, rows, images) - affines[:, None, None, :, 2]
    return sample(images, torch.einsum("bxy,bhwy->bhwx", back, points))


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
    patches = sample(images, points.flatten(1, 2)).unflatten(1, (centres.shape[1], patch))
    return patches.clamp(min=0) ** gammas[..., None, None]


def _lattice(columns: int, rows: int, like: Tensor) -> Tensor:
    """(rows, columns, 2) the points of a grid."""
    x = torch.arange(columns, dtype=like.dtype, device=like.device)
    y = torch.arange(rows, dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def sample(images: Tensor, points: Tensor) -> Tensor:
    """Bilinear samples of (B, H, W) at (B, h, w, 2) points: (B, h, w); 0 beyond the image."""
    size = torch.tensor(images.shape[:0:-1], dtype=points.dtype, device=points.device)
    return grid_sample(images[:, None], (2 * points + 1) / size - 1, align_corners=False)[:, 0]
