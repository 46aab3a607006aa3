"""A landmark set that a model was trained for, found in one image after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.jobs.detect import detect
from LandmarkTrackerLib.methods.protocols import Detector
from LandmarkTrackerLib.methods.registry import make_detector
from LandmarkTrackerLib.scene.actions import Action, Choice, File, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.history import Change
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.subject import Subject, is_cine
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.scene.sections.models import Model, Models, shipped
from LandmarkTrackerLib.step import results


class Detection:
    """Detects in every frame of the chosen image, and in the ticked volumes.

    Attributes:
        model: name of a model, or path of a model file; empty for the first that fits.
        files: model files of the user's, beside the models that come with the program.
    """

    model = Parameter("detector", "")

    def __init__(self, context: Context, inputs: Inputs, models: Models) -> None:
        self.context, self.inputs, self.models = context, inputs, models
        self.files: list[Path] = []
        self._loaded: tuple[tuple[str, str, float], Detector] | None = None

    def rows(self) -> list[Row]:
        """The detector, and what it does."""
        return [
            [
                Setting(
                    _("Detector"),
                    self,
                    "chosen_name",
                    lambda: self.chosen.title if self.chosen is not None else "",
                    self._choices,
                    choose=self.choose,
                    name="detector",
                )
            ],
            [
                Action(
                    "detect",
                    _("Detect"),
                    _("Find the detector's landmarks in every frame of the image, and in ticked volumes."),
                    self.start,
                    lambda: self.context.runner.obstacle or self.obstacle,
                ),
                Action(
                    "detectorFile",
                    _("Open detector…"),
                    _("A model file (.pt) of your own."),
                    lambda path: self.choose(str(path)),
                    file=File(_("Open detector"), "model", _("Models"), (".pt",)),
                ),
            ],
        ]

    def follow(self) -> None:
        """Take up the model that is chosen in the parameter node: a file joins the choices.

        Raises:
            InputError: there is no such file; none is chosen then.
        """
        try:
            self._require(self.model)
        except InputError:
            self.model = ""
            raise

    def choices(self) -> list[Model]:
        """Every detector: those that come with the program and fit, the user's own, and then the others."""
        mine = [Model(str(path), str(path), True, True) for path in self.files if path.is_file()]
        shipped_ones = [
            Model(name, str(card.get("title", name)), self.models.fits(card), True)
            for name, card in shipped("heatmap")
        ]
        fitting = [choice for choice in shipped_ones if choice.fits]
        return [*fitting, *mine, *(choice for choice in shipped_ones if not choice.fits)]

    @property
    def chosen(self) -> Model | None:
        """The one that will run; None if there is none."""
        choices = self.choices()
        return next((choice for choice in choices if choice.name == self.model), next(iter(choices), None))

    @property
    def chosen_name(self) -> str:
        """The name of the one that will run; empty if there is none."""
        return self.chosen.name if self.chosen is not None else ""

    @property
    def targets(self) -> list[Subject]:
        """The images to detect in."""
        subject = self.inputs.subject
        return [*([subject] if subject is not None else []), *self.inputs.others]

    @property
    def obstacle(self) -> str:
        """Why nothing can be detected; empty if it can."""
        if not self.targets:
            return _("Choose an image first, or tick volumes.")
        if self.chosen is None:
            return _("There is no detector; train one, or open a model file.")
        if self.models.torch_missing:
            return _("Install PyTorch first.")
        return ""

    @reported
    def choose(self, model: str) -> None:
        """Take this model; the path of a .pt file joins the choices.

        An empty name takes the first that fits.
        """
        self._require(model)
        self.model = model

    def offer(self, path: Path) -> None:
        """Let the user choose this model file."""
        if path not in self.files:
            self.files.insert(0, path)

    @reported
    def start(self) -> None:
        """Begin to detect, one frame or volume a step. What a person placed stays where it is."""
        if self.obstacle:
            raise InputError(self.obstacle)
        targets, inputs = self.targets, self.inputs
        change = self.context.history.begin(
            _("detect landmarks in {count} images").format(count=len(targets))
        )
        if inputs.subject is not None:
            # Now: a new list of the chosen image ends the work that is under way.
            targets[0] = inputs.with_points(inputs.subject, change)
        total = sum(len(subject.cine) for subject in targets)
        self.context.runner.start(self._through(targets, change), total)

    def detector(self) -> Detector:
        """The chosen model, loaded once.

        Raises:
            InputError: it cannot run here, or does not detect.
        """
        if self.chosen is None or self.obstacle:
            raise InputError(self.obstacle)
        name, device = self.chosen.name, self.models.device
        # A training that goes on writes better weights into the same file.
        written = Path(name).stat().st_mtime if name.endswith(".pt") else 0.0
        key = (name, device, written)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = (key, make_detector(name, device))
        return self._loaded[1]

    def _require(self, model: str) -> None:
        path = Path(model)
        if path.suffix == ".pt" and path not in self.files:
            if not path.is_file():
                raise InputError(_("there is no model file {file}; open another").format(file=path))
            self.offer(path)

    def _choices(self) -> list[Choice]:
        return [model.choice for model in self.choices()]

    def _through(self, targets: Sequence[Subject], change: Change) -> Iterator[bool]:
        detector = self.detector()
        yield False
        failures, sets, notes = [], [], dict[str, None]()
        for target in targets:
            images = {str(t): partial(target.cine.__getitem__, t) for t in range(len(target.cine))}
            subject: Subject | None = None
            for frame, found in enumerate(results(detect(images, detector))):
                if found.landmarks is None:
                    failures.append(f"{target.name}: {found.failure}")
                else:
                    if subject is None:
                        subject = self.inputs.with_points(target, change)
                        change.steps.append(partial(subject.show, subject.record))
                    subject.show(subject.record.with_answer(frame, found.landmarks))
                    sets.append(found.landmarks)
                    notes[found.note] = None
                yield True
                if found.landmarks is None and is_cine(target.node):
                    # The other frames are like this one.
                    break
        if failures:
            raise InputError("; ".join(failures))
        missing = sum(int((~found.defined).sum()) for found in sets)
        report = _(
            "Detected {count} landmarks; {missing} are missing. Look at them, and drag what is wrong."
        ).format(count=sum(len(found) for found in sets) - missing, missing=missing)
        self.context.notices.report = " ".join([report, *filter(None, notes)])
