"""Teach a detector the landmarks of annotated images: another process trains, and is looked at from here."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import write_landmarks
from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.jobs.export import all_or_nothing
from LandmarkTrackerLib.scene.actions import Action, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.plot import COLOURS, Line, Plot
from LandmarkTrackerLib.scene.nodes.subject import Subject, is_cine
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import MODULE, Parameter
from LandmarkTrackerLib.scene.parts import Heading, Log, Note, Progress, Row
from LandmarkTrackerLib.scene.process import Process, last_lines
from LandmarkTrackerLib.scene.sections.detection import Detection
from LandmarkTrackerLib.scene.sections.exports import OVERWRITE, file_name, refuse
from LandmarkTrackerLib.scene.sections.models import Models
from LandmarkTrackerLib.training.recipe import recipe
from LandmarkTrackerLib.training.report import read_report

# What training imports, and the name under which it is installed.
PACKAGES = {"lightning_fabric": "lightning-fabric", "tensorboard": "tensorboard", "tqdm": "tqdm"}
# In the folder of a training.
RECIPE, LOG, CHECKPOINT = "training.toml", "log.txt", "last.ckpt"
BY_US = "# Written by the module Landmark Tracker.\n"
# Between the name of a cine and the frame in a file name: frames of one cine are one subject.
FRAME = "-frame-"
DONE, WRONG_INPUT = 0, 2
PATIENCE_S = 20.0
SMOOTH = 10  # logged losses that a point of the curve is the mean of


class Learning:
    """One training at a time. Whoever shows it calls `poll` about once a second while `running`.

    Attributes:
        images: folder of annotated images.
        subject_until: a file's subject is its name up to this text.
        chosen_folder: where to train.
        steps: to train in all.
        overwrite: whether files that are there are replaced.
        log: the last lines that the training said.
    """

    images = Parameter("annotatedFolder", Path.home() / MODULE / "annotated")
    subject_until = Parameter("subjectUntil", FRAME)
    chosen_folder = Parameter("modelFolder", Path.home() / MODULE / "my landmarks")
    steps = Parameter("trainingSteps", 2000, limits=(10, 1_000_000))
    overwrite = OVERWRITE

    def __init__(self, context: Context, detection: Detection, models: Models) -> None:
        self.context, self.detection, self.models = context, detection, models
        self._plot: Plot | None = None
        self._process: Process | None = None
        self._stopping = False
        self._seen = self._running_in = self.folder
        self._report, self.log = read_report(self.folder), last_lines(self.folder / LOG)
        self._look()

    def rows(self) -> list[Row]:
        """From annotated images to a detector."""
        return [
            [Heading(_("Train a detector"))],
            [
                Setting(
                    _("Annotated images"),
                    self,
                    "images",
                    _("A folder of images and their point lists NAME.mrk.json beside them."),
                )
            ],
            [
                Action(
                    "saveAnnotated",
                    _("Add what is annotated here to these images"),
                    _("Save the image and ticked volumes in which you placed landmarks, to train on them."),
                    lambda: self.save(self.overwrite),
                    lambda: self.obstacle_save,
                )
            ],
            [
                Setting(
                    _("Subject ends at"),
                    self,
                    "subject_until",
                    _(
                        "Images of one subject have one name up to this text; they are never split between"
                        " training and validation."
                    ),
                )
            ],
            [
                Setting(
                    _("Folder of the model"),
                    self,
                    "chosen_folder",
                    _("A folder of its own for each training; the model takes its name."),
                )
            ],
            [
                Setting(
                    _("Steps"),
                    self,
                    "steps",
                    _("Some thousands are usual; watch the error in the validation images."),
                    step=100,
                )
            ],
            [
                Action(
                    "train",
                    _("Train"),
                    _("Train a detector on the images of the folder."),
                    self.start,
                    lambda: self.obstacle,
                ),
                Action(
                    "continue",
                    _("Continue"),
                    _("Go on where the training was stopped."),
                    self.resume,
                    lambda: self.obstacle_continue,
                ),
                Action(
                    "stop",
                    _("Stop"),
                    _("Stop after the step in hand, ready to go on."),
                    self.stop,
                    lambda: self.obstacle_stop,
                ),
            ],
            [Progress("training", lambda: self.progress)],
            [Note("trainingText", lambda: self.text)],
            [Log("trainingLog", lambda: self.log, _("What the training says."))],
        ]

    # Annotated images

    @property
    def obstacle_save(self) -> str:
        """Why there is nothing to add to the annotated images; empty if there is."""
        there = next(self._annotated(), None)
        return (
            "" if there is not None else _("Place landmarks in the chosen image or in ticked volumes first.")
        )

    @reported
    def save(self, overwrite: bool = False) -> None:
        """Add the chosen image and the ticked volumes to the folder, as far as landmarks are placed in them.

        Of a cine, the frames in which landmarks were placed. The points are written as they are shown, also
        those that a method has found; one that is not placed is left out.
        """
        if self.obstacle_save:
            raise InputError(self.obstacle_save)
        images = {name: (subject, frame) for name, subject, frame in self._annotated()}
        names = [f"{name}{suffix}" for name in images for suffix in (".nrrd", ".mrk.json")]
        refuse(self.images, names, overwrite)
        with all_or_nothing(self.images, tuple(names)) as scratch:
            for name, (subject, frame) in images.items():
                sitk.WriteImage(subject.cine[frame], str(scratch / f"{name}.nrrd"), useCompression=True)
                write_landmarks(scratch / f"{name}.mrk.json", subject.record.known(frame))
        self.context.notices.report = _("{count} annotated images were written to {folder}").format(
            count=len(images), folder=self.images
        )

    def _annotated(self) -> Iterator[tuple[str, Subject, int]]:
        """File name, image and frame wherever a person has placed landmarks."""
        for subject in self.detection.targets:
            name = file_name(subject.name)
            for frame in subject.record.placed():
                yield (f"{name}{FRAME}{frame:04d}" if is_cine(subject.node) else name), subject, frame

    # The training

    @property
    def folder(self) -> Path:
        """Of the training that is shown: the one that runs, else the one that is chosen."""
        return self._running_in if self.running else self.chosen_folder

    @folder.setter
    def folder(self, folder: Path) -> None:
        self.chosen_folder = folder

    @property
    def running(self) -> bool:
        """Whether a training is under way."""
        return self._process is not None

    @property
    def obstacle(self) -> str:
        """Why no training can begin; empty if one can."""
        if (self.folder / CHECKPOINT).exists() and not self._obstacle_any:
            return _("{folder} holds a training already; continue it, or choose another folder.").format(
                folder=self.folder
            )
        return self._obstacle_any

    @property
    def obstacle_continue(self) -> str:
        """Why no training can go on; empty if one can."""
        if self._obstacle_any:
            return self._obstacle_any
        if not ((self.folder / CHECKPOINT).exists() and (self.folder / RECIPE).exists()):
            return _("{folder} holds no training that could go on.").format(folder=self.folder)
        if self._report.step >= self.steps:
            return _("This training is complete; raise the number of steps to go on.")
        return ""

    @property
    def obstacle_stop(self) -> str:
        """Why there is nothing to stop; empty if there is."""
        if self._stopping:
            return _("It ends after the step in hand.")
        return "" if self.running else _("No training is running.")

    @reported
    def start(self) -> None:
        """Check the annotated images, write the training file and begin."""
        if self.obstacle:
            raise InputError(self.obstacle)
        text = recipe(self.images, self.subject_until, self.steps, self.models.device)
        path = self.folder / RECIPE
        if path.exists() and not path.read_text(encoding="utf-8").startswith(BY_US):
            raise InputError(_("{file} was written by hand; choose another folder").format(file=path))
        self._write(BY_US + text)
        self._launch()

    @reported
    def resume(self) -> None:
        """Go on with the training of the folder, to the number of steps that is asked for now."""
        if self.obstacle_continue:
            raise InputError(self.obstacle_continue)
        text = (self.folder / RECIPE).read_text(encoding="utf-8")
        self._write(re.sub(r"(?m)^steps = \d+", f"steps = {self.steps}", text))
        self._launch("--resume")

    @reported
    def stop(self) -> None:
        """End after the step in hand, ready to go on."""
        if self._process is not None:
            self._stopping = True
            self._process.stop()

    def poll(self) -> bool:
        """Look how far the training is, and tell the views what is new; whether it still runs."""
        if self._process is None:
            return False
        code = self._process.code
        if self._look() or code is not None:
            if code is not None:
                self._ended(code)
            self.context.notices.notify()
        return self.running

    def refresh(self) -> None:
        """Look at another folder when it is chosen."""
        if self.folder != self._seen:
            self._look()

    def close(self) -> None:
        """Nobody will look any more: stop, ready to go on, before this returns."""
        if self._process is not None:
            self._process.end(PATIENCE_S)
            self._process = None

    def forget(self) -> None:
        """The scene is being closed."""
        self._plot = None
        self.stop()

    @property
    def _obstacle_any(self) -> str:
        if self.running:
            return _("A training is running.")
        if self.models.torch_missing:
            return _("Install PyTorch first.")
        missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
        if missing:
            return _(
                "Training also needs {packages}: type slicer.util.pip_install('{packages}') in Slicer's"
                " Python console, and restart Slicer."
            ).format(packages=" ".join(missing))
        if not self.images.is_dir():
            return _("{folder} is not there; save annotated images into it, or choose another.").format(
                folder=self.images
            )
        return ""

    def _write(self, text: str) -> None:
        with written(self.folder / RECIPE, overwrite=True) as partial:
            partial.write_text(text, encoding="utf-8")

    def _launch(self, *options: str) -> None:
        arguments = ["train", "scn", str(self.folder / RECIPE), "--output", str(self.folder), *options]
        self._running_in = self.folder
        self._process = Process(arguments, self.folder / LOG, append=bool(options))
        self._stopping = False
        self._look()

    def _ended(self, code: int) -> None:
        stopped, self._stopping, self._process = self._stopping, False, None
        if code == DONE:
            self.context.notices.report = _("The detector '{name}' is trained: {text}").format(
                name=self.folder.name, text=self.text
            )
        elif stopped:
            self.context.notices.report = _("The training was stopped; press Continue to go on.")
        elif code == WRONG_INPUT and self.log:
            self.context.notices.problem = self.log[-1].removeprefix("landmark-tracker train: ")
        else:
            said = " / ".join(self.log[-3:]) or _("nothing; its exit code was {code}").format(code=code)
            self.context.notices.problem = _(
                "The training ended by itself. The last that it said: {lines}"
            ).format(lines=said)

    # What it has reached

    @property
    def progress(self) -> tuple[int, int]:
        """Steps done and steps in all."""
        return min(self._report.step, self.steps), self.steps

    @property
    def text(self) -> str:
        """How far the training of the folder is, for the user."""
        report = self._report
        if not len(report.steps):
            return _("Preparing") if self.running else ""
        parts = [_("step {step} of {steps}").format(step=report.step, steps=self.steps)]
        if len(report.error_mm):
            parts.append(
                _("error in the validation images {last:.1f} mm, at best {best:.1f} mm").format(
                    last=report.error_mm[-1], best=report.error_mm.min()
                )
            )
        left = report.seconds_left(self.steps)
        if self.running and np.isfinite(left):
            parts.append(_("about {minutes} min left").format(minutes=max(1, round(left / 60))))
        return ", ".join(parts)

    @property
    def obstacle_chart(self) -> str:
        """Why there is no loss curve; empty if there is."""
        return "" if len(self._report.steps) > 1 else _("Nothing is logged yet.")

    def show_chart(self):
        """Loss and error over the steps, as a vtkMRMLPlotChartNode that is kept up to date."""
        if self._plot is None:
            self._plot = Plot(self.context.scene, _("% of the beginning"))
        self._draw()
        return self._plot.chart

    def _look(self) -> bool:
        """Read the folder; whether something is new."""
        before = (self._report.step, len(self._report.validated), self.log)
        self._seen = self.folder
        self._report, self.log = read_report(self.folder), last_lines(self.folder / LOG)
        model = self.folder / f"{self.folder.resolve().name}.pt"
        if model.is_file():
            self.detection.offer(model)
        self._draw()
        return before != (self._report.step, len(self._report.validated), self.log)

    def _draw(self) -> None:
        if self._plot is None or self.obstacle_chart:
            return
        report = self._report
        lines = [Line(_("loss"), _percent(_smooth(report.loss)), COLOURS[0], True)]
        if len(report.error_mm) > 1:
            at = np.interp(report.steps, report.validated, _percent(report.error_mm), left=np.nan)
            lines.append(Line(_("error in the validation images"), at, COLOURS[1], True))
        self._plot.draw(self.folder.name, (_("step"), report.steps), lines)


def _percent(values: np.ndarray) -> np.ndarray:
    return 100 * values / values[0]


def _smooth(values: np.ndarray) -> np.ndarray:
    """(T,) the mean of each value and those before it."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(sums))
    begins = np.maximum(ends - SMOOTH, 0)
    return np.asarray((sums[ends] - sums[begins]) / (ends - begins))
