"""What deserves a second look: lost and uncertain landmarks first, and how far everything moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.scene.actions import Action, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.record import Record, placed_in
from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Line, Note, Row, Table
from LandmarkTrackerLib.scene.sections.inputs import Inputs


@dataclass(frozen=True)
class Finding:
    """One landmark in one frame that a method looked for.

    Attributes:
        sigma_mm: NaN where the landmark is missing.
        score: 0 to 1; 0 where it is missing.
        uncertain: it is missing, or its score is below the limit.
    """

    frame: int
    time: float
    name: str
    sigma_mm: float
    score: float
    missing: bool
    uncertain: bool
    unit: str = "mm"

    @property
    def cells(self) -> tuple[str, ...]:
        """For a table: frame, name, standard deviation, confidence."""
        sigma = _("missing") if self.missing else f"{self.sigma_mm:.1f} {self.unit}"
        return str(self.frame), self.name, sigma, f"{100 * self.score:.0f} %"


@dataclass(frozen=True)
class Displacement:
    """How far a landmark is from where it was first placed.

    Attributes:
        times: (T,) as the cine states them.
        mm: (T,) NaN where it is missing or was not looked for.
        sigma_mm: (T,) standard deviation of its position; 0 where it was placed.
    """

    name: str
    times: Array
    mm: Array
    sigma_mm: Array


class Review:
    """Looking through the result of the chosen cine.

    Attributes:
        percent: score, in percent, under which a landmark counts as uncertain.
    """

    percent = Parameter("uncertainBelow", 50, limits=(0, 100))

    def __init__(self, context: Context, inputs: Inputs) -> None:
        self.context, self.inputs = context, inputs
        # The record and the limit that these findings are of.
        self._sorted: tuple[Record, float, list[Finding]] | None = None
        self._lines: tuple[list[Finding], list[Line]] = ([], [])

    def rows(self) -> list[Row]:
        """The frame in view, and what deserves a look."""
        confidence = _(
            "A landmark found with less confidence counts as uncertain. Confidence is the chance that it lies"
            " within 5 mm."
        )
        uncertain = Setting(_("Uncertain below"), self, "percent", confidence, step=5, unit="%")
        return [
            [
                Setting(
                    _("Frame"),
                    self,
                    "frame",
                    _("The frame in view."),
                    limits=lambda: (0, self.last),
                    choose=self.go_to,
                    obstacle=self._obstacle_frame,
                ),
                Note("frameText", lambda: self.frame_text),
            ],
            [uncertain, Note("uncertain", self._uncertain_text)],
            [
                Action(
                    "previous",
                    _("Previous uncertain"),
                    _("Go to the uncertain frame before."),
                    self.previous_uncertain,
                    lambda: self.obstacle_uncertain,
                    key="B",
                ),
                Action(
                    "next",
                    _("Next uncertain"),
                    _("Go to the next uncertain frame."),
                    self.next_uncertain,
                    lambda: self.obstacle_uncertain,
                    key="N",
                ),
            ],
            [
                Table(
                    "findings",
                    (_("Frame"), _("Landmark"), _("± 1 SD"), _("Confidence")),
                    self.lines,
                    _("Least certain first. Click a row to go to its frame."),
                    click=lambda key: self.go_to(key[0]),
                )
            ],
        ]

    @property
    def uncertain_below(self) -> float:
        """Score under which a landmark counts as uncertain."""
        return self.percent / 100

    @property
    def obstacle(self) -> str:
        """Why there is nothing to review; empty if there is."""
        subject = self.inputs.subject
        found = subject is not None and subject.record.looked_for
        return "" if found else _("Propagate landmarks first.")

    @property
    def obstacle_uncertain(self) -> str:
        """Why there is no uncertain frame to go to; empty if there is."""
        return self.obstacle or ("" if self.uncertain_frames() else _("No frame is uncertain."))

    def findings(self) -> list[Finding]:
        """Everything that was looked for, the least certain first; equals in the order of the frames."""
        subject = self.inputs.subject
        if subject is None:
            return []
        limit = self.uncertain_below
        if self._sorted is None or self._sorted[:2] != (subject.record, limit):
            frames = sorted(subject.record.frames)
            found = [finding for t in frames for finding in self._in_frame(subject, t, limit)]
            found.sort(key=lambda finding: finding.score)
            self._sorted = (subject.record, limit, found)
        return self._sorted[2]

    def uncertain_frames(self) -> list[int]:
        """The frames with an uncertain landmark."""
        return sorted({finding.frame for finding in self.findings() if finding.uncertain})

    def lines(self) -> list[Line]:
        """The findings as a table; the same list as long as they are the same."""
        findings = self.findings()
        if findings is not self._lines[0]:
            lines = [Line((f.frame, f.name), f.cells, f.uncertain, f.frame) for f in findings]
            self._lines = (findings, lines)
        return self._lines[1]

    @property
    def frame(self) -> int:
        """The frame in view."""
        return self.inputs.subject.frame if self.inputs.subject is not None else 0

    @property
    def last(self) -> int:
        """The last frame."""
        return len(self.inputs.subject.cine) - 1 if self.inputs.subject is not None else 0

    @property
    def frame_text(self) -> str:
        """Which frame is in view, for a label."""
        subject = self.inputs.subject
        if subject is None or len(subject.cine) == 1:
            return ""
        text = _("{frame} of {last}").format(frame=subject.frame, last=len(subject.cine) - 1)
        unit = subject.cine.time_unit
        return text if unit == "frame" else f"{text}, {subject.cine.times[subject.frame]:g} {unit}"

    @reported
    def go_to(self, frame: int) -> None:
        """Bring a frame into view."""
        subject = self.inputs.subject
        if subject is not None:
            subject.go_to(frame)

    @reported
    def next_uncertain(self) -> None:
        """Go to the next uncertain frame; after the last to the first."""
        self._step(1)

    @reported
    def previous_uncertain(self) -> None:
        """Go to the uncertain frame before; before the first to the last."""
        self._step(-1)

    def displacements(self) -> list[Displacement]:
        """One curve a landmark that was placed somewhere."""
        subject = self.inputs.subject
        if subject is None:
            return []
        track = subject.record.track(subject.cine)
        curves = []
        for name in subject.record.placed_names():
            start = subject.record.origin(name)
            n = track.names.index(name)
            moved = np.linalg.norm(track.positions[:, n] - track.positions[start, n], axis=1)
            curves.append(Displacement(name, track.times, moved, track.sigma_mm[:, n]))
        return curves

    def _obstacle_frame(self) -> str:
        return "" if self.last else _("There is one frame only.")

    def _uncertain_text(self) -> str:
        if self.obstacle:
            return self.obstacle
        return _("Uncertain frames: {count}").format(count=len(self.uncertain_frames()))

    def _in_frame(self, subject: Subject, frame: int, limit: float) -> list[Finding]:
        known = subject.record.known(frame)
        by_hand = placed_in(known)
        return [
            Finding(
                frame,
                float(subject.cine.times[frame]),
                landmark.name,
                float(sigma),
                landmark.score,
                landmark.status == "missing",
                landmark.status == "missing" or landmark.score < limit,
                subject.cine.length_unit,
            )
            for landmark, sigma in zip(known, known.sigma_mm, strict=True)
            if landmark.name not in by_hand
        ]

    def _step(self, by: int) -> None:
        subject, frames = self.inputs.subject, self.uncertain_frames()
        if subject is None or not frames:
            return
        ahead = [t for t in frames if (t > subject.frame if by > 0 else t < subject.frame)]
        subject.go_to((ahead or frames)[0 if by > 0 else -1])
