"""What is known of one image's landmarks. Immutable, so that undo only has to keep the old one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np

from LandmarkTrackerLib.images import Cine
from LandmarkTrackerLib.landmarks import LandmarkSet, Track

NOTHING = LandmarkSet.missing(())

# A set never changes, and is asked for its placed landmarks whenever a view is drawn.
_PLACED: WeakKeyDictionary[LandmarkSet, LandmarkSet] = WeakKeyDictionary()


def placed_in(landmarks: LandmarkSet) -> LandmarkSet:
    """Those that a person placed: only they have no uncertainty, and need no look."""
    if landmarks not in _PLACED:
        by_hand = landmarks.defined & ~landmarks.uncertain & (landmarks.sigma_mm == 0)
        names = [name for name, by in zip(landmarks.names, by_hand, strict=True) if by]
        _PLACED[landmarks] = landmarks.select(names)
    return _PLACED[landmarks]


@dataclass(frozen=True, eq=False)
class Record:
    """The landmarks of an image in each of its frames; a volume has frame 0 only.

    Attributes:
        names: every landmark, in the order of the point list.
        frames: frame number to what is known there. A landmark that is not in the set was not looked for in
            that frame; one that is in it and missing was looked for and not found.
        origins: landmark to the frame in which it was placed first; not the frames of its corrections.
    """

    names: tuple[str, ...] = ()
    frames: Mapping[int, LandmarkSet] = field(default_factory=dict)
    origins: Mapping[str, int] = field(default_factory=dict)

    def known(self, frame: int) -> LandmarkSet:
        """What was placed or looked for in this frame."""
        return self.frames.get(frame, NOTHING)

    def at(self, frame: int) -> LandmarkSet:
        """Every landmark; missing if it was not found or not looked for."""
        return self.known(frame).select(self.names)

    def placed(self, names: Sequence[str] | None = None) -> dict[int, LandmarkSet]:
        """Frame number to the landmarks that a person placed in it; of all names or of these."""
        if names is None:
            return self._placed
        chosen = {
            frame: here.select([name for name in here.names if name in names])
            for frame, here in self._placed.items()
        }
        return {frame: here for frame, here in chosen.items() if len(here)}

    @cached_property
    def _placed(self) -> dict[int, LandmarkSet]:
        by_frame = {frame: placed_in(known) for frame, known in sorted(self.frames.items())}
        return {frame: here for frame, here in by_frame.items() if len(here)}

    def origin(self, name: str) -> int:
        """Where a placed landmark was placed first. A scene that was loaded does not say: its first frame."""
        frames = [frame for frame, here in self._placed.items() if name in here]
        return self.origins[name] if self.origins.get(name) in frames else frames[0]

    def placed_names(self) -> tuple[str, ...]:
        """The landmarks that are placed in some frame, in their order."""
        there = {name for here in self.placed().values() for name in here.names}
        return tuple(name for name in self.names if name in there)

    @cached_property
    def found_anything(self) -> bool:
        """Whether some landmark is known in some frame."""
        return any(known.defined.any() for known in self.frames.values())

    @cached_property
    def looked_for(self) -> frozenset[str]:
        """The landmarks that a method looked for in some frame."""
        return frozenset(
            name
            for known in self.frames.values()
            for name in known.names
            if name not in placed_in(known).names
        )

    def track(self, cine: Cine) -> Track:
        """All landmarks in all frames of the cine."""
        numbers = tuple(range(len(cine)))
        return Track(
            np.array(cine.times),
            tuple(self.at(t) for t in numbers),
            cine.time_unit,
            numbers,
            cine.length_unit,
        )

    def with_names(self, names: Sequence[str]) -> Record:
        """With these landmarks in addition, placed nowhere yet."""
        return replace(self, names=tuple(dict.fromkeys((*self.names, *names))))

    def with_answer(self, frame: int, landmarks: LandmarkSet) -> Record:
        """With what was found in a frame. What a person placed there stays."""
        return self.with_known(frame, landmarks.updated(placed_in(self.known(frame))))

    def with_known(self, frame: int, landmarks: LandmarkSet) -> Record:
        """With these landmarks of a frame replaced."""
        frames = {**self.frames, frame: self.known(frame).updated(landmarks)}
        return replace(self.with_names(landmarks.names), frames=frames)

    def with_placed(self, frame: int, landmarks: LandmarkSet) -> Record:
        """With these placed by a person."""
        begun = dict.fromkeys(landmarks.names, frame)
        return replace(self.with_known(frame, landmarks), origins={**begun, **self.origins})

    def with_exactly(self, frame: int, landmarks: LandmarkSet) -> Record:
        """With this and nothing else known of a frame."""
        return replace(self, frames={**self.frames, frame: landmarks})

    def forget(self, frame: int, names: Sequence[str]) -> Record:
        """As if these had never been looked for in this frame."""
        known = self.known(frame)
        kept = known.select([name for name in known.names if name not in names])
        return self.with_exactly(frame, kept)

    def without(self, names: Sequence[str]) -> Record:
        """Without these landmarks, in every frame."""
        record = replace(self, names=tuple(name for name in self.names if name not in names))
        for frame in self.frames:
            record = record.forget(frame, names)
        return record

    def renamed(self, names: Mapping[str, str]) -> Record:
        """With old names replaced by new ones, in every frame."""

        def new(old: Sequence[str]) -> tuple[str, ...]:
            return tuple(names.get(name, name) for name in old)

        frames = {t: replace(known, names=new(known.names)) for t, known in self.frames.items()}
        origins = {names.get(name, name): frame for name, frame in self.origins.items()}
        return Record(new(self.names), frames, origins)

    def ordered(self, names: Sequence[str]) -> Record:
        """With the landmarks in this order."""
        return replace(self, names=tuple(names))
