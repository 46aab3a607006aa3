"""Results as files and as point lists for registration."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.exports import EXPORTS
from LandmarkTrackerLib.formats.mrk_json import write_mrk_json
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.formats.seq_mrb import write_seq_mrb
from LandmarkTrackerLib.formats.track_csv import write_track_csv
from LandmarkTrackerLib.jobs.export import all_or_nothing
from LandmarkTrackerLib.jobs.pairs import PAIR_FILES, export_pairs, write_pairs
from LandmarkTrackerLib.jobs.propagate import track_of
from LandmarkTrackerLib.landmarks import LandmarkPairs, LandmarkSet, Track
from LandmarkTrackerLib.scene.actions import Action, Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.point_lists import new_point_list, remove_point_list
from LandmarkTrackerLib.scene.nodes.points import write_points
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.subject import Subject, is_cine
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import MODULE, Parameter
from LandmarkTrackerLib.scene.parts import Heading, Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.matching import ScanMatching

Writer = Callable[[Path], object]
OVERWRITE = Parameter("overwrite", False)


@dataclass(frozen=True)
class Place:
    """Somewhere with landmarks: a frame of the cine, another subject, or a scan that was matched.

    Attributes:
        title: for the user.
    """

    title: str
    subject: Subject
    record: Record
    frame: int

    @property
    def key(self) -> str:
        """The same as long as it is the same place."""
        return f"{self.subject.node.GetID()} {self.frame} {self.title}"

    @property
    def scan(self) -> Scan:
        """The image there."""
        return Scan(self.subject.cine[self.frame])

    @property
    def landmarks(self) -> LandmarkSet:
        """Every landmark; missing if it is not known there."""
        return self.record.at(self.frame)


class Exports:
    """Nothing that exists is overwritten unless it is asked for, and nothing is written half.

    Attributes:
        folder: where files are written.
        table, sequence, frames, subjects: what is written, see `write`.
        overwrite: whether files that are there are replaced.
        programs: for which pairs are written too.
        fixed, moving: keys of the `places` that pairs are made between.
    """

    folder = Parameter("exportFolder", Path.home() / MODULE)
    table = Parameter("exportTable", True)
    sequence = Parameter("exportSequence", True)
    frames = Parameter("exportFrames", False)
    subjects = Parameter("exportSubjects", True)
    overwrite = OVERWRITE
    programs = Parameter[tuple[str, ...]]("exportPrograms", ())

    def __init__(self, context: Context, inputs: Inputs, matching: ScanMatching) -> None:
        self.context, self.inputs, self.matching = context, inputs, matching
        # The records that these places are of.
        self._places: tuple[list[Record], list[Place]] = ([], [])
        self._fixed = self._moving = ""

    def rows(self) -> list[Row]:
        """Files, and pairs of points for registration."""
        return [
            [Setting(_("Table of all frames (track.csv)"), self, "table")],
            [Setting(_("Slicer sequence (track.seq.mrb)"), self, "sequence")],
            [Setting(_("One point list a frame (.mrk.json)"), self, "frames")],
            [Setting(_("One point list a volume (.mrk.json)"), self, "subjects")],
            [
                Setting(
                    _("Folder"), self, "folder", _("Where files are written. It is made if it is not there.")
                )
            ],
            [Setting(_("Replace files that are there"), self, "overwrite")],
            [
                Action(
                    "export",
                    _("Write to folder"),
                    _("Write what is ticked into the folder."),
                    lambda: self.write(self.folder, self.ticked(), self.overwrite),
                    lambda: self.obstacle,
                )
            ],
            [Heading(_("Pairs of points for registration"))],
            [Setting(_("Fixed"), self, "fixed", _("Where the fixed points come from."), self._choices)],
            [Setting(_("Moving"), self, "moving", _("Where the moving points come from."), self._choices)],
            [
                Setting(
                    _("Also for these programs"),
                    self,
                    "programs",
                    _("Also write the pairs for these programs, each into a folder of its own."),
                    lambda: [Choice(program, program) for program in EXPORTS],
                    several=True,
                )
            ],
            [
                Action(
                    "exportPairs",
                    _("Write pairs"),
                    _("Write the landmarks that both share into the folder."),
                    lambda: self.write_pairs(*self.pair, self.folder, self.overwrite, self.programs),
                    lambda: self.obstacle_pairs,
                ),
                Action(
                    "addPairs",
                    _("Add pairs to scene"),
                    _("Two point lists with the same names in the same order, for registration in Slicer."),
                    lambda: self.add_pairs(*self.pair),
                    lambda: self.obstacle_pairs,
                ),
            ],
        ]

    def ticked(self) -> set[str]:
        """What is to be written."""
        kinds = ("table", "sequence", "frames", "subjects")
        return {kind for kind in kinds if getattr(self, kind)}

    @property
    def fixed(self) -> str:
        keys = [place.key for place in self.places()]
        return self._fixed if self._fixed in keys else next(iter(keys), "")

    @fixed.setter
    def fixed(self, key: str) -> None:
        self._fixed = key

    @property
    def moving(self) -> str:
        # Nobody wants pairs of a place with itself: the one after it is the other.
        keys = [place.key for place in self.places()]
        after = keys.index(self.fixed) + 1 if keys else 0
        others = [*keys[after:], *keys[: max(0, after - 1)]]
        return self._moving if self._moving in others else next(iter(others), "")

    @moving.setter
    def moving(self, key: str) -> None:
        self._moving = key

    @property
    def pair(self) -> tuple[Place, Place]:
        """The fixed and the moving place."""
        by_key = {place.key: place for place in self.places()}
        return by_key[self.fixed], by_key[self.moving]

    def _choices(self) -> list[Choice]:
        return [Choice(place.key, place.title) for place in self.places()]

    @property
    def obstacle(self) -> str:
        """Why there is nothing to write; empty if there is."""
        return "" if self._subjects() else _("Place a landmark first.")

    @property
    def obstacle_pairs(self) -> str:
        """Why there are no pairs; empty if there are."""
        return "" if len(self.places()) > 1 else _("Propagate landmarks to another frame or volume first.")

    def places(self) -> list[Place]:
        """The scans that were matched, every frame of the cine, and every other subject with landmarks."""
        matched, subjects = self.matching.matched, self._subjects()
        records = [subject.record for subject in (*matched, *subjects)]
        if records != self._places[0]:
            titles = (_("fixed scan: {name}"), _("moving scan: {name}"))
            places = [
                Place(title.format(name=subject.name), subject, subject.record, 0)
                for title, subject in zip(titles, matched, strict=False)
            ]
            places += [place for subject in subjects for place in _places_in(subject)]
            self._places = (records, places)
        return self._places[1]

    @reported
    def write(self, folder: Path, kinds: Collection[str], overwrite: bool = False) -> None:
        """Write what was found to files.

        Args:
            folder: made if it is not there.
            kinds: "table" (track.csv), "sequence" (track.seq.mrb, which Slicer browses), "frames" (one point
                list a frame), "subjects" (one point list a volume).
        """
        if self.obstacle:
            raise InputError(self.obstacle)
        writers = self._writers(kinds)
        if not writers:
            raise InputError(_("Nothing of what is ticked is there to write; tick something else."))
        folder = Path(folder)
        refuse(folder, writers, overwrite)
        with all_or_nothing(folder, tuple(writers)) as scratch:
            for name, writer in writers.items():
                writer(scratch / name)
        self._wrote(len(writers), folder)

    @reported
    def write_pairs(
        self,
        fixed: Place,
        moving: Place,
        folder: Path,
        overwrite: bool = False,
        programs: Sequence[str] = (),
    ) -> None:
        """Write the landmarks that two places share: `pairs.csv`, two point lists, and a folder a program.

        Args:
            programs: of `formats.exports.EXPORTS`.
        """
        pairs, folder = _pairs(fixed, moving), Path(folder)
        refuse(folder, (*PAIR_FILES, *programs), overwrite)
        scans = ScanPair(fixed.scan, moving.scan, pairs) if programs else None
        written = export_pairs(folder, scans, programs) if scans else write_pairs(folder, pairs)
        self._wrote(len(written), folder)

    @reported
    def add_pairs(self, fixed: Place, moving: Place) -> None:
        """Put the pairs into the scene: two point lists with the same names in the same order."""
        pairs = _pairs(fixed, moving)
        change = self.context.history.begin(_("point lists for registration"))
        titles = (
            _("fixed {place}").format(place=fixed.title),
            _("moving {place}").format(place=moving.title),
        )
        for title, landmarks in zip(titles, pairs.landmarks, strict=True):
            node = new_point_list(self.context.scene, title)
            change.steps.append(functools.partial(remove_point_list, node))
            write_points(node, landmarks.names, landmarks)

    def _writers(self, kinds: Collection[str]) -> dict[str, Writer]:
        """File name to what writes it."""
        writers: dict[str, Writer] = {}
        for subject in self._subjects():
            record = subject.record
            if is_cine(subject.node):
                frames = {t: record.at(t) for t, known in record.frames.items() if len(known)}
                writers |= _track_writers(track_of(subject.cine, frames), kinds)
            elif "subjects" in kinds:
                writers[f"{file_name(subject.name)}.mrk.json"] = functools.partial(
                    write_mrk_json, landmarks=record.at(0), unit=subject.cine.length_unit
                )
        return writers

    def _subjects(self) -> list[Subject]:
        """The chosen image and the others, as far as a landmark is known in them."""
        subject = self.inputs.subject
        subjects = [subject, *self.inputs.others] if subject is not None else []
        return [subject for subject in subjects if subject.record.found_anything]

    def _wrote(self, count: int, folder: Path) -> None:
        self.context.notices.report = _("{count} files were written to {folder}").format(
            count=count, folder=folder
        )


def _places_in(subject: Subject) -> Iterator[Place]:
    for frame, known in sorted(subject.record.frames.items()):
        if known.defined.any():
            number = _("Frame {frame}").format(frame=frame)
            title = number if is_cine(subject.node) else subject.name
            yield Place(title, subject, subject.record, frame)


def _track_writers(track: Track, kinds: Collection[str]) -> dict[str, Writer]:
    writers: dict[str, Writer] = {}
    if "table" in kinds:
        writers["track.csv"] = functools.partial(write_track_csv, track=track)
    if "sequence" in kinds:
        writers["track.seq.mrb"] = functools.partial(write_seq_mrb, track=track)
    if "frames" in kinds:
        for number, known in zip(track.numbers, track, strict=True):
            writers[f"frame_{number:04d}.mrk.json"] = functools.partial(
                write_mrk_json, landmarks=known, unit=track.length_unit
            )
    return writers


def _pairs(fixed: Place, moving: Place) -> LandmarkPairs:
    pairs = LandmarkPairs.of(fixed.landmarks, moving.landmarks)
    if not len(pairs):
        raise InputError(
            _("No landmark is known both in {fixed} and in {moving}; choose another pair.").format(
                fixed=fixed.title, moving=moving.title
            )
        )
    return pairs


def refuse(folder: Path, names: Collection[str], overwrite: bool) -> None:
    """Raises InputError if a file is there already and may not be replaced."""
    there = [] if overwrite else [name for name in names if (folder / name).exists()]
    if there:
        raise InputError(
            _("{file} is there already; choose another folder, or allow to replace files").format(
                file=folder / there[0]
            )
        )


def file_name(name: str) -> str:
    """A node's name as part of a file's name."""
    return re.sub(r"[^\w. -]", "_", name)
