"""What several sections draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify


def offer(
    title: str | tuple[str],
    action: Any,
    purpose: str,
    obstacle: str = "",
    key: str = "",
    side: str = "top",
    **kwargs: Any,
) -> None:
    """A button that says in its tool tip what it does, or why it cannot be pressed.

    Args:
        title: its text; or a tuple with a JavaScript expression.
        obstacle: state variable that holds why it is disabled; none if it never is.
        purpose: what it does.
        key: the key that does the same.
        side: on which side the tool tip appears.
    """
    kwargs = {"size": "small", "variant": "tonal", "classes": _slug(action), **kwargs}
    with html.Div(classes="lt-offer"):
        # A disabled button hears no mouse; what is around it does.
        shown = f"{obstacle} || `{purpose}`" if obstacle else f"`{purpose}`"
        vuetify.VTooltip(activator="parent", text=(shown,), location=side, open_delay=250, max_width=320)
        disabled = {"disabled": (f"!!{obstacle}",)} if obstacle else {}
        # A title that changes stands between the tags, where Vue fills it in.
        text = "{{ " + title[0] + " }}" if isinstance(title, tuple) else title
        with vuetify.VBtn(click=action, **disabled, **kwargs):
            html.Span(text)
            if key:
                html.Kbd(key)


def choose(label: str, model: str, items: str, **kwargs: Any) -> None:
    """A list to choose from: `model` holds the chosen value, `items` titles and values."""
    vuetify.VSelect(
        label=label,
        v_model=(model,),
        items=(items,),
        density="compact",
        variant="outlined",
        hide_details=True,
        classes=f"lt-{model}",
        **kwargs,
    )


def number(label: str, model: str, step: float, largest: float, **kwargs: Any) -> None:
    """A number from 0 to `largest`."""
    vuetify.VTextField(
        label=label,
        v_model=(model,),
        type="number",
        min=0,
        max=largest,
        step=step,
        density="compact",
        variant="outlined",
        hide_details=True,
        classes=f"lt-{model}",
        **kwargs,
    )


def words(label: str, model: str) -> None:
    """A line of text."""
    vuetify.VTextField(
        label=label,
        v_model=(model,),
        density="compact",
        variant="outlined",
        hide_details=True,
        classes=f"lt-{model}",
    )


def tick(label: str, model: str) -> None:
    """A box to tick."""
    vuetify.VCheckbox(
        label=label, v_model=(model,), density="compact", hide_details=True, classes=f"lt-{model}"
    )


class Section:
    """A titled part of the panel that can be folded."""

    def __init__(self, title: str, key: str) -> None:
        self.key = key
        self._outer = html.Div(classes=f"lt-section lt-section-{key}")
        with self._outer:
            icon = f"{{{{ {key}_open ? '▾' : '▸' }}}}"
            html.H2(f"{icon} {title}", click=f"{key}_open = !{key}_open", style="cursor: pointer")
            self._inner = html.Div(v_show=(f"{key}_open",))

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


def titled(pairs: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Titles and values as a list to choose from takes them."""
    return [{"title": title, "value": value} for title, value in pairs]


def _slug(action: Callable | str) -> str:
    """A CSS class by which a test finds a button."""
    return f"lt-do-{getattr(action, '__name__', 'it').strip('_')}"
