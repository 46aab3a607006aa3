"""A point tracker that computes only what its landmarks need.

A light encoder runs once a frame. Around the current estimate of each landmark, the features of the
exemplar's neighbourhood are correlated with a small window of the frame, at two scales, and a perceptron
reads from these correlations where to go next. The far step sees 48 pixels either way, the near steps 24;
what is left, a fraction of a pixel, is for `networks.alignment`.

Positions are pixels (column, row) from the centre of the first pixel; feature p of a level with stride s sits
at pixel s * p.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, normalize

from LandmarkTrackerLib.networks.sampling import sample

SUPPORT = 3  # the exemplar's neighbourhood: SUPPORT x SUPPORT features a level
WINDOW = 7  # the search window: WINDOW x WINDOW features a level
STRIDES = (4, 8, 16)


class Residual(nn.Module):
    """x + two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class Encoder(nn.Module):
    """(B, 1, H, W) brightness to unit feature vectors at strides 4, 8 and 16.

    Coarser levels reach back into finer ones only through the convolutions; there is no decoder, which would
    cost more than it tells a point that is searched coarse to fine.
    """

    def __init__(self, stem: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 5, stride=2, padding=2), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, width, 3, stride=2, padding=1), nn.ReLU(inplace=True), Residual(width)
            )
            for before, width in ((stem, fine), (fine, middle), (middle, coarse))
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, width, 1) for width in widths)

    def forward(self, image: Tensor) -> list[Tensor]:
        levels, features = [], self.stem(image)
        for stage, head in zip(self.stages, self.heads, strict=True):
            features = stage(features)
            levels.append(normalize(head(features), dim=1))
        return levels


class Reader(nn.Module):
    """Correlations of two levels to a step (2), log sigma (2) and presence (1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * SUPPORT**2 * WINDOW**2, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, 5),
        )
        self.sharpness = nn.Parameter(torch.tensor(10.0))

    def forward(self, correlations: Tensor, stride: int) -> Tensor:
        """(..., 2 levels, SUPPORT^2, WINDOW^2) to (..., 5).

        The step is that to the centre of the correlation's peak at the coarser level, of `stride` pixels, and
        what the perceptron adds, in the same unit.
        """
        out = self.layers(correlations.flatten(-3))
        probability = torch.softmax(self.sharpness * correlations[..., 1, :, :].mean(dim=-2), dim=-1)
        step = probability @ _steps(out.device, out.dtype) + out[..., :2]
        return torch.cat([stride * step, out[..., 2:]], dim=-1)


class TrackerNet(nn.Module):
    """See the module's text.

    Args:
        stem: channels at stride 2.
        widths: channels at strides 4, 8 and 16.
        reader: width of the perceptrons.
        near_steps: how often the estimate is moved after the far step.
    """

    def __init__(
        self,
        stem: int = 16,
        widths: tuple[int, int, int] = (32, 64, 64),
        reader: int = 128,
        near_steps: int = 2,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(stem, widths)
        self.far, self.near = Reader(reader), Reader(reader)
        self.near_steps = near_steps

    def encode(self, images: Tensor) -> list[Tensor]:
        """(B, 1, H, W) to features (B, C, H / s, W / s) at strides 4, 8, 16."""
        # Twice as fast on a CPU, and the search reads whole feature vectors.
        return self.encoder(images.contiguous(memory_format=torch.channels_last))

    def describe(self, levels: list[Tensor], points: Tensor) -> list[Tensor]:
        """The exemplar's neighbourhood of points (B, N, 2): (B, N, C, SUPPORT, SUPPORT) a level."""
        return [window(f, points / s, SUPPORT) for f, s in zip(levels, STRIDES, strict=True)]

    def steps(self, exemplars: list[Tensor], levels: list[Tensor], start: Tensor) -> list[Tensor]:
        """Every estimate on the way: (B, N, 7) position (2), log sigma (2), presence, and where it stood (2).

        Args:
            exemplars: of `describe`.
            levels: of `encode`, of the image to search.
            start: (B, N, 2) pixels.
        """
        at, answers = start, []
        for reader, fine in [(self.far, 1)] + [(self.near, 0)] * self.near_steps:
            # Each step stands on its own: gradients do not flow through where the last one ended.
            at = at.detach()
            seen = [correlate(exemplars[n], levels[n], at / STRIDES[n]) for n in (fine, fine + 1)]
            out = reader(torch.stack(seen, dim=-3), STRIDES[fine + 1])
            moved = at + out[..., :2]
            answers.append(torch.cat([moved, out[..., 2:], at], dim=-1))
            at = moved
        return answers

    def forward(self, key: Tensor, target: Tensor, exemplar: Tensor, start: Tensor) -> list[Tensor]:
        """`steps` for pairs of images (B, 1, H, W), points (B, N, 2) of the key, and where to start."""
        both = self.encode(torch.cat([key, target]))
        shown, searched = [f[: len(key)] for f in both], [f[len(key) :] for f in both]
        return self.steps(self.describe(shown, exemplar), searched, start)


def log_sigma(answers: Tensor) -> Tensor:
    """(..., 2) of answers of `TrackerNet.steps` (..., 7), within what training fits."""
    return answers[..., 2:4].clamp(-4, 4)


def window(features: Tensor, centres: Tensor, side: int) -> Tensor:
    """Bilinear samples on a side x side lattice around each centre; the border continues beyond the image.

    Args:
        features: (B, C, h, w).
        centres: (B, N, 2) (column, row) in feature pixels.
        side: lattice points a side, one feature apart.

    Returns:
        (B, N, C, side, side).
    """
    offsets = torch.arange(side, dtype=centres.dtype, device=centres.device) - (side - 1) / 2
    lattice = torch.stack(torch.meshgrid(offsets, offsets, indexing="xy"), dim=-1)
    at = centres[:, :, None, None] + lattice
    return sample(features, at, "border").transpose(1, 2)


def correlate(exemplar: Tensor, features: Tensor, centres: Tensor) -> Tensor:
    """How a neighbourhood would fit at every place of the window around each centre.

    Correlation and interpolation are both linear, so the few correlations are interpolated and not the many
    features: that reads whole feature vectors and is several times faster.

    Args:
        exemplar: (B, N, C, SUPPORT, SUPPORT).
        features: (B, C, h, w); the border continues beyond the image.
        centres: (B, N, 2) (column, row) in feature pixels.

    Returns:
        (B, N, SUPPORT^2, WINDOW^2): for each feature of the neighbourhood, the window moved likewise.
    """
    b, c, h, w = features.shape
    n, side = centres.shape[1], WINDOW + SUPPORT
    low = centres.floor()
    column, row = (
        (low[..., axis].long()[..., None] + _offsets(centres.device)).clamp(0, size - 1)
        for axis, size in ((0, w), (1, h))
    )
    batch = torch.arange(b, device=centres.device)[:, None, None, None] * (h * w)
    vectors = embedding(
        batch + row[..., :, None] * w + column[..., None, :], features.permute(0, 2, 3, 1).reshape(-1, c)
    )
    every = exemplar.flatten(3).transpose(2, 3) @ vectors.flatten(2, 3).transpose(2, 3)
    every = every.reshape(b, n, SUPPORT**2, side, side)
    right, down = (part[..., None, None, None] for part in (centres - low).unbind(dim=-1))
    every = every[..., :-1] * (1 - right) + every[..., 1:] * right
    every = every[..., :-1, :] * (1 - down) + every[..., 1:, :] * down
    # Feature k of the neighbourhood is to be found k steps further on: pick those places of the window.
    return every.flatten(3).gather(3, _places(centres.device).expand(b, n, -1, -1))


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # what is kept has to serve training too
def _offsets(device: torch.device) -> Tensor:
    """Whole places on either side of a centre that interpolation within the window needs."""
    side = WINDOW + SUPPORT
    return torch.arange(side, device=device) - (side - 2) // 2


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _steps(device: torch.device, dtype: torch.dtype) -> Tensor:
    """(WINDOW^2, 2) steps (columns, rows) from the window's centre."""
    steps = torch.arange(WINDOW, dtype=dtype, device=device) - (WINDOW - 1) / 2
    return torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).reshape(-1, 2)


@lru_cache(maxsize=4)
@torch.inference_mode(False)
def _places(device: torch.device) -> Tensor:
    """(SUPPORT^2, WINDOW^2) flat indices into the searched lattice."""
    side = WINDOW + SUPPORT - 1
    steps = torch.arange(WINDOW, device=device)
    corner = (steps[:, None] * side + steps).flatten()
    shift = torch.arange(SUPPORT, device=device)
    return (shift[:, None] * side + shift).flatten()[:, None] + corner
