"""The paper's tables and figures, filled with what was measured here, the paper's own figures beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reproduce_tmn import paper
from reproduce_tmn.config import ReproduceConfig
from reproduce_tmn.paper import Figures
from reproduce_tmn.result import NOTHING, Result, together
from reproduce_tmn.trainings import (
    LANDMARKS_PATCH,
    MAPS_PATCH,
    SAME_PLACE,
    SIMCLR,
    Trainings,
)

METHODS = {
    "tmn": "TMN",
    "simclr": "SimCLR: patch",
    "pretrained": "SimCLR: pretrained",
    "supervised": "Supervised baseline",
    "same-place": "Same place, no network",
}
ENCODERS = {
    "light": "light",
    "vgg16": "VGG16",
    "resnet50": "ResNet50",
    "densenet121": "DenseNet121",
    "convnext_small": "ConvNext-Small",
}

# Rows of cines, and the sets that are measured for them.
WITHIN = {
    "phantom": "simulated breathing torsos (within-subject)",
    "cardiac": "hearts (within-subject)",
    "cardiac_cine": "hearts, Sunnybrook (within-subject; to the drawn contour)",
    "acdc_cine": "hearts, ACDC, not trained on (within-subject; to the drawn contour)",
}

ERROR = ("Euclidean error (px)", "{mean:.1f} ± {sd:.1f}")
SHARE = ("of the image's side (%)", "{share:.1f}")
TIME = ("inference time on GPU (CPU), ms", "{cuda:ms} ({cpu:ms})")


@dataclass(frozen=True)
class Entry:
    """A row: what it is, what was measured here, and what the paper has in that place."""

    label: str
    here: Figures
    paper: Figures


@dataclass(frozen=True)
class Table:
    """A table of the report, or the numbers behind one of its charts.

    Attributes:
        name: as the paper has it.
        title: what it shows; empty below a chart that says so.
        columns: headings, and what stands under each, as a format of the entries' figures; `ms` is a time.
        entries: rows.
        note: below the table.
    """

    name: str
    title: str
    columns: tuple[tuple[str, str], ...]
    entries: list[Entry]
    note: str = ""


class Tables:
    """Every table and figure of one comparison, as far as it has come.

    Attributes:
        methods: the results of Fig. 6, by the keys of METHODS.
    """

    def __init__(self, config: ReproduceConfig, trainings: Trainings, results: Mapping[str, Result]) -> None:
        self._config, self._trainings = config, trainings
        # What is not finished yet is a row of dashes.
        self._results = dict.fromkeys((*trainings.all, SAME_PLACE), NOTHING) | dict(results)
        results = self._results
        self._side = max(config.input.size)
        regressions = trainings.regressions.items()
        self.methods = {
            "tmn": results[trainings.base],
            "simclr": results[SIMCLR],
            "pretrained": together(results[name] for key, name in regressions if key[0]),
            "supervised": together(results[name] for key, name in regressions if not key[0]),
            SAME_PLACE: results[SAME_PLACE],
        }

    @property
    def all(self) -> list[Table]:
        return [self.table_1, self.few_shot, self.single_shot, *self.table_3, self.figure_5, self.figure_6]

    @property
    def table_1(self) -> Table:
        maps, landmarks = (self._trainings.patch_near(n) for n in (MAPS_PATCH, LANDMARKS_PATCH))
        figures = self._of_patch(maps) | self._figures(self._trainings.patches[landmarks], 1)
        entries = [Entry("these images", figures, {})]
        for which in self._config.within:
            models = [self._trainings.within_name(which, n) for n in (MAPS_PATCH, LANDMARKS_PATCH)]
            of_maps, of_landmarks = (self._results[model].rows for model in models)
            for row in of_maps or {which: {}}:
                here = {k: v for k, v in of_maps.get(row, {}).items() if k.startswith(("template", "cyclic"))}
                entries.append(Entry(WITHIN[row], of_landmarks.get(row, {}) | here, {}))
        share = 1 - figures.get("cyclic_answered", 1.0)
        lost = f" {share:.1%} of the ways led beyond the other image and do not count." if share else ""
        columns = (
            ("template matching (px)", "{template_mean:.1f} ± {template_sd:.1f}"),
            ("cross-image matching (px)", "{cyclic_mean:.1f} ± {cyclic_sd:.1f}"),
            ("landmark matching (px)", "{mean:.1f} ± {sd:.1f}"),
            ("landmark maximum (px)", "{max:.1f}"),
        )
        entries += [Entry(label, {}, figures) for label, figures in paper.TABLE_1.items()]
        return Table(
            "Table 1",
            "Template matching, cross-image matching and landmark matching",
            columns,
            entries,
            f"Here: patches of {maps} px for the first two, of {landmarks} px for landmarks, one example. "
            f"The paper: {MAPS_PATCH} and {LANDMARKS_PATCH} px.{lost}",
        )

    @property
    def few_shot(self) -> Table:
        entries = [
            Entry(METHODS[m], self._method(m, result.best), self._papers(paper.FEW_SHOT.get(m, {})))
            for m, result in self.methods.items()
        ]
        columns = (("examples", "{examples:.0f}"), ERROR, SHARE, TIME)
        return Table(
            "Table 2, few-shot",
            "Comparison with the baselines, each with the number of examples that suits it best",
            columns,
            entries,
            "As in the paper, the best number is chosen by the error itself, on the same test images.",
        )

    @property
    def single_shot(self) -> Table:
        entries = [
            Entry(METHODS[m], self._method(m, 1), self._papers(paper.SINGLE_SHOT.get(m, {})))
            for m in self.methods
        ]
        return Table("Table 2, single-shot", "The same with one example", (ERROR, SHARE, TIME), entries)

    @property
    def table_3(self) -> list[Table]:
        trainings, few = self._trainings, self._trainings.few
        ablated = ENCODERS[self._config.tmn.ablated]
        columns = (("training steps", "{steps:.0f}"), ERROR, SHARE, TIME)
        parts: tuple[tuple[str, str, Mapping[Any, str], Mapping[Any, Figures], Mapping[Any, str]], ...] = (
            ("encoders", "What sees image and patch", trainings.encoders, paper.ENCODERS, ENCODERS),
            ("depth", f"Layers of the shared perceptron (here with {ablated}, in the paper with ResNet50)",
             trainings.layers, paper.LAYERS, {n: f"{n} layer{'s' * (n > 1)}" for n in trainings.layers}),
            ("distribution", f"Assumed distribution (here with {ablated}, in the paper with ResNet50)",
             trainings.losses, paper.LOSSES, {"gaussian": "Normal", "laplace": "Laplace"}),
        )  # fmt: skip
        return [
            Table(
                f"Table 3, {name}",
                title,
                columns,
                [
                    Entry(labels[key], self._figures(model, few), self._papers(theirs.get(key, {})))
                    for key, model in models.items()
                ],
                f"{few} example{'s' * (few > 1)} each; the paper: 20.",
            )
            for name, title, models, theirs, labels in parts
        ]

    @property
    def figure_5(self) -> Table:
        columns = (
            ("template matching (px)", "{template_mean:.1f} ± {template_sd:.1f}"),
            ("cross-image matching (px)", "{cyclic_mean:.1f} ± {cyclic_sd:.1f}"),
            ("landmark matching (px)", "{mean:.1f} ± {sd:.1f}"),
        )
        sides = sorted({*self._trainings.patches, *paper.PATCHES})
        entries = [
            Entry(
                f"{side} x {side} px",
                self._of_patch(side) | self._figures(self._trainings.patches[side], 1)
                if side in self._trainings.patches
                else {},
                paper.PATCHES.get(side, {}),
            )
            for side in sides
        ]
        return Table("Figure 5", "", columns, entries)

    @property
    def figure_6(self) -> Table:
        columns = (ERROR, SHARE, ("lowest and highest draw (px)", "{lowest:.1f} to {highest:.1f}"))
        counts = sorted({*self._trainings.counts, *(count for _, count in paper.EXAMPLES)})
        entries = []
        for method, label in METHODS.items():
            for count in counts:
                theirs = paper.EXAMPLES.get((method, count))
                here = self._method(method, count)
                if here or theirs is not None:
                    figures = {} if theirs is None else self._papers({"mean": theirs})
                    entries.append(Entry(f"{label}, {count} example{'s' * (count > 1)}", here, figures))
        return Table("Figure 6", "", columns, entries)

    def _of_patch(self, side: int) -> Figures:
        return dict(self._results[self._trainings.patches[side]].maps)

    def _method(self, method: str, count: int) -> Figures:
        """Its training steps are those of several models, and are left out."""
        figures = self._with_share(self.methods[method], count, self._side)
        return {key: value for key, value in figures.items() if key != "steps"}

    def _figures(self, name: str, count: int) -> Figures:
        return self._with_share(self._results[name], count, self._side)

    @staticmethod
    def _with_share(result: Result, count: int, side: int) -> Figures:
        figures = result.figures(count)
        if not figures:
            return {}
        times = result.ms.get(count, {})
        own = {"examples": float(count), "steps": float(result.steps), "seconds": result.seconds}
        return figures | own | times | {"share": 100 * figures["mean"] / side}

    @staticmethod
    def _papers(figures: Figures) -> Figures:
        return figures | {"share": 100 * figures["mean"] / paper.SIDE} if figures else {}
