"""What a comparison leaves to read: one HTML file with its pictures, and a CSV file of every number."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from LandmarkTrackerLib.formats.files import written
from LandmarkTrackerLib.formats.tables import write_table

from reproduce_tmn import charts
from reproduce_tmn.conditions import conditions
from reproduce_tmn.config import ReproduceConfig, changed
from reproduce_tmn.data import Cases
from reproduce_tmn.measuring import FOUND, MAPS
from reproduce_tmn.paper import Figures
from reproduce_tmn.result import Result
from reproduce_tmn.tables import METHODS, WITHIN, Table, Tables
from reproduce_tmn.trainings import SAME_PLACE, Trainings

REPORT_FILES = ("report.html", "numbers.csv")
COLUMNS = ("table", "row", "figure", "here", "paper")

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1d21 }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.5rem } .lead { font-size: 1.05rem }
.note, figcaption { color: #555; font-size: .9rem }
table { border-collapse: collapse; margin: .8rem 0 }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th { border-bottom: 2px solid #1b1d21; font-weight: 600; vertical-align: bottom; white-space: normal }
th:first-child, td:first-child, .words td, .words th { text-align: left }
.words td { white-space: normal }
.paper { color: #777; background: #f6f6f4 }
figure { margin: 1rem 0 } img { max-width: 100%; height: auto }
"""

INTRODUCTION = """<p>Frueh et al., <i>Real Time Landmark Detection for Within- and Cross Subject Tracking
With Minimal Human Supervision</i>, IEEE Access 2022, evaluated again on other images. Columns on grey are the
paper's own figures, <b>on its own images</b>: they are there for orientation, and only their order can be
compared.</p>"""
FIGURE_4 = """Where patches are found again in their own image, how sure the network was, and where
they end on the way to other patients and back, in mm by what the files state. On the right, stated sigma
against what happened; on the dotted line both agree."""
FIGURE_5 = "Mean error by the side of the patch, one example."
FIGURE_6 = """Mean error by the number of examples; shaded, from the luckiest to the unluckiest draw.
Shares of the image's side, because the paper's images are of another size."""
FIGURE_7 = """{row}: the landmark that moves most, as found (red) and as known (green), from one example in
the first of these frames, and how far it has moved."""
FOUND_CAPTION = """Test images with the landmarks as annotated (rings) and as TMN found them (crosses), shown
{few} example(s), and the mean error by what the files state."""


def write_report(
    folder: Path,
    config: ReproduceConfig,
    cases: Cases,
    trainings: Trainings,
    results: Mapping[str, Result],
) -> None:
    """Write `REPORT_FILES`, in place of those that are there.

    Args:
        folder: that holds the pictures.
        results: name to what was measured, of the trainings that are finished.
    """
    tables = Tables(config, trainings, results)
    write_table(folder / REPORT_FILES[1], COLUMNS, _rows(tables.all), overwrite=True)
    with written(folder / REPORT_FILES[0], overwrite=True) as partial:
        left = len(set(trainings.all) - set(results))
        partial.write_text(_html(folder, config, cases, trainings, tables, left), encoding="utf-8")


def _rows(tables: Sequence[Table]) -> Iterator[tuple[str, str, str, str, str]]:
    for table in tables:
        for entry in table.entries:
            for key in dict.fromkeys([*entry.here, *entry.paper]):
                here, paper = (f"{f[key]:.6g}" if key in f else "" for f in (entry.here, entry.paper))
                yield table.name, entry.label, key, here, paper


def _html(
    folder: Path, config: ReproduceConfig, cases: Cases, trainings: Trainings, tables: Tables, left: int
) -> str:
    pictures = folder / "pictures"
    side = max(config.input.size)
    unfinished = [f"{left} of {len(trainings.all)} models are not finished yet."] if left else []
    parts = [
        f"<h1>The comparisons of the TMN paper on {escape(cases.folder.name)}</h1>",
        f'<p class="lead">{escape(verdict(tables.methods))}</p>',
        INTRODUCTION,
        "<h2>What was done here</h2>",
        _list([*unfinished, *conditions(config, cases, trainings)]),
        _settings(config),
        _section(tables.table_1),
        "<h2>Figure 4: maps of the error</h2>",
        _drawn(pictures / MAPS, FIGURE_4),
        _section(tables.few_shot),
        _section(tables.single_shot),
        *(_section(table) for table in tables.table_3),
        "<h2>Figure 5: error by patch size</h2>",
        _image(charts.by_patch(_by_patch(tables, trainings)), FIGURE_5),
        _section(tables.figure_5),
        "<h2>Figure 6: error by the number of examples</h2>",
        _image(charts.by_examples(tables.methods, trainings.counts, side), FIGURE_6),
        _section(tables.figure_6),
        *_tracks(pictures),
        "<h2>What it looks like</h2>",
        _drawn(pictures / FOUND, FOUND_CAPTION.format(few=trainings.few)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>TMN on {escape(cases.folder.name)}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def verdict(methods: Mapping[str, Result]) -> str:
    """The methods by their error, with one example and with the best number, against the same place."""

    def ranking(best: bool) -> str:
        found = {
            METHODS[method]: result.figures(result.best if best else 1)["mean"]
            for method, result in methods.items()
            if result.figures(1)
        }
        blind = found.pop(METHODS[SAME_PLACE])
        order = sorted(found, key=lambda name: found[name])
        better = [name for name in order if found[name] < blind]
        return (
            ", ".join(f"{name} {found[name]:.1f}" for name in order)
            + ". To answer with the place in the examples, without looking at the image, is "
            + f"{blind:.1f} px off: "
            + (f"better than that is {', '.join(better)}." if better else "no method is better than that.")
        )

    return (
        f"Mean error in pixels, with one example: {ranking(False)} With the number of examples that suits "
        f"each best: {ranking(True)}"
    )


def _by_patch(tables: Tables, trainings: Trainings) -> dict[int, Figures]:
    here = {entry.label: entry.here for entry in tables.figure_5.entries}
    return {side: here[f"{side} x {side} px"] for side in trainings.patches}


def _section(table: Table) -> str:
    # Of some figures the paper has none.
    both = [any(cell(form, entry.paper) != "–" for entry in table.entries) for _, form in table.columns]
    heads = "".join(
        f"<th>{escape(title)}</th>" + '<th class="paper">the paper</th>' * beside
        for (title, _), beside in zip(table.columns, both, strict=True)
    )
    rows = "".join(
        f"<tr><td>{escape(entry.label)}</td>"
        + "".join(
            f"<td>{cell(form, entry.here)}</td>"
            + f'<td class="paper">{cell(form, entry.paper)}</td>' * beside
            for (_, form), beside in zip(table.columns, both, strict=True)
        )
        + "</tr>"
        for entry in table.entries
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f"<h2>{escape(table.name)}: {escape(table.title)}</h2>" if table.title else ""
    ) + f"<table><tr><th></th>{heads}</tr>{rows}</table>{note}"


def cell(form: str, figures: Figures) -> str:
    """A format filled with figures; a dash for those that are not there, and one for all if none is.

    A mean whose SD is not known stands alone.
    """
    keys = re.findall(r"{(\w+)", form)
    if not any(key in figures for key in keys):
        return "–"
    filled = re.sub(
        r"{(\w+):([^}]*)}",
        lambda found: _number(figures[found[1]], found[2]) if found[1] in figures else "–",
        form,
    )
    return filled.removesuffix(" ± –")


def _number(value: float, form: str) -> str:
    if form == "ms":
        return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
    return format(value, form)


def _settings(config: ReproduceConfig) -> str:
    rows = "".join(
        f'<tr><td>{escape(key)}</td><td>{escape(here)}</td><td class="paper">{escape(theirs)}</td></tr>'
        for key, here, theirs in changed(config)
    )
    if not rows:
        return "<p>Every setting is the paper's.</p>"
    return (
        "<details><summary>Settings that differ from the paper's</summary>"
        '<table class="words"><tr><th>setting</th>'
        f'<th>here</th><th class="paper">the paper</th></tr>{rows}</table></details>'
    )


def _tracks(pictures: Path) -> list[str]:
    drawn = sorted(pictures.glob("within-*.png"))
    heading = ["<h2>Figure 7A: within-subject motion</h2>"] if drawn else []
    return heading + [
        _drawn(path, FIGURE_7.format(row=WITHIN[path.stem.removeprefix("within-")])) for path in drawn
    ]


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def _drawn(picture: Path, caption: str) -> str:
    """A picture of the folder, if it was drawn already."""
    return _image(picture.read_bytes(), caption) if picture.exists() else "<p>–</p>"


def _image(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="" src="data:image/png;base64,{data}"><figcaption>{escape(caption)}</figcaption>'
        "</figure>"
    )
