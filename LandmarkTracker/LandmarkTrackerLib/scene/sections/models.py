"""Which trained model fits the image, and what it runs on."""

from __future__ import annotations

import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.fit import misfit
from LandmarkTrackerLib.methods.protocols import Locator
from LandmarkTrackerLib.methods.registry import DEFAULT_ACROSS, UNTRAINED, make_locator
from LandmarkTrackerLib.scene.actions import Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parameters import Parameter
from LandmarkTrackerLib.scene.parts import Note, Row
from LandmarkTrackerLib.scene.sections.inputs import Inputs
from LandmarkTrackerLib.weights import model_names, pick_device, read_card

# The trained methods that find shown landmarks, the better first. Other models of `models/` do other jobs.
LOCATORS = ("tracker", "tmn")


@dataclass(frozen=True)
class Model:
    """One model that the user may choose.

    Attributes:
        name: of a model that comes with the program, or the path of a file.
        title: what it is for, in a sentence.
        fits: whether it was made for images like the chosen one.
        trained: whether it needs PyTorch.
    """

    name: str
    title: str
    fits: bool
    trained: bool

    @property
    def label(self) -> str:
        """For a list."""
        return Path(self.name).name.removesuffix(".pt")

    @property
    def choice(self) -> Choice:
        return Choice(self.name, self.label, self.title)


class Models:
    """The model that finds the landmarks: chosen for the user, and theirs to change.

    Attributes:
        name: the model that the user chose; empty for the one that fits best.
        device: "auto", "cpu" or "cuda".
    """

    name = Parameter("model", "")
    device = Parameter("device", "auto", choices={"auto": _("Automatic"), "cpu": "CPU", "cuda": "CUDA"})

    def __init__(self, context: Context, inputs: Inputs) -> None:
        self.context, self.inputs = context, inputs
        self._loaded: tuple[tuple[str, str], Locator] | None = None
        self._doubt: tuple[tuple[str, str], str] | None = None

    def rows(self) -> list[Row]:
        """The model, and what it runs on."""
        tip = _("What finds the landmarks. The first fits the image best.")
        return [
            [Setting(_("Model"), self, "name", tip, self._choices)],
            [Note("modelTitle", lambda: self.doubt or self.chosen.title)],
            [Note("runsOn", lambda: self.runs_on, _("Runs on"))],
        ]

    def device_rows(self) -> list[Row]:
        """What few people change."""
        return [[Setting(_("Device"), self, "device", _("Where a trained model runs."))]]

    def choices(self) -> list[Model]:
        """Every model that finds shown landmarks, those that fit first."""
        choices = [
            Model(name, str(card.get("title", name)), self.fits(card), True) for name, card in _cards()
        ]
        choices += [Model(name, title, True, name != "ncc") for name, title in UNTRAINED.items()]
        return sorted(choices, key=lambda choice: not choice.fits)

    @property
    def best(self) -> Model:
        """The one that is taken unless the user chooses another."""
        return self.choices()[0]

    @property
    def chosen(self) -> Model:
        """The one that will run."""
        return next((choice for choice in self.choices() if choice.name == self.name), self.best)

    @property
    def doubt(self) -> str:
        """That the chosen model was trained on images of another kind; empty if it was not."""
        subject = self.inputs.subject
        if subject is None or self.chosen.name in UNTRAINED:
            return ""
        key = (self.chosen.name, subject.node.GetID())
        if self._doubt is None or self._doubt[0] != key:
            card = dict(_cards()).get(self.chosen.name)
            card = read_card(self.chosen.name) if card is None else card
            self._doubt = (key, misfit(card, subject.cine[0]))
        return self._doubt[1]

    @property
    def chosen_across(self) -> Model:
        """The one that will run in other subjects: unless the user chose, one that is made for it."""
        subject = self.inputs.subject
        if self.name or subject is None or not subject.cine.grid.is_slice:
            return self.chosen
        return next(choice for choice in self.choices() if choice.name == DEFAULT_ACROSS)

    @property
    def torch_missing(self) -> bool:
        """Whether PyTorch is not installed."""
        return "torch" not in sys.modules and importlib.util.find_spec("torch") is None

    @property
    def obstacle(self) -> str:
        """Why the chosen model cannot run; empty if it can."""
        return self.obstacle_of(self.chosen)

    def obstacle_of(self, model: Model) -> str:
        """Why this model cannot run; empty if it can."""
        if model.trained and self.torch_missing:
            return _("Install PyTorch first, or choose a method that needs no training.")
        return ""

    @property
    def runs_on(self) -> str:
        """What the chosen model runs on, for the user."""
        if self.inputs.subject is None or not self.chosen.trained:
            # PyTorch takes seconds to load; nobody has to wait for it before there is an image.
            return "" if self.chosen.trained else _("CPU")
        if self.torch_missing:
            return _("PyTorch is not installed")
        try:
            return pick_device(self.device).upper()
        except InputError as error:
            return str(error)

    @reported
    def choose(self, name: str, device: str = "auto") -> None:
        """Take this model and device; an empty name for the model that fits best."""
        self.name, self.device = name, device

    def locator(self, model: Model | None = None) -> Locator:
        """The chosen model, or another, loaded once.

        Raises:
            InputError: it cannot run here.
        """
        model = model or self.chosen
        if self.obstacle_of(model):
            raise InputError(self.obstacle_of(model))
        key = (model.name, self.device)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = (key, make_locator(*key))
        return self._loaded[1]

    def _choices(self) -> list[Choice]:
        best = self.best
        automatic = Choice("", _("Automatic: {model}").format(model=best.name), best.title)
        return [automatic, *(model.choice for model in self.choices())]

    def fits(self, card: dict) -> bool:
        """Whether a model was made for images like the chosen one."""
        subject = self.inputs.subject
        if subject is None:
            return True
        dimensions, modality = card.get("dimensions", 2), card.get("modality", "")
        here = 2 if subject.cine.grid.is_slice else 3
        known = subject.modality and modality
        return here in np.atleast_1d(dimensions) and (not known or subject.modality in modality)


@functools.cache
def shipped(method: str) -> tuple[tuple[str, dict], ...]:
    """Name and card of every model of `models/` that runs this method."""
    cards = [(name, read_card(name)) for name in model_names()]
    return tuple((name, card) for name, card in cards if card.get("method") == method)


def _cards() -> tuple[tuple[str, dict], ...]:
    """Every model that finds shown landmarks, the better methods first."""
    # A model of a simulated patient is for demonstrations.
    return tuple(
        item
        for method in LOCATORS
        for item in sorted(shipped(method), key=lambda item: item[1].get("anatomy") == "phantom")
    )
