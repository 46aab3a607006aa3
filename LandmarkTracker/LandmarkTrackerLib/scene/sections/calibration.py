"""How large a pixel is, where the file of an image does not state it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.actions import Action, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes import calibration
from LandmarkTrackerLib.scene.nodes.record import Record
from LandmarkTrackerLib.scene.nodes.sequences import volume_sequence
from LandmarkTrackerLib.scene.nodes.subject import Subject, cine_at, is_cine
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Note, Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs


class Calibration:
    """Gives the chosen image its millimetres; its landmarks stay where they are on it.

    Attributes:
        pixel_mm: width of a pixel, as the user states it; 0 if not.
    """

    pixel_mm = Parameter("pixelSize", 0.0, limits=(0, 100))

    def __init__(self, context: Context, inputs: Inputs) -> None:
        self.context, self.inputs = context, inputs

    def rows(self) -> list[Row]:
        """What is known, and the field that changes it."""
        tip = _("Width of a pixel. Its height, and the distance of slices, keep their ratio to it.")
        size = Setting(
            _("Pixel size"), self, "pixel_mm", tip, step=0.001, unit="mm", least=_("as the file states")
        )
        apply = Action(
            "calibrate",
            _("Calibrate"),
            _("Give the pixels of the image this size."),
            self.calibrate,
            lambda: self.obstacle,
        )
        return [[Note("calibration", lambda: self.state)], [size, apply]]

    @property
    def state(self) -> str:
        """That lengths count pixels; empty if they are in mm."""
        subject = self.inputs.subject
        if subject is None or subject.cine.calibrated:
            return ""
        return _("Not calibrated: lengths are in pixels (px) until the size of a pixel is given.")

    @property
    def obstacle(self) -> str:
        """Why the image cannot be calibrated; empty if it can."""
        if self.inputs.subject is None:
            return _("Choose a cine or a volume.")
        return "" if self.pixel_mm > 0 else _("Enter the size of a pixel.")

    @reported
    def calibrate(self) -> None:
        """Give the pixels of the chosen image the stated size; can be undone."""
        subject = self.inputs.subject
        if subject is None or not self.pixel_mm > 0:
            return
        self.context.runner.cancel()
        subjects = {id(s): s for s in (subject, *self.inputs.all()) if s.node is subject.node}.values()
        before, calibrated = subject.cine.grid, subject.cine.calibrated
        scale = self.pixel_mm / before.spacing[0]
        # The thickness of a single slice is no matter of its pixels.
        x, y, z = before.spacing
        records = [(s, s.record) for s in subjects]
        change = self.context.history.begin(_("calibrate '{name}'").format(name=subject.name))
        change.steps.append(lambda: self._give(subject, before.spacing, calibrated, records))
        after = replace(before, spacing=(x * scale, y * scale, z if before.is_slice else z * scale))
        self._give(
            subject, after.spacing, True, [(s, _moved(record, before, after)) for s, record in records]
        )

    def _give(
        self,
        subject: Subject,
        spacing: tuple[float, ...],
        calibrated: bool,
        records: list[tuple[Subject, Record]],
    ) -> None:
        """Let an image have this spacing, and its landmarks be these."""
        if is_cine(subject.node):
            sequence = volume_sequence(subject.node)
            frames = [sequence.GetNthDataNode(n) for n in range(sequence.GetNumberOfDataNodes())]
            calibration.set_spacing([*frames, subject.volume], spacing)
            for node in (sequence, *frames, subject.volume):
                calibration.mark(node, calibrated)
        else:
            calibration.set_spacing([subject.node], spacing)
            calibration.mark(subject.node, calibrated)
        for known, record in records:
            known.cine = cine_at(known.node)
            known.show(record)


def _moved(record: Record, before: Grid, after: Grid) -> Record:
    """The same places on the image, in its new millimetres."""
    ratio = np.array(after.spacing) / before.spacing

    def moved(landmarks: LandmarkSet) -> LandmarkSet:
        if not len(landmarks):
            return landmarks
        positions = after.to_world(before.to_index(landmarks.positions))
        return replace(landmarks, positions=positions, sigmas=landmarks.sigmas * ratio)

    return replace(record, frames={t: moved(known) for t, known in record.frames.items()})
