"""The nouns: landmarks, tracks and pairs. Plain, immutable, numpy, LPS millimetres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from LandmarkTrackerLib.errors import InputError

Array = NDArray[np.float64]
Status = Literal["defined", "uncertain", "missing"]
Level = Literal["reliable", "doubtful", "unreliable"]
LEVELS: tuple[Level, ...] = get_args(Level)


def _frozen(values: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), shape))
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Landmark:
    """One named point.

    Attributes:
        name: unique within its set.
        position: (D,) LPS mm; NaN where missing, so that a stale place can never be read.
        sigma: (D,) standard deviation in mm along the image's axes (i, j, k); 0 along an axis that was not
            searched (through the plane of a slice) and for a point that was clicked; NaN where missing.
        score: 0 to 1, how much to trust it.
        status: "defined"; "uncertain" where the place needs a look; "missing" where there is none.
    """

    name: str
    position: Array
    sigma: Array
    score: float = 1.0
    status: Status = "defined"


@dataclass(frozen=True, eq=False)
class LandmarkSet:
    """Landmarks of one image, in the order in which they were given, looked up by name.

    Attributes:
        names: N unique names.
        positions: (N, D) LPS mm; NaN rows where missing.
        sigmas: (N, D) mm along the image's axes, as in `Landmark`.
        scores: (N,) 0 to 1; 0 where missing.
        defined: (N,) whether the landmark has a place; False where it is missing.
        uncertain: (N,) whether its place needs a look, as its score lies below the user's limit; False where
            it is missing.

    Raises:
        InputError: a name is empty or occurs twice, or a defined point has no finite position.
    """

    names: tuple[str, ...]
    positions: Array
    sigmas: Array = field(default_factory=lambda: np.zeros(1))
    scores: Array = field(default_factory=lambda: np.ones(1))
    defined: NDArray[np.bool_] = field(default_factory=lambda: np.ones(1, dtype=bool))
    uncertain: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, dtype=bool))

    def __post_init__(self) -> None:
        names = tuple(self.names)
        for name, count in Counter(names).items():
            if not name.strip():
                raise InputError("a landmark has no name; give every control point a label")
            if count > 1:
                raise InputError(f"two landmarks are named '{name}'; rename one of them")
        shape = np.shape(self.positions) if len(names) else (0, 3)
        if len(shape) != 2 or shape[0] != len(names):
            raise ValueError(f"positions of {len(names)} landmarks must be (N, D), not {shape}")
        defined = np.array(np.broadcast_to(np.asarray(self.defined, dtype=bool), shape[:1]))
        uncertain = np.array(np.broadcast_to(np.asarray(self.uncertain, dtype=bool), shape[:1])) & defined
        positions = np.array(np.broadcast_to(np.asarray(self.positions, dtype=np.float64), shape))
        sigmas = np.array(np.broadcast_to(np.asarray(self.sigmas, dtype=np.float64), shape))
        scores = np.array(np.broadcast_to(np.asarray(self.scores, dtype=np.float64), shape[:1]))
        lost = defined & ~np.isfinite(positions).all(axis=1)
        if lost.any():
            raise InputError(f"landmark '{names[int(lost.argmax())]}' has no finite position")
        positions[~defined] = np.nan
        sigmas[~defined] = np.nan
        scores[~defined] = 0.0
        for attribute, value in (
            ("positions", positions),
            ("sigmas", sigmas),
            ("scores", np.clip(scores, 0.0, 1.0)),
            ("defined", defined),
            ("uncertain", uncertain),
        ):
            value.setflags(write=False)
            object.__setattr__(self, attribute, value)
        object.__setattr__(self, "names", names)

    @classmethod
    def missing(cls, names: Sequence[str], dimension: int = 3) -> LandmarkSet:
        """All of `names`, none of them found."""
        return cls(tuple(names), np.full((len(names), dimension), np.nan), defined=np.zeros(len(names), bool))

    @classmethod
    def of(cls, positions: Mapping[str, ArrayLike]) -> LandmarkSet:
        """Points known exactly: `LandmarkSet.of({"dome": (12.0, -3.5, 40.0)})`."""
        return cls(tuple(positions), np.array([np.asarray(p, dtype=float) for p in positions.values()]))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Landmark]:
        return (self[name] for name in self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Landmark:
        row = self._rows[name]
        status: Status = "missing"
        if self.defined[row]:
            status = "uncertain" if self.uncertain[row] else "defined"
        return Landmark(name, self.positions[row], self.sigmas[row], float(self.scores[row]), status)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    @property
    def sigma_mm(self) -> Array:
        """(N,) root mean square of sigma over the axes that were searched; 0 for a clicked point."""
        searched = np.maximum((self.sigmas != 0).sum(axis=1), 1)
        return np.asarray(np.sqrt((self.sigmas**2).sum(axis=1) / searched))

    def select(self, names: Sequence[str]) -> LandmarkSet:
        """These landmarks, in this order; those it does not have are missing."""
        if tuple(names) == self.names:
            return self
        rows = [self._rows.get(name, -1) for name in names]
        known = np.array([row >= 0 for row in rows], dtype=bool)
        if not len(self):
            return LandmarkSet.missing(names)
        return LandmarkSet(
            tuple(names),
            self.positions[rows],
            self.sigmas[rows],
            self.scores[rows],
            self.defined[rows] & known,
            self.uncertain[rows],
        )

    def only_defined(self) -> LandmarkSet:
        """Those that have a place, uncertain ones among them."""
        return self.select([name for name, there in zip(self.names, self.defined, strict=True) if there])

    def only_certain(self) -> LandmarkSet:
        """Those of status "defined": neither missing nor uncertain."""
        return self.select([landmark.name for landmark in self if landmark.status == "defined"])

    def uncertain_below(self, score: float) -> LandmarkSet:
        """The same landmarks, uncertain where their score is below this and nowhere else."""
        return replace(self, uncertain=self.scores < score)

    def without(self, lost: NDArray[np.bool_]) -> LandmarkSet:
        """The same landmarks with those where `lost` (N,) is True made missing."""
        return replace(self, defined=self.defined & ~lost)

    def updated(self, other: LandmarkSet) -> LandmarkSet:
        """This set with the rows that `other` holds replaced, and its new names appended."""
        if self.names == other.names:
            return other
        names = [*self.names, *(name for name in other.names if name not in self.names)]
        mine, theirs = self.select(names), other.select(names)
        take = np.array([name in other.names for name in names], dtype=bool)
        return LandmarkSet(
            tuple(names),
            np.where(take[:, None], theirs.positions, mine.positions),
            np.where(take[:, None], theirs.sigmas, mine.sigmas),
            np.where(take, theirs.scores, mine.scores),
            np.where(take, theirs.defined, mine.defined),
            np.where(take, theirs.uncertain, mine.uncertain),
        )


@dataclass(frozen=True, eq=False)
class Track:
    """One `LandmarkSet` a frame, all with the same names in the same order.

    Attributes:
        times: (T,) in `time_unit`.
        frames: T sets.
        time_unit: "s", "ms", or "frame" where the images carry no time.
        numbers: (T,) which frame of the cine each set belongs to; 0 to T - 1 if not given.
        length_unit: "mm"; "px" where the images are not calibrated, and positions and sigmas count pixels.
    """

    times: Array
    frames: tuple[LandmarkSet, ...]
    time_unit: str = "frame"
    numbers: tuple[int, ...] = ()
    length_unit: str = "mm"

    def __post_init__(self) -> None:
        numbers = tuple(int(n) for n in self.numbers) or tuple(range(len(self.frames)))
        if len(numbers) != len(self.frames):
            raise ValueError("a track has one frame number for each of its frames")
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "times", _frozen(self.times, (len(self.frames),)))
        object.__setattr__(self, "frames", tuple(self.frames))
        if any(frame.names != self.names for frame in self.frames):
            raise ValueError("every frame of a track holds the same landmarks in the same order")

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, frame: int) -> LandmarkSet:
        return self.frames[frame]

    def __iter__(self) -> Iterator[LandmarkSet]:
        return iter(self.frames)

    @property
    def names(self) -> tuple[str, ...]:
        return self.frames[0].names if self.frames else ()

    @property
    def positions(self) -> Array:
        """(T, N, D) LPS mm, NaN where missing."""
        return np.stack([frame.positions for frame in self.frames])

    @property
    def sigma_mm(self) -> Array:
        """(T, N) mm, NaN where missing."""
        return np.stack([frame.sigma_mm for frame in self.frames])


@dataclass(frozen=True, eq=False)
class LandmarkPairs:
    """Points that two images share: row n of `fixed` corresponds to row n of `moving`. None is missing.

    Attributes:
        fixed, moving: (N, D) LPS mm, all finite.
        score: (N,) 0 to 1.
        names: N unique names; "1" to "N" if not given.
    """

    fixed: Array
    moving: Array
    score: Array
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = np.shape(self.fixed)
        if np.shape(self.moving) != shape or len(shape) != 2:
            raise ValueError("fixed and moving must both be (N, D)")
        for name, size in (("fixed", shape), ("moving", shape), ("score", shape[:1])):
            object.__setattr__(self, name, _frozen(getattr(self, name), size))
        if not (np.isfinite(self.fixed).all() and np.isfinite(self.moving).all()):
            raise ValueError("a pair has a position in both images")
        names = tuple(self.names) or tuple(str(n) for n in range(1, shape[0] + 1))
        if len(names) != shape[0] or len(set(names)) != shape[0]:
            raise ValueError("every pair has a name of its own")
        object.__setattr__(self, "names", names)

    @classmethod
    def of(
        cls,
        fixed: LandmarkSet,
        moving: LandmarkSet,
        *,
        by_order: bool = False,
        include_uncertain: bool = False,
    ) -> LandmarkPairs:
        """The landmarks that are defined in both sets, in the order of the first.

        Args:
            include_uncertain: also those that are uncertain in either.
            by_order: the n-th belongs to the n-th, whatever they are called; the names are those of `fixed`.

        Raises:
            InputError: they are paired by order, and there are more of one than of the other.
        """
        if by_order:
            if len(fixed) != len(moving):
                raise InputError(
                    f"{len(fixed)} landmarks cannot be paired by order with {len(moving)}; give equally many"
                )
            moving = replace(moving, names=fixed.names)
        if not include_uncertain:
            fixed, moving = fixed.only_certain(), moving.only_certain()
        there = set(moving.only_defined().names)
        both = [name for name in fixed.only_defined().names if name in there]
        a, b = fixed.select(both), moving.select(both)
        return cls(a.positions, b.positions, np.minimum(a.scores, b.scores), tuple(both))

    def __len__(self) -> int:
        return len(self.fixed)

    def select(self, rows: NDArray[np.int_] | NDArray[np.bool_]) -> LandmarkPairs:
        """These rows, by number or by (N,) whether to keep them."""
        names = tuple(str(name) for name in np.array(self.names, dtype=object)[rows])
        return LandmarkPairs(self.fixed[rows], self.moving[rows], self.score[rows], names)

    @property
    def landmarks(self) -> tuple[LandmarkSet, LandmarkSet]:
        """The same as two sets: those of the fixed image and those of the moving one."""
        fixed, moving = (
            LandmarkSet(self.names, positions, np.zeros_like(positions), self.score)
            for positions in (self.fixed, self.moving)
        )
        return fixed, moving


@dataclass(frozen=True)
class Verdict:
    """How far a whole result can be believed: a match, a frame, a subject.

    Attributes:
        level: "reliable", "doubtful" or "unreliable".
        why: in one sentence, for people.

    Raises:
        ValueError: there is no such level, or no reason.
    """

    level: Level
    why: str

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"'{self.level}' is none of {', '.join(LEVELS)}")
        if not self.why.strip():
            raise ValueError("a verdict says why")

    def __str__(self) -> str:
        return f"{self.level}: {self.why}"

    @staticmethod
    def worst(verdicts: Iterable[Verdict]) -> Verdict:
        """The least favourable of some verdicts, the first of these if there are several."""
        return max(verdicts, key=lambda verdict: LEVELS.index(verdict.level))
