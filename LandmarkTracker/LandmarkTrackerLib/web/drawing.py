"""The sections of the workbench on the page: how each part is drawn, and what the page's state holds of it.

Of a part NAME the state holds `NAME` (the value of a setting) and what else there is to show:
`NAME_obstacle`, `NAME_label`, `NAME_on`, `NAME_tip`, `NAME_choices`, `NAME_text`, `NAME_rows` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Action, Setting, text_of
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.parts import Heading, Line, Log, Note, Part, Progress, Section, Table
from LandmarkTrackerLib.web.encoding import decoded, encoded
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Fold, field, offer

# A browser draws some hundred rows at once; those that matter come first.
ROWS = 300
ROW_CLASSES = """{{ 'lt-click': true, 'lt-uncertain': row.marked,
'lt-here': {name}_selected.includes(row.id) || row.frame === frame }}"""


class Drawing:
    """Draws parts, and keeps the state as they are.

    Args:
        ask: takes an action that asks for a file, and lets the user choose one.
    """

    def __init__(self, state: Any, session: Session, ask: Callable[[Action], None]) -> None:
        self.state, self.session, self.bench, self.ask = state, session, session.bench, ask
        self.parts: list[Part] = [*self.bench.parts, self.bench.undo_action, self.bench.cancel_action]
        self._lines: dict[str, Sequence[Line]] = {}
        state.update({f"{section.name}_open": not section.folded for section in self.bench.sections})
        for part in self.parts:
            if isinstance(part, Setting):
                state.change(part.name)(self._hook(part))

    # What is drawn

    def section(
        self,
        section: Section,
        elsewhere: Iterable[str] = (),
        top: Callable[[], None] | None = None,
        beside: Mapping[str, Callable[[], None]] = {},
    ) -> None:
        """A section.

        Args:
            elsewhere: names of parts that are drawn elsewhere.
            top: draws what only the page has at the top of the section.
            beside: draws what only the page has beside the part of this name.
        """
        with Fold(section.title, section.name):
            if top is not None:
                with html.Div(classes="lt-row"):
                    top()
            for row in section.rows:
                parts = [part for part in row if part.name not in elsewhere]
                more = [beside[part.name] for part in parts if part.name in beside]
                if len(parts) + len(more) > 1:
                    with html.Div(classes="lt-row"):
                        for part in parts:
                            self.part(part)
                        for draw in more:
                            draw()
                else:
                    for part in parts:
                        self.part(part)

    def part(self, part: Part, **kwargs: Any) -> None:
        """One part."""
        if isinstance(part, Action):
            self._action(part, **kwargs)
        elif isinstance(part, Setting):
            self._setting(part, **kwargs)
        elif isinstance(part, Table):
            self._table(part)
        elif isinstance(part, Progress):
            vuetify.VProgressLinear(
                model_value=(f"{part.name}_percent",), height=5, color="success", rounded=True
            )
        elif isinstance(part, Log):
            html.Pre(f"{{{{ {part.name}_text }}}}", v_if=(f"{part.name}_text",), classes="lt-log")
        elif isinstance(part, Heading):
            html.Div(part.title, classes="lt-small lt-title")
        else:
            label = f"{part.label}: " if part.label else ""
            text = f"{part.name}_text"
            html.Div(f"{label}{{{{ {text} }}}}", v_if=(text,), classes="lt-small", style="flex: 1", **kwargs)

    def _action(self, action: Action, **kwargs: Any) -> None:
        name = action.name

        def run() -> None:
            if action.file is not None:
                self.ask(action)
            else:
                self.bench.do(action)

        if action.main:
            kwargs = {"color": "primary", "variant": "flat", **kwargs}
        if action.on is not None:
            kwargs = {"color": (f"{name}_on ? 'primary' : undefined",), **kwargs}
        offer(
            name,
            f"{{{{ {name}_label }}}}",
            run,
            action.tip,
            obstacle=f"{name}_obstacle",
            key=action.key,
            shown=f"{name}_offered",
            **kwargs,
        )

    def _setting(self, setting: Setting, **kwargs: Any) -> None:
        name, kind = setting.name, setting.kind
        label = setting.label
        if kind == "flag":
            field(vuetify.VCheckbox, name, label, **kwargs)
        elif kind in ("choice", "node"):
            field(
                vuetify.VSelect,
                name,
                label,
                items=(f"{name}_choices",),
                no_data_text=_("There is nothing yet."),
                **kwargs,
            )
        elif kind == "choices":
            self._boxes(setting)
        elif kind == "slider":
            ends = {"min": (f"{name}_least",), "max": (f"{name}_largest",), "step": setting.step}
            look = {"density": "default", "color": "primary", "thumb_size": 16}
            field(vuetify.VSlider, name, label, **{**ends, **look, **kwargs})
        elif kind == "number":
            low, high = setting.range()
            limits = {"type": "number", "min": low, "max": high, "step": setting.step}
            unit = f"`{setting.unit}`"
            shown = f"Number({name}) === {low:g} ? `{setting.least}` : {unit}" if setting.least else unit
            field(vuetify.VTextField, name, setting.label, suffix=(shown,), **limits, **kwargs)
        else:
            field(vuetify.VTextField, name, label, **kwargs)

    def _boxes(self, setting: Setting) -> None:
        """Several of what there is: a box each."""
        name = setting.name
        with html.Div(v_if=(f"{name}_choices.length",), title=(f"{name}_tip",)):
            html.Div(setting.label, classes="lt-small lt-title")
            with html.Div(classes=f"lt-scroll lt-{name}"):
                vuetify.VCheckbox(
                    v_for=(f"choice in {name}_choices",),
                    key=("choice.value",),
                    label=("choice.title",),
                    value=("choice.value",),
                    v_model=(name,),
                    density="compact",
                    hide_details=True,
                )

    def _table(self, table: Table) -> None:
        name = table.name

        def click(row: str, more: bool) -> None:
            self._click(table, row, more)

        def rename(row: str, text: str) -> None:
            self._rename(table, row, text)

        with (
            html.Div(classes="lt-scroll", title=table.tip),
            html.Table(classes=f"lt-table lt-table-{name}", v_if=(f"{name}_rows.length",)),
        ):
            with html.Thead(), html.Tr():
                for title in table.columns:
                    html.Th(title)
            with (
                html.Tbody(),
                html.Tr(
                    v_for=(f"row in {name}_rows",),
                    key=("row.id",),
                    classes=(ROW_CLASSES.format(name=name),),
                    click=(click, "[row.id, $event.ctrlKey || $event.metaKey]"),
                ),
            ):
                for n in range(len(table.columns)):
                    with html.Td():
                        if n == 0 and table.rename is not None:
                            html.Input(
                                type="text",
                                value=("row.cells[0]",),
                                change=(rename, "[row.id, $event.target.value]"),
                                keydown="$event.key === 'Enter' && $event.target.blur()",
                            )
                        else:
                            html.Span(f"{{{{ row.cells[{n}] }}}}")

    # What the state holds

    def values(self) -> dict[str, Any]:
        """Everything, as it is now."""
        values: dict[str, Any] = {}
        for part in self.parts:
            values |= self.of(part)
        return values

    def of(self, part: Part) -> dict[str, Any]:
        """What the state holds of a part."""
        if isinstance(part, Heading):
            return {}
        return {f"{part.name}{suffix}": value for suffix, value in self._of(part).items()}

    def _of(self, part: Action | Setting | Table | Note | Progress | Log) -> dict[str, Any]:
        if isinstance(part, Action):
            return {
                "_obstacle": part.obstacle(),
                "_label": text_of(part.label),
                "_offered": part.offered(),
                "_on": part.on is not None and part.on(),
            }
        if isinstance(part, Setting):
            return self._of_setting(part)
        if isinstance(part, Table):
            return self._of_table(part)
        if isinstance(part, Progress):
            done, total = part.progress()
            return {"_percent": 100 * done / max(total, 1)}
        return {"_text": "\n".join(part.lines()) if isinstance(part, Log) else part.text()}

    def _of_setting(self, setting: Setting) -> dict[str, Any]:
        root = self.session.root
        held = {
            "": encoded(setting.value, root),
            "_obstacle": setting.obstacle(),
            "_tip": text_of(setting.tip),
        }
        if setting.kind in ("choice", "choices", "node"):
            held["_choices"] = [
                {"title": c.title, "value": encoded(c.value, root), "props": {"subtitle": c.tip}}
                if c.tip
                else {"title": c.title, "value": encoded(c.value, root)}
                for c in setting.offered()
            ]
        if setting.kind == "slider":
            held["_least"], held["_largest"] = setting.range()
        return held

    def _of_table(self, table: Table) -> dict[str, Any]:
        selected = [_id(key) for key in table.selected()] if table.selected is not None else []
        lines = table.lines()
        if lines is self._lines.get(table.name):
            return {"_selected": selected}
        self._lines[table.name] = lines
        rows = [
            {"id": _id(line.key), "cells": list(line.cells), "marked": line.marked, "frame": line.frame}
            for line in lines[:ROWS]
        ]
        return {"_rows": rows, "_selected": selected}

    # What the user does

    def _hook(self, setting: Setting) -> Callable[..., None]:
        """The hook that takes what the page sends for a setting."""

        def changed(**state: Any) -> None:
            sent, root = state[setting.name], self.session.root
            if sent == encoded(setting.value, root):
                return
            try:
                setting.set(decoded(sent, setting, root))
            except InputError as error:
                self.bench.problem = str(error)
                self.session.redraw()
            except ValueError:
                # Half a number, or what is not offered any more: the next drawing puts it right.
                return

        return changed

    def _click(self, table: Table, row: str, more: bool) -> None:
        key = next((line.key for line in table.lines() if _id(line.key) == row), None)
        if key is None:
            return
        if table.select is not None and table.selected is not None:
            others = [k for k in table.selected() if k != key] if table.several and more else []
            table.select([*others, key])
        if table.click is not None:
            table.click(key)

    def _rename(self, table: Table, row: str, text: str) -> None:
        key = next((line.key for line in table.lines() if _id(line.key) == row), None)
        if key is not None and table.rename is not None:
            table.rename(key, text.strip())
            # What was typed stays in the field unless the row is drawn anew.
            self.state[f"{table.name}_rows"] = []
            self._lines.pop(table.name, None)
            self.session.redraw()


def _id(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
