"""Points that two volumes of any modality share: keypoints, self-similarity, and a common search.

After Heinrich et al. (*corrField*, MICCAI 2015) and Siebert et al. (*convexAdam*, 2021); nothing is trained
but the score.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import is_constant
from LandmarkTrackerLib.landmarks import Array, LandmarkPairs
from LandmarkTrackerLib.methods.volume_matcher.keypoints import apart, keypoints
from LandmarkTrackerLib.methods.volume_matcher.levels import Level, pyramid, working_spacing
from LandmarkTrackerLib.methods.volume_matcher.mind import mind_ssc
from LandmarkTrackerLib.methods.volume_matcher.motion import Motion, Nodes, robust_affine
from LandmarkTrackerLib.methods.volume_matcher.pose import KEPT, POSES, poses
from LandmarkTrackerLib.methods.volume_matcher.score import Evidence, Seen, chances
from LandmarkTrackerLib.methods.volume_matcher.search import Found, costs, coupled, warped
from LandmarkTrackerLib.step import Step
from torch import Tensor

LEVELS = 4
NODES = 5  # voxels of the finest level between the nodes of a motion
TOLERANCE, VOXELS = 2.0, 2.0  # mm, but not more than so many voxels: a pair that is closer is right
CELLS = 8  # tolerances along a cell of the body, for the coverage
# Each cube gives its best pair only: 6 to 8 tolerances along a side, so that there are about so many.
APART, PAIRS = (6, 8), 4500
PARTS = 3  # steps a round


@dataclass(frozen=True)
class Round:
    """One warp of the moving volume and one search in it.

    Attributes:
        level: of the pyramid, 0 the finest; the coarsest stands in for those that a small volume has not.
        radius: voxels of that level which are searched.
        most, least: keypoints in the body, about, and voxels between them, at least.
        smooth: voxels of that level below which detail of the motion is smoothed away; 0 for an affine map.
    """

    level: int
    radius: int
    most: int
    least: int
    smooth: float


AFFINE = (Round(3, 3, 1000, 2, 0), Round(3, 2, 1000, 2, 0), Round(2, 3, 1500, 3, 0))
BENDING = (
    Round(2, 4, 2500, 2, 5),
    Round(2, 3, 2500, 2, 3),
    Round(1, 4, 4000, 3, 5),
    Round(1, 3, 4000, 3, 4),
    Round(0, 3, 4000, 5, 8),
    Round(0, 3, 4000, 5, 6),
    Round(0, 2, 12000, 5, 5),
)


@dataclass(frozen=True)
class VolumeMatching(Step[LandmarkPairs]):
    """How far a match of volumes is.

    Attributes:
        evidence: what a verdict needs, in the order of the pairs; None until all is done.
    """

    evidence: Evidence | None = None


@dataclass(frozen=True)
class _Answer:
    """What one direction came to.

    Attributes:
        motion: the smooth motion, keypoints' own details left out.
        points, partners: (N, 3) LPS mm, keypoints of the one volume and where they are in the other.
        found: of the last search.
        unexplained: mean descriptor distance; keypoints beyond the other volume cost what chance costs.
    """

    motion: Motion
    points: Tensor
    partners: Tensor
    found: Found
    unexplained: float


class VolumeMatcher:
    """Finds points that two volumes share.

    The volumes may differ in modality, spacing, orientation and field of view, by a turn of up to about 35
    degrees about each axis, and by an elastic deformation on top of it. Swapping them swaps the pairs, and
    changes nothing else.

    Args:
        least: pairs with a smaller chance to be right are left out.
    """

    def __init__(self, least: float = 0.9) -> None:
        self.least = least

    def match(self, fixed: sitk.Image, moving: sitk.Image) -> LandmarkPairs:
        """Pairs in LPS mm, sorted by score: the calibrated chance to be right within 2 mm (or 2 voxels).

        Raises:
            InputError: an image is constant, or is one slice.
        """
        *_, last = self.steps(fixed, moving)
        assert last.result is not None
        return last.result

    @torch.inference_mode()
    def steps(self, fixed: sitk.Image, moving: sitk.Image) -> Iterator[VolumeMatching]:
        """The same step by step, none of which takes long. See `SteppedMatcher`."""
        for image in (fixed, moving):
            if Grid.of(image).is_slice:
                raise InputError("one of the images is a single slice; give two volumes, or two slices")
            if is_constant(image):
                raise InputError("one of the images is constant; give two images that show something")
        total = 2 + POSES + PARTS * (KEPT * len(AFFINE) + 2 * len(BENDING)) + 1
        work, done = self._work(fixed, moving), 0
        yield VolumeMatching(0, total)
        while True:
            try:
                next(work)
            except StopIteration as end:
                yield VolumeMatching(total, total, *end.value)
                return
            done += 1
            yield VolumeMatching(min(done, total - 1), total)

    def _work(
        self, fixed: sitk.Image, moving: sitk.Image
    ) -> Generator[None, None, tuple[LandmarkPairs, Evidence]]:
        return self._chosen((yield from candidates(fixed, moving)))

    def _chosen(self, found: Candidates) -> tuple[LandmarkPairs, Evidence]:
        score = chances(found.seen, found.tolerance / found.spacing)
        believed = score >= self.least
        keep = believed & _best_of_each(found.cubes, score)
        rows = keep.nonzero()[:, 0]
        rows = rows[score[rows].argsort(descending=True, stable=True)]
        seen, cell = found.seen, CELLS * found.tolerance
        evidence = Evidence(
            _numpy(seen.distance[rows]),
            _numpy(seen.there_and_back[rows]) * found.spacing,
            _numpy(seen.off_neighbours[rows]) * found.spacing,
            min(
                _coverage(found.levels[0], found.fixed[rows], cell),
                _coverage(found.levels[1], found.moving[rows], cell),
            ),
            float(believed.sum()) / max(len(score), 1),
            found.tolerance,
            cell,
        )
        pairs = LandmarkPairs(_numpy(found.fixed[rows]), _numpy(found.moving[rows]), _numpy(score[rows]))
        return pairs, evidence


@dataclass(frozen=True)
class Candidates:
    """All that the search came to, in both directions, right or wrong.

    Attributes:
        fixed, moving: (N, 3) LPS mm.
        seen: of each.
        levels: the finest of the fixed and of the moving volume.
        cubes: (N, 3) whole numbers: in which cube of the one volume, whichever is called fixed, each lies.
        tolerance: mm within which a pair is right.
    """

    fixed: Tensor
    moving: Tensor
    seen: Seen
    levels: tuple[Level, Level]
    cubes: Tensor
    tolerance: float

    @property
    def spacing(self) -> float:
        """mm of a voxel."""
        return self.levels[0].spacing


def candidates(fixed: sitk.Image, moving: sitk.Image) -> Generator[None, None, Candidates]:
    """Search both volumes; yields between steps, and returns what was found."""
    spacing = working_spacing(fixed, moving)
    a = pyramid(fixed, spacing, LEVELS)
    yield
    b = pyramid(moving, spacing, LEVELS)
    yield
    # Always in the same order, so that it makes no difference which is called fixed.
    swapped = _key(b[0]) < _key(a[0])
    if swapped:
        a, b = b, a
    affine = yield from _affine(a, b)
    inverse = torch.linalg.inv(affine.matrix)
    opposite = Motion(Nodes.over(b[0], NODES * spacing), inverse, -affine.shift @ inverse)
    forth = yield from _rounds(a, b, affine, BENDING)
    back = yield from _rounds(b, a, opposite, BENDING)
    here, there = torch.cat([forth.points, back.partners]), torch.cat([forth.partners, back.points])
    parts = [_seen(forth, back.motion, spacing), _seen(back, forth.motion, spacing)]
    inside = a[0].contains(here) & b[0].contains(there)
    seen = Seen.joined(parts).select(inside)
    tolerance = min(TOLERANCE, VOXELS * spacing)
    side = min(max(APART[0] * tolerance, apart(a[0], PAIRS, 1) * spacing), APART[1] * tolerance)
    here, there = here[inside], there[inside]
    cubes = ((a[0].to_voxel(here) + 0.5) * spacing / side).floor().long()
    if swapped:
        here, there, a, b = there, here, b, a
    return Candidates(here, there, seen, (a[0], b[0]), cubes, tolerance)


def _key(level: Level) -> tuple[tuple[int, ...], bytes]:
    return tuple(level.values.shape), level.values.numpy().tobytes()


def _numpy(values: Tensor) -> Array:
    return np.asarray(values.double().numpy())


def _affine(a: list[Level], b: list[Level]) -> Generator[None, None, Motion]:
    """The robust affine map from `a` to `b` that explains most of `a`."""
    found = []
    for pose in poses(a[min(1, len(a) - 1)], b[min(1, len(b) - 1)]):
        if pose is None:
            yield
        else:
            found.append(pose)
    nodes = Nodes.over(a[0], NODES * a[0].spacing)
    answers = []
    for pose in found:
        answers.append((yield from _rounds(a, b, Motion(nodes, pose.matrix, pose.shift), AFFINE)))
    return min(answers, key=lambda answer: answer.unexplained).motion


def _rounds(
    a: list[Level], b: list[Level], motion: Motion, rounds: tuple[Round, ...]
) -> Generator[None, None, _Answer]:
    """A motion from `a` to `b` made better, round by round; `PARTS` steps each."""
    described: dict[int, Tensor] = {}
    for one in rounds:
        level, other = (levels[min(one.level, len(levels) - 1)] for levels in (a, b))
        values, inside = warped(level, other, motion)
        yield
        if one.level not in described:
            described = {one.level: mind_ssc(level.values)}
        moving = mind_ssc(values)
        yield
        at = keypoints(level, apart(level, one.most, one.least))
        there = inside[at[:, 2], at[:, 1], at[:, 0]]
        all_of_them, at = len(at), at[there]
        cost = costs(described[one.level], moving, inside, at, one.radius)
        points = level.to_mm(at.float())
        if one.smooth:
            found, after = _bent(level, motion, points, cost, one)
        else:
            found, after = _straight(level, motion, points, cost, one)
        lost = (all_of_them - len(at)) * float(cost.mean()) if len(at) else float(all_of_them)
        unexplained = (float(found.distance.sum()) + lost) / max(all_of_them, 1)
        answer = _Answer(after, points, motion(points + found.moves * level.spacing), found, unexplained)
        motion = after
        yield
    return answer


def _straight(level: Level, motion: Motion, points: Tensor, cost: Tensor, one: Round) -> tuple[Found, Motion]:
    def smooth(moves: Tensor, weights: Tensor) -> Tensor:
        matrix, shift = robust_affine(points, points + moves * level.spacing, weights, level.spacing)
        return (points @ matrix + shift - points) / level.spacing

    found = coupled(cost, one.radius, smooth)
    targets = motion(points + found.moves * level.spacing)
    return found, Motion(motion.nodes, *robust_affine(points, targets, found.weight, level.spacing))


def _bent(level: Level, motion: Motion, points: Tensor, cost: Tensor, one: Round) -> tuple[Found, Motion]:
    nodes, length = motion.nodes, one.smooth * level.spacing

    def smooth(moves: Tensor, weights: Tensor) -> Tensor:
        return nodes.read(nodes.smooth(points, moves, weights, length), points)

    found = coupled(cost, one.radius, smooth)
    return found, motion.after(nodes.smooth(points, found.moves, found.weight, length) * level.spacing)


def _seen(answer: _Answer, back: Motion, spacing: float) -> Seen:
    """Per keypoint, in voxels of the finest level."""
    found = answer.found
    return Seen.of(
        answer.points / spacing,
        distance=found.distance,
        there_and_back=(back(answer.partners) - answer.points).norm(dim=1) / spacing,
        off_neighbours=(found.moves - found.said).norm(dim=1),
        off_own=(found.moves - found.own).norm(dim=1),
        margin=found.margin,
    )


def _best_of_each(cubes: Tensor, score: Tensor) -> Tensor:
    """(N,) whether a pair has the best score of those in its cube (N, 3)."""
    _, cube = torch.unique(cubes, dim=0, return_inverse=True)
    order = score.argsort(descending=True, stable=True)
    first = torch.full((int(cube.max()) + 1 if len(cube) else 0,), len(cube))
    first.scatter_reduce_(0, cube[order], torch.arange(len(cube)), "amin")
    best = torch.zeros(len(cube), dtype=torch.bool)
    best[order[first]] = True
    return best


def _coverage(level: Level, points: Tensor, cell: float) -> float:
    """Share of the cells whose middle is in the body that hold one of `points` (N, 3) LPS mm."""
    step = max(1, round(cell / level.spacing))
    shape = [n // step for n in level.values.shape]
    middle = step // 2
    inside = level.body[middle::step, middle::step, middle::step][: shape[0], : shape[1], : shape[2]]
    held = torch.zeros_like(inside)
    cells = ((level.to_voxel(points) + 0.5) / step).floor().long().flip(1)
    cells = cells[((cells >= 0) & (cells < torch.tensor(inside.shape))).all(dim=1)]
    held[tuple(cells.T)] = True
    return float(held[inside].float().mean()) if inside.any() else 0.0
