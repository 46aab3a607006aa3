"""Everything that is trained for the tables: each variant is the base with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from LandmarkTrackerLib.networks.encoders import EncoderName
from LandmarkTrackerLib.training.config import DataConfig, RunConfig
from LandmarkTrackerLib.training.data import split_items
from LandmarkTrackerLib.training.loop import CHECKPOINT, Run, model_of
from LandmarkTrackerLib.training.task import Task
from LandmarkTrackerLib.training.tmn import TmnTask
from LandmarkTrackerLib.training.tmn_data import NetworkConfig, TmnConfig

from reproduce_tmn.config import EncoderConfig, Loss, ReproduceConfig, WithinName
from reproduce_tmn.data import Cases
from reproduce_tmn.regression.training import RegressionConfig, RegressionTask
from reproduce_tmn.simclr.training import SimClrConfig, SimClrTask
from reproduce_tmn.within import training_of

SIMCLR, WHOLE, SAME_PLACE = "simclr-patches", "simclr-whole", "same-place"
SPLIT = "split.csv"
# The paper's tables: side of the patch for the maps and for landmarks (Table 1); examples (Table 3).
MAPS_PATCH, LANDMARKS_PATCH, FEW = 80, 50, 20
FRAMES = 10  # of a file of cines, about
# Multiplications (10^9) of each encoder for 224 x 224 pixels: how long trainings take, one against another.
WORK: dict[str, float] = {
    "light": 0.4,
    "vgg16": 15.5,
    "resnet50": 4.1,
    "densenet121": 2.9,
    "convnext_small": 8.7,
}


@dataclass(frozen=True)
class Training:
    """A model to be trained.

    Attributes:
        name: of its folder.
        run: its `[run]` table.
        steps: how many that is.
        work: a rough measure of how long a step takes.
        make: reads the images and makes the task.
    """

    name: str
    run: RunConfig
    steps: int
    work: float
    make: Callable[[], Task]


class Trainings:
    """What is to be trained, in the order of it.

    Attributes:
        all: name to training.
        base: the name of the TMN of Table 2.
        counts: numbers of examples that the folder has.
        patches, encoders, layers, losses: from what is varied to the TMN's name.
        regressions: (pretrained, count, draw) to the name.
        within: name to the cines and the side of the patch.
    """

    def __init__(self, config: ReproduceConfig, cases: Cases, folder: Path) -> None:
        self._config, self._cases, self._folder = config, cases, folder
        # The patients' table, which is also the user's record of the split, names every image.
        self._source = DataConfig(str(cases.folder.resolve()), subject=str((folder / SPLIT).resolve()))
        self.all: dict[str, Training] = {}
        self.base = self._tmn()
        self._simclr(SIMCLR, config.simclr.network.patch, config.simclr.run)
        self._simclr(WHOLE, 0, config.simclr.whole)
        available = len(cases.examples(0, config.data.seed))
        self.counts = tuple(count for count in config.examples.counts if count <= available)
        self.regressions = {
            (pretrained, count, draw): self._regression(pretrained, count, draw)
            for pretrained in (False, True)
            for count in self.counts
            for draw in range(config.examples.draws)
        }
        tmn = config.tmn
        self.patches = {patch: self._tmn(patch=patch) for patch in tmn.patches}
        self.layers = {layers: self._tmn(tmn.ablated, layers=layers) for layers in tmn.layers}
        self.losses = {loss: self._tmn(tmn.ablated, loss=loss) for loss in tmn.losses}
        self.encoders = {encoder.name: self._tmn(encoder.name) for encoder in tmn.encoders}
        sides = {self.patch_near(side) for side in (MAPS_PATCH, LANDMARKS_PATCH)}
        self.within = {
            self._within(which, side): (which, side) for which in config.within for side in sorted(sides)
        }

    def patch_near(self, side: int) -> int:
        """The patch in the recipe whose side is nearest to the paper's."""
        return min(self.patches, key=lambda patch: abs(patch - side))

    @property
    def few(self) -> int:
        """The number of examples of Table 3."""
        return max(count for count in self.counts if count <= FEW)

    def file(self, name: str) -> Path:
        """Where this training leaves its model."""
        return model_of(self._folder / "models" / name)

    def within_name(self, which: WithinName, side: int) -> str:
        """Of the network for these cines that is for the paper's patches of this side."""
        return f"within-{which}-patch{self.patch_near(side)}"

    def _add(self, name: str, run: RunConfig, work: float, make: Callable[[], Task], images: int = 0) -> str:
        steps = run.counted(images or self._cases.trained).steps
        self.all.setdefault(name, Training(name, run, steps, work * run.batch_size, make))
        return name

    def _tmn(
        self, encoder: EncoderName | None = None, patch: int = 0, layers: int = 0, loss: Loss | None = None
    ) -> str:
        part = self._config.tmn
        name = encoder or part.network.encoder
        base = part.network
        network = replace(base, encoder=name, patch=patch or base.patch, layers=layers or base.layers)
        # The paper's methods answer always, however uncertain.
        learning = replace(part.learning, loss=loss or part.learning.loss, max_sigma_mm=float("inf"))
        own = next((item for item in part.encoders if item.name == name), EncoderConfig(name))
        run = replace(part.run, batch_size=own.batch_size or part.run.batch_size)
        if own.steps:
            run = replace(run, steps=own.steps, epochs=0.0)
        config = TmnConfig(run, (self._source,), self._config.input, self._cases.split, network, learning)
        work = self._work(network, learning.patches)
        label = f"tmn-{name}-patch{network.patch}-layers{network.layers}-{learning.loss}"
        return self._add(label, run, work, partial(TmnTask, config))

    def _within(self, which: WithinName, side: int) -> str:
        """The base, on cines: their images, split and field are those of a training file."""
        part, images = self._config.tmn, training_of(which)
        network = replace(part.network, patch=side)
        learning = replace(part.learning, max_sigma_mm=float("inf"))
        config = replace(images, run=part.run, network=network, learning=learning)
        columns, rows = images.input.size
        work = WORK[network.encoder] * (columns * rows + learning.patches * side**2)
        # Before they are read, their frames can only be estimated.
        count = FRAMES * sum(1 for item in split_items(images.data, images.split) if item.part == "train")
        return self._add(self.within_name(which, side), part.run, work, partial(TmnTask, config), count)

    def _simclr(self, name: str, patch: int, run: RunConfig) -> None:
        part = self._config.simclr
        network = replace(part.network, patch=patch)
        config = SimClrConfig(
            run, (self._source,), self._config.input, self._cases.split, network, part.learning
        )
        pixels = part.learning.patches * patch**2 if patch else self._pixels
        self._add(name, run, 2 * WORK[network.encoder] * pixels, partial(SimClrTask, config))

    def _regression(self, pretrained: bool, count: int, draw: int) -> str:
        part, cases = self._config.regression, self._cases
        network = part.network
        if pretrained:
            network = replace(network, pretrained=str(self.file(WHOLE)))
        config = RegressionConfig(
            part.run,
            (DataConfig(str(cases.folder), landmarks=cases.names),),
            self._config.input,
            network=network,
            learning=part.learning,
        )
        shown = cases.examples(draw, self._config.data.seed)[:count]
        kind = "pretrained" if pretrained else "supervised"
        make = partial(RegressionTask, config, shown, cases.of("validation"))
        return self._add(f"{kind}-{count}-draw{draw}", part.run, WORK[network.encoder] * self._pixels, make)

    @property
    def _pixels(self) -> int:
        return self._config.input.size[0] * self._config.input.size[1]

    def _work(self, network: NetworkConfig, patches: int) -> float:
        return WORK[network.encoder] * (self._pixels + patches * network.patch**2)


def train(training: Training, folder: Path) -> Generator[int, None, None]:
    """Train, or go on where it was stopped; yields the number of finished steps. Closed, it keeps them.

    Raises:
        InputError: the images cannot be used.
    """
    run = Run(training.make(), training.run, folder, resume=(folder / CHECKPOINT).exists())
    if run.finished:
        return
    steps = iter(run)
    try:
        for step in steps:
            yield step.done
    except GeneratorExit:
        run.stop()
        next(steps, None)
        raise
