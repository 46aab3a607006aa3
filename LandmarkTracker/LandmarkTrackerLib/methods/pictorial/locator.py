"""From one subject to another without training: a constellation of points, coarse to fine, there and back.

The landmarks and salient points around them hang together by springs (`springs`); each looks for what its
surroundings looked like in the example (`histograms`). All move together, first over a large part of a small
picture, then in small steps in larger ones, with their surroundings turned and scaled as neighbours have
moved. What is found is sought in the example again: where that ends far from the landmark, nothing was
found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from torch import Tensor

from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.pictorial.agreement import agreed
from LandmarkTrackerLib.methods.pictorial.histograms import Histograms, blurred
from LandmarkTrackerLib.methods.pictorial.springs import min_marginals, spanning_tree
from LandmarkTrackerLib.methods.protocols import Example, Examples, names_of, trust
from LandmarkTrackerLib.networks.sampling import sample
from LandmarkTrackerLib.weights import pick_device


@dataclass(frozen=True)
class Level:
    """One step from coarse to fine.

    Attributes:
        size: side of the square picture, in pixels.
        radius: of the inner ring of histograms, in pixels.
        reach: how far a point may move from where the level before has put it, in pixels; a `Start` says so
            for the coarsest.
    """

    size: int
    radius: float
    reach: int


@dataclass(frozen=True)
class Start:
    """One way to begin, at the coarsest level. Where two ways end apart, neither can be relied on.

    Attributes:
        reach: see `Level`.
        framing: cost of a move by 8 pixels: images of one kind of examination are framed alike.
        stiffness: of the springs.
    """

    reach: int
    framing: float
    stiffness: float


COARSE, SECOND, *FINE = (Level(64, 3.5, 0), Level(128, 4.0, 6), Level(256, 5.0, 4), Level(512, 6.0, 4))
# Framed as the example and hardly deformed; or anywhere, and free to deform.
STARTS = (Start(14, 0.2, 6.0), Start(16, 0.05, 2.0))
# What a move by 8 pixels of the coarsest level counts when one start is chosen.
FRAMING = 0.08
# Stiffness of a spring as long as one pixel of its level, softened for short ones.
STIFFNESS, SHORT = 0.5, 2.0
# Cost of a place beyond the image.
OUTSIDE = 0.3
# Salient points that help, and how far apart they are, as a share of the field.
HELPERS, APART = 60, 1 / 16
# Neighbours that say how a point's surroundings have turned.
NEIGHBOURS = 8
# Sigma as a share of the longer side: never less, and above which there is no answer. Sigma itself is the
# disagreement as it is: it covers too many errors on hand radiographs (92 %), too few on hearts (40 %).
SIGMA_LEAST, MAX_SIGMA = 0.002, 0.0175


class View:
    """What one image shows at every level; histograms are made when they are first asked for.

    Points are shares of the field, 0 to 1 along columns and rows.

    Raises:
        InputError: the image has more than one slice.
    """

    def __init__(self, image: sitk.Image, device: torch.device) -> None:
        self.grid = Grid.of(image)
        self._device = device
        self._pictures: dict[int, Tensor] = {}
        finest = self.levels[-1].size
        shown = self.field(finest).show(image)
        for level in self.levels:
            # The finest picture's pixels are the longer side's, however large the image is.
            coarser = Field((level.size, level.size), finest / level.size)
            whole = Grid((finest, finest, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
            picture = shown if level.size == finest else coarser.resample(shown, whole)
            self._pictures[level.size] = torch.from_numpy(picture).to(device)
        self._histograms: dict[Level, Histograms] = {}
        self._everywhere: Tensor | None = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those that are not much finer than the image itself."""
        finest = max(self.grid.size[:2])
        return (COARSE, SECOND, *(level for level in FINE if level.size <= 1.5 * finest))

    @property
    def extent(self) -> float:
        """mm along the longer side."""
        return float(max(n * mm for n, mm in zip(self.grid.size[:2], self.grid.spacing, strict=False)))

    def field(self, size: int) -> Field:
        return Field((size, size), self.extent / size, fit=True)

    def histograms(self, level: Level) -> Histograms:
        if level not in self._histograms:
            self._histograms[level] = Histograms(self._pictures[level.size], level.radius)
        return self._histograms[level]

    def everywhere(self, level: Level) -> Tensor:
        """(C, size x size) histograms around every pixel of the coarsest level."""
        if self._everywhere is None:
            at = torch.arange(level.size, dtype=torch.float32, device=self._device)
            points = torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1).view(-1, 2)
            self._everywhere = self.histograms(level).around(points).T
        return self._everywhere

    def salient(self, count: int) -> Tensor:
        """(at most `count`, 2) points where much changes, well apart, the strongest first."""
        size = COARSE.size
        picture = blurred(self._pictures[size][None, None], 1.0)[0, 0]
        strength = torch.zeros_like(picture)
        across, down = picture[1:-1, 2:] - picture[1:-1, :-2], picture[2:, 1:-1] - picture[:-2, 1:-1]
        edge = 3
        strength[1:-1, 1:-1] = torch.hypot(across, down)
        strength = blurred(strength[None, None], 1.0)[0, 0]
        strength[:edge] = strength[-edge:] = strength[:, :edge] = strength[:, -edge:] = 0
        least, apart = 0.05 * float(strength.max()), APART * size
        points: list[tuple[int, int]] = []
        at = torch.arange(size, device=self._device)
        while len(points) < count and float(strength.max()) > max(least, 1e-6):
            row, column = divmod(int(strength.argmax()), size)
            points.append((column, row))
            strength[(at[:, None] - row).square() + (at - column).square() < apart**2] = 0
        return (torch.tensor(points, dtype=torch.float32, device=self._device).view(-1, 2) + 0.5) / size

    def from_world(self, positions: Array) -> Tensor:
        """LPS mm (N, 3) to (N, 2)."""
        field = self.field(1)
        points = field.from_index(self.grid, self.grid.to_index(positions))
        return torch.from_numpy(points + 0.5).float().to(self._device)

    def to_world(self, points: Tensor) -> Array:
        """(N, 2) to LPS mm (N, 3)."""
        return self.grid.to_world(self.field(1).to_index(self.grid, points.double().cpu().numpy() - 0.5))


class PictorialLocator:
    """Finds landmarks of one subject in others of the same kind of image; needs no training.

    Works on slices of any size and spacing. Several examples: each answers, see `agreed`. It does not search
    near the last answer: a neighbouring frame is another subject to it.

    Attributes:
        max_sigma_mm: infinite: what is too uncertain depends on the size of the image, and `locate` itself
            calls it missing, above `MAX_SIGMA` of the longer side.
    """

    def __init__(self, device: str = "auto") -> None:
        self._device = torch.device(pick_device(device))
        self.max_sigma_mm = np.inf

    @torch.inference_mode()
    def describe(self, image: sitk.Image, landmarks: LandmarkSet) -> Examples:
        """Raises InputError if the image has more than one slice."""
        return (Example(landmarks, View(image, self._device)),)

    @torch.inference_mode()
    def locate(self, examples: Examples, image: sitk.Image, prior: LandmarkSet | None = None) -> LandmarkSet:
        """There and back again, for every example.

        Raises:
            InputError: the image has more than one slice.
        """
        names, target = names_of(examples), View(image, self._device)
        owners, places, errors = [], [], []
        for example in examples:
            shown: View = example.features
            clicked = shown.from_world(example.landmarks.positions)
            found, doubt = constellation(shown, clicked, target)
            back, _ = constellation(target, found, shown)
            error = torch.hypot((back - clicked).norm(dim=1), doubt)
            # Where its neighbours are lost, a landmark that finds its way back may do so by chance.
            errors.append(torch.hypot(error, error.mean()).double().cpu().numpy())
            owners.append([names.index(name) for name in example.landmarks.names])
            places.append(found.double().cpu().numpy())
        share = np.maximum(np.concatenate(errors), SIGMA_LEAST)
        points, sigma = agreed(np.concatenate(owners), len(names), np.concatenate(places), share)
        sigma_mm = sigma * target.extent
        sigmas = np.column_stack([sigma_mm, sigma_mm, np.zeros(len(names))])
        scores = trust(sigma_mm, 0.02 * target.extent)
        positions = target.to_world(torch.from_numpy(points))
        return LandmarkSet(names, positions, sigmas, scores, sigma <= MAX_SIGMA)


def constellation(shown: View, points: Tensor, target: View) -> tuple[Tensor, Tensor]:
    """Where points (N, 2) of one view are in another; and how far apart (N,) two ways to begin put them.

    Both are shares of the field.
    """
    helpers = shown.salient(HELPERS)
    helpers = helpers[torch.cdist(helpers, points).amin(dim=1) > APART / 2.5]
    nodes = torch.cat([points, helpers])
    parents = spanning_tree(nodes)
    turn = torch.zeros(len(nodes), device=nodes.device)
    begun: list[tuple[Tensor, float, float]] = []
    for start in STARTS:
        ways = []
        # The second start takes the size of the first.
        for scale in [begun[0][2]] if begun else _scales(shown, target):
            framed, scales = (nodes - 0.5) * scale + 0.5, torch.full_like(turn, scale)
            placed, _ = _step(COARSE, shown, nodes, target, framed, (turn, scales), parents, start)
            turned = _local_turn(nodes, placed)
            placed, cost = _step(SECOND, shown, nodes, target, placed, turned, parents)
            moved = (placed - framed).square().sum() * COARSE.size**2 / 64
            ways.append((placed, cost + FRAMING * float(moved), scale))
        begun.append(min(ways, key=lambda way: way[1]))
    placed = min(begun, key=lambda way: way[1])[0]
    doubt = (begun[0][0] - begun[1][0])[: len(points)].norm(dim=1)
    for level in FINE:
        if level in shown.levels and level in target.levels:
            placed, _ = _step(level, shown, nodes, target, placed, _local_turn(nodes, placed), parents)
    return placed[: len(points)], doubt


def _scales(shown: View, target: View) -> list[float]:
    """How much larger the subject may appear in the target's field: as much, or so that a mm is a mm."""
    ratio = shown.extent / target.extent
    return [1.0, ratio] if 0.1 < abs(math.log(ratio)) < math.log(3) else [1.0]


def _step(
    level: Level,
    shown: View,
    nodes: Tensor,
    target: View,
    placed: Tensor,
    turned: tuple[Tensor, Tensor],
    parents: list[int],
    start: Start | None = None,
) -> tuple[Tensor, float]:
    """Move the nodes (N, 2) from where they are placed (N, 2) in the target; and the cost of all together.

    Args:
        turned: (N,) angle and (N,) scale of their surroundings.
        start: how to begin, at the coarsest level.
    """
    size, reach = level.size, start.reach if start else level.reach
    stiffness = start.stiffness if start else STIFFNESS
    wanted = shown.histograms(level).around(nodes * size - 0.5, *turned)
    at = torch.arange(-reach, reach + 1.0, device=nodes.device)
    moves = torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1)
    places = placed[:, None, None] + moves / size
    if start:
        likeness = (wanted @ target.everywhere(level)).view(1, -1, size, size).transpose(0, 1)
        costs = 1 - sample(likeness, places * size - 0.5, "border")[:, 0]
        costs = costs + start.framing * moves.square().sum(dim=-1) / 64
    else:
        there = target.histograms(level).around(places.view(-1, 2) * size - 0.5)
        costs = 1 - torch.einsum("nc,nmc->nm", wanted, there.view(len(nodes), -1, wanted.shape[1]))
        costs = costs.view(len(nodes), len(at), len(at))
    costs = costs + OUTSIDE * ((places < 0) | (places > 1)).any(dim=-1)
    edges = (nodes - nodes[torch.tensor(parents, device=nodes.device).clamp_min(0)]).norm(dim=1) * size
    total = min_marginals(costs, parents, stiffness / (edges.square() + SHORT**2))
    return placed + (_lowest(total) - reach) / size, float(total[0].min())


def _lowest(costs: Tensor) -> Tensor:
    """(N, 2) column and row of the lowest of (N, L, L), between pixels by a parabola along each."""
    side = costs.shape[-1]
    lowest = costs.flatten(1).argmin(dim=1)
    row, column = lowest // side, lowest % side
    rows = torch.arange(len(costs), device=costs.device)

    def vertex(before: Tensor, here: Tensor, after: Tensor, inside: Tensor) -> Tensor:
        curvature = (before - 2 * here + after).clamp_min(1e-9)
        return torch.where(inside, (0.5 * (before - after) / curvature).clamp(-0.5, 0.5), 0.0)

    here, within = costs[rows, row, column], range(1, side - 1)
    c, r = column.clamp(within[0], within[-1]), row.clamp(within[0], within[-1])
    across = vertex(costs[rows, row, c - 1], here, costs[rows, row, c + 1], c == column)
    down = vertex(costs[rows, r - 1, column], here, costs[rows, r + 1, column], r == row)
    return torch.stack([column + across, row + down], dim=1)


def _local_turn(nodes: Tensor, placed: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) angle and scale by which each node's neighbours have turned around it and moved apart."""
    distance = torch.cdist(nodes, nodes)
    width = 0.7 * distance.sort(dim=1).values[:, min(NEIGHBOURS, len(nodes) - 1), None] + 1e-6
    weight = torch.exp(-0.5 * (distance / width) ** 2)
    weight = weight / weight.sum(dim=1, keepdim=True)
    before, after = (p[None] - (weight @ p)[:, None] for p in (nodes, placed))
    along = (weight * (before * after).sum(dim=-1)).sum(dim=1)
    across = (weight * (before[..., 0] * after[..., 1] - before[..., 1] * after[..., 0])).sum(dim=1)
    spread = (weight * before.square().sum(dim=-1)).sum(dim=1)
    angle = torch.atan2(across, along).clamp(-0.7, 0.7)
    scale = torch.hypot(along, across) / spread.clamp_min(1e-9)
    return angle, torch.where(spread > 1e-9, scale, 1.0).clamp(0.7, 1.4)
