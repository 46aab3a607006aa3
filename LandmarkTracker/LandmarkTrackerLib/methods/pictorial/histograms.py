"""What the surroundings of a point look like, however bright: histograms of gradient orientations.

Two rings of histograms around the point, as in DAISY (Tola, Lepetit, Fua 2010). Points are in pixels,
(column, row), counted from the centre of the first pixel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from LandmarkTrackerLib.networks.sampling import sample

ORIENTATIONS = 8
# Gradients below this share of the picture's brightness range are noise.
NOISE = 0.02


class Histograms:
    """Those of a picture; made once, then sampled around any points.

    Args:
        picture: (rows, columns) brightness 0 to 1.
        radius: of the inner ring, in pixels; the outer one has twice that.
    """

    def __init__(self, picture: Tensor, radius: float) -> None:
        smooth = blurred(picture[None, None], radius / 4)
        across = pad(smooth[..., 2:] - smooth[..., :-2], (1, 1, 0, 0))
        down = pad(smooth[..., 2:, :] - smooth[..., :-2, :], (0, 0, 1, 1))
        angle = (torch.arange(ORIENTATIONS, device=picture.device) * 2 * math.pi / ORIENTATIONS)[
            :, None, None
        ]
        along = (torch.cos(angle) * across + torch.sin(angle) * down).clamp_min(0)
        inner = blurred(along, radius / 3)
        outer = blurred(inner, radius / math.sqrt(3))
        # (2, orientations, rows, columns), each histogram of length 1 unless there is hardly a gradient.
        self._maps = torch.cat([m / (m.norm(dim=1, keepdim=True) + NOISE) for m in (inner, outer)])
        turns = torch.arange(ORIENTATIONS, device=picture.device) * 2 * math.pi / ORIENTATIONS
        half = math.pi / ORIENTATIONS
        self._inner = torch.cat([torch.zeros(1, 2, device=picture.device), radius * _circle(turns)])
        self._outer = 2 * radius * _circle(turns + half)

    def around(self, points: Tensor, angle: Tensor | None = None, scale: Tensor | None = None) -> Tensor:
        """(N, C) of length 1 around points (N, 2).

        Args:
            angle, scale: (N,) as the surroundings would look in a picture that is turned by this angle (from
                columns towards rows) and enlarged by this factor.
        """
        if angle is None or scale is None:
            parts = [self._sample(m, points[:, None] + o) for m, o in self._rings()]
            return _unit(torch.cat(parts, dim=1).flatten(1))
        cosine, sine = torch.cos(angle), torch.sin(angle)
        back = torch.stack([cosine, sine, -sine, cosine], dim=-1).view(-1, 2, 2) / scale[:, None, None]
        parts = [
            self._sample(m, points[:, None] + torch.einsum("nxy,ky->nkx", back, o)) for m, o in self._rings()
        ]
        return _unit(_turned(torch.cat(parts, dim=1), angle).flatten(1))

    def _rings(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        return (self._maps[:1], self._inner), (self._maps[1:], self._outer)

    @staticmethod
    def _sample(maps: Tensor, points: Tensor) -> Tensor:
        """(1, K, rows, columns) at (N, M, 2): (N, M, K)."""
        return sample(maps, points[None], "border")[0].permute(1, 2, 0)


def blurred(maps: Tensor, sigma: float) -> Tensor:
    """(1, C, rows, columns) or (C, 1, ...) after a Gaussian; the border is continued."""
    radius = math.ceil(2.5 * sigma)
    at = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    flat = maps.view(-1, 1, *maps.shape[-2:])
    flat = conv2d(pad(flat, (radius, radius, 0, 0), mode="replicate"), kernel)
    flat = conv2d(pad(flat, (0, 0, radius, radius), mode="replicate"), kernel.transpose(2, 3))
    return flat.view_as(maps)


def _circle(angles: Tensor) -> Tensor:
    return torch.stack([torch.cos(angles), torch.sin(angles)], dim=1)


def _turned(histograms: Tensor, angle: Tensor) -> Tensor:
    """(N, M, K) with every orientation turned by (N,) angles, between two bins in proportion."""
    bins = torch.arange(ORIENTATIONS, device=angle.device) - angle[:, None] * ORIENTATIONS / (2 * math.pi)
    below = bins.floor()
    share = (bins - below)[:, None]
    low, high = (
        histograms.gather(2, (n % ORIENTATIONS).long()[:, None].expand_as(histograms))
        for n in (below, below + 1)
    )
    return low * (1 - share) + high * share


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1e-3)
