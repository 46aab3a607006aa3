"""What neighbours know about each other's motion: Gaussian process regression of displacements.

Tissue moves smoothly, but how smoothly differs from image to image and from frame to frame. Each frame's own
points say it: among a few length scales and amplitudes, that of the largest marginal likelihood is taken. A
point that saw its own motion well keeps it; one without texture follows its neighbours; one that contradicts
them all counts less (weights of Student's t, by leave-one-out residuals).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Length scale and amplitude, pixels.
SMOOTHNESS = (
    (10.0, 2.0), (10.0, 6.0), (20.0, 1.0), (20.0, 4.0), (40.0, 0.5),
    (40.0, 2.0), (80.0, 0.5), (80.0, 2.0), (80.0, 6.0), (160.0, 6.0),
)  # fmt: skip
FIRST = 5  # of these, to doubt by before one is chosen
COMMON, SHEAR = 10.0, 0.1  # shift (pixels) and affine motion of all points together
OWN = 0.15  # pixels that a point may move against its neighbours
FREEDOM, ROUNDS = 2.0, 2


@dataclass(frozen=True)
class Neighbours:
    """Points that move together, and how: known once they are chosen.

    Attributes:
        kernels: (K, M, M) covariances of their displacements under every smoothness, pixels squared.
    """

    kernels: Tensor

    @staticmethod
    def of(points: Tensor) -> Neighbours:
        """Of points (M, 2), pixels."""
        x = points.double()
        apart = torch.cdist(x, x).square()
        centred = x - x.mean(dim=0)
        own = torch.eye(len(x), dtype=x.dtype, device=x.device)
        shared = COMMON**2 + SHEAR**2 * centred @ centred.T + OWN**2 * own
        return Neighbours(
            torch.stack(
                [shared + size**2 * torch.exp(-apart / (2 * length**2)) for length, size in SMOOTHNESS]
            )
        )

    def agree(self, moves: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
        """The motion of the points, given what was measured at all of them.

        Args:
            moves: (M, 2) measured displacements, pixels.
            variances: (M, 2) of them, pixels squared.

        Returns:
            (M, 2) displacements and (M, 2) variances.
        """
        u, noise = moves.double(), variances.double().T
        middle = u.median(dim=0).values
        measured = (u - middle).T
        doubted = noise * _doubt(self.kernels[FIRST], noise, noise, measured)
        kernel = self.kernels[_likeliest(self.kernels, doubted, measured)]
        for _ in range(ROUNDS):
            doubted = noise * _doubt(kernel, noise, doubted, measured)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + torch.diag_embed(doubted)))
        answer = (kernel @ inverse @ measured[..., None])[..., 0].T + middle
        left = kernel.diagonal() - (kernel @ inverse * kernel).sum(dim=-1)
        return answer.to(moves.dtype), left.T.clamp(min=1e-6).to(moves.dtype)


def _doubt(kernel: Tensor, noise: Tensor, doubted: Tensor, measured: Tensor) -> Tensor:
    """(M,) by what the variance `noise` (2, M) of each point's measurement grows, seeing how far the others'
    answer for it, with the variances `doubted` of the last round, is from what was measured."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel + torch.diag_embed(doubted)))
    own = inverse.diagonal(dim1=-2, dim2=-1)
    # Leave one out: the residual is pull / own, and 1 / own its variance with the measurement's, which counts
    # here as if it were not doubted: a doubt must not allay itself.
    off = (inverse @ measured[..., None])[..., 0] / own
    surprise = (off.square() / (1 / own - doubted + noise)).sum(dim=0)
    return ((FREEDOM + surprise) / (FREEDOM + 2)).clamp(min=1)


def _likeliest(kernels: Tensor, noise: Tensor, measured: Tensor) -> int:
    factors = torch.linalg.cholesky(kernels[:, None] + torch.diag_embed(noise))
    whitened = torch.linalg.solve_triangular(
        factors, measured[..., None].expand(len(factors), -1, -1, 1), upper=False
    )
    spread = factors.diagonal(dim1=-2, dim2=-1).log().sum(dim=(1, 2))
    return int((-whitened.square().sum(dim=(1, 2, 3)) / 2 - spread).argmax())
