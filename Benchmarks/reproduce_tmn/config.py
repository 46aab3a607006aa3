"""Recipes of `reproduce_tmn compare`. What a recipe leaves out is as in the paper (section III)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from dataclasses import field as default
from pathlib import Path
from typing import Any, Literal

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.subjects import check_rule
from LandmarkTrackerLib.networks.encoders import EncoderName
from LandmarkTrackerLib.training import tmn_data
from LandmarkTrackerLib.training.config import RunConfig, require_at_least
from LandmarkTrackerLib.training.tmn_data import FieldConfig

from reproduce_tmn.regression import training as regression
from reproduce_tmn.simclr import training as simclr

Loss = Literal["gaussian", "laplace"]
WithinName = Literal["phantom", "cardiac"]

# The paper's trainings.
TMN_RUN = RunConfig(
    epochs=1000.0,
    batch_size=192,
    schedule="staircase",
    decay=0.85,
    decay_every=80,
    precision="bf16-mixed",
    workers=8,
)
TMN_NETWORK = tmn_data.NetworkConfig(encoder="vgg16", dropout=0.5)
TMN_LEARNING = tmn_data.LearningConfig(patches=1, foreground=0.0)
SIMCLR_RUN = RunConfig(
    epochs=1000.0, batch_size=32, schedule="cosine", warmup=10, precision="bf16-mixed", workers=8
)
WHOLE_RUN = replace(SIMCLR_RUN, batch_size=512)
REGRESSION_RUN = RunConfig(steps=20000, batch_size=50, precision="bf16-mixed", workers=8)
FIELD = FieldConfig((224, 224), 1.6, fit=True)
SIMCLR_NETWORK, SIMCLR_LEARNING = simclr.NetworkConfig(), simclr.LearningConfig()
REGRESSION_NETWORK, REGRESSION_LEARNING = regression.NetworkConfig(), regression.LearningConfig()
# For a CPU.
SMALL = Path(__file__).parent / "recipes" / "small.toml"
# Of these keys only the computer decides; the cines are other images, and their rows are others.
OWN = {
    "within",
    "device",
    "precision",
    "threads",
    "workers",
    "validate_every",
    "checkpoint_every",
    "log_every",
}


@dataclass(frozen=True)
class Data:
    """`[data]`: how the folder is read and split.

    Attributes:
        subject: whose image a file is; see `formats.subjects.subject_rule`.
        landmarks: names that are sought; all that occur if not given.
        validation, test: share of the patients.
        seed: of the split and of the draws of examples.
    """

    subject: str = ""
    landmarks: tuple[str, ...] = ()
    validation: float = 0.2
    test: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        check_rule(self.subject)
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1:
            raise InputError("validation and test must be above 0 and together below 1")


@dataclass(frozen=True)
class ExamplesConfig:
    """`[examples]`: how the landmarks are shown and where they are sought.

    Attributes:
        counts: numbers of examples; those above what the folder has are left out.
        draws: how often the examples are drawn.
        targets: annotated test images, at most.
    """

    counts: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50)
    draws: int = 1
    targets: int = 50

    def __post_init__(self) -> None:
        if 1 not in self.counts or min(self.counts) < 1:
            raise InputError("counts must hold 1 and nothing below; the tables have a row for one example")
        if min(self.draws, self.targets) < 1:
            raise InputError("draws and targets must be at least 1")


@dataclass(frozen=True)
class MapsConfig:
    """`[maps]`: what template matching and the cyclic error are measured on.

    Attributes:
        template_images: test images for template matching; 0 takes all, with landmarks or without.
        template_step: of these, every so many-th pixel.
        images: test images for the cyclic error; within a subject, pairs of frames.
        targets: images of other patients, through which it leads.
        step: every so many-th pixel.
    """

    template_images: int = 0
    template_step: int = 1
    images: int = 10
    targets: int = 10
    step: int = 2

    def __post_init__(self) -> None:
        require_at_least(self, 1, "template_step", "images", "targets", "step")
        require_at_least(self, 0, "template_images")


@dataclass(frozen=True)
class EncoderConfig:
    """One of the encoders that are compared, and what is trained differently with it; 0 is as the others."""

    name: EncoderName
    steps: int = 0
    batch_size: int = 0


@dataclass(frozen=True)
class TmnPart:
    """`[tmn]`: the network and its variants, each of which differs from it in one thing.

    Attributes:
        run, network, learning: of the base; see `training.tmn_data`.
        patches: sides of the patch (Fig. 5).
        encoders: Table 3.
        ablated: the encoder whose perceptron's depth and loss are varied.
        layers, losses: Table 3.
    """

    run: RunConfig = TMN_RUN
    network: tmn_data.NetworkConfig = TMN_NETWORK
    learning: tmn_data.LearningConfig = TMN_LEARNING
    patches: tuple[int, ...] = (32, 40, 50, 60, 70, 80)
    encoders: tuple[EncoderConfig, ...] = (
        EncoderConfig("vgg16"),
        EncoderConfig("resnet50"),
        EncoderConfig("densenet121"),
        EncoderConfig("convnext_small", batch_size=92),
    )
    ablated: EncoderName = "resnet50"
    layers: tuple[int, ...] = (1, 2, 3, 4)
    losses: tuple[Loss, ...] = ("gaussian", "laplace")

    def __post_init__(self) -> None:
        if self.ablated not in [encoder.name for encoder in self.encoders]:
            raise InputError(f"ablated = '{self.ablated}' must be one of the encoders")


@dataclass(frozen=True)
class SimClrPart:
    """`[simclr]`: the baseline on patches, and the pre-training on whole images, which `whole` runs."""

    run: RunConfig = SIMCLR_RUN
    whole: RunConfig = WHOLE_RUN
    network: simclr.NetworkConfig = SIMCLR_NETWORK
    learning: simclr.LearningConfig = SIMCLR_LEARNING


@dataclass(frozen=True)
class RegressionPart:
    """`[regression]`: the supervised baseline; with SimCLR's encoder it is the third one."""

    run: RunConfig = REGRESSION_RUN
    network: regression.NetworkConfig = REGRESSION_NETWORK
    learning: regression.LearningConfig = REGRESSION_LEARNING


@dataclass(frozen=True)
class ReproduceConfig:
    """A recipe.

    Attributes:
        within: sets of cines for the within-subject rows; see `within`.
    """

    data: Data = Data()
    within: tuple[WithinName, ...] = ()
    input: FieldConfig = FIELD
    examples: ExamplesConfig = ExamplesConfig()
    maps: MapsConfig = MapsConfig()
    tmn: TmnPart = default(default_factory=TmnPart)
    simclr: SimClrPart = default(default_factory=SimClrPart)
    regression: RegressionPart = default(default_factory=RegressionPart)


def settings_of(config: ReproduceConfig) -> dict[str, str]:
    """Every setting that has a say in the results, by its place in the recipe."""
    return {key: _shown(value) for key, value in _leaves(config, "") if key.rpartition(".")[2] not in OWN}


def changed(config: ReproduceConfig) -> list[tuple[str, str, str]]:
    """What differs from the paper, besides the images: the key, its value here, and the paper's."""
    here, paper = settings_of(config), settings_of(ReproduceConfig())
    return [
        (key, value, paper[key])
        for key, value in here.items()
        if value != paper[key] and not key.startswith("data.")
    ]


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    for item in fields(value):
        inner, key = getattr(value, item.name), f"{where}{item.name}"
        if is_dataclass(inner):
            yield from _leaves(inner, f"{key}.")
        else:
            yield key, inner


def _shown(value: Any) -> str:
    if isinstance(value, EncoderConfig):
        own = [f"{getattr(value, key)} {key}" for key in ("steps", "batch_size") if getattr(value, key)]
        return " ".join([value.name, *(f"({', '.join(own)})" for _ in own[:1])])
    if isinstance(value, tuple):
        return ", ".join(_shown(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
