"""The widgets of the page, as Vuetify draws them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

LOOK = {"density": "compact", "variant": "outlined", "hide_details": True}


def offer(
    name: str,
    title: str,
    action: Callable | str,
    tip: str,
    *,
    obstacle: str = "",
    key: str = "",
    side: str = "top",
    shown: str = "",
    **kwargs: Any,
) -> None:
    """A button that says in its tool tip what it does, or why it cannot be pressed.

    Args:
        name: by which tests find it.
        title: its text; what is in {{ }} is JavaScript.
        action: what it does, or JavaScript.
        tip: what it does, in words.
        obstacle: state variable that holds why it is disabled; none if it never is.
        key: the key that does the same.
        side: on which side the tool tip appears.
        shown: JavaScript that says whether it is there.
    """
    kwargs = {"size": "small", "variant": "tonal", "classes": f"lt-do-{name}", **kwargs}
    with html.Div(classes="lt-offer", **({"v_if": (shown,)} if shown else {})):
        # A disabled button hears no mouse; what is around it does.
        words = f"{obstacle} || `{tip}`" if obstacle else f"`{tip}`"
        vuetify.VTooltip(activator="parent", text=(words,), location=side, open_delay=250, max_width=320)
        disabled = {"disabled": (f"!!{obstacle}",)} if obstacle else {}
        with vuetify.VBtn(click=action, **disabled, **kwargs):
            html.Span(title)
            if key:
                html.Kbd(key)


def field(kind: Callable, name: str, label: str, **kwargs: Any) -> None:
    """A field of a setting: `name` holds its value, and with `_tip` and `_obstacle` what to say of it."""
    with html.Div(title=(f"{name}_obstacle || {name}_tip",), classes="lt-field"):
        kind(
            label=label,
            v_model=(name,),
            disabled=(f"!!{name}_obstacle",),
            classes=f"lt-{name}",
            **{**LOOK, **kwargs},
        )


class Fold:
    """A titled part of the panel that can be folded."""

    def __init__(self, title: str, name: str) -> None:
        self._outer = html.Div(classes=f"lt-section lt-section-{name}")
        with self._outer:
            icon = f"{{{{ {name}_open ? '▾' : '▸' }}}}"
            html.H2(f"{icon} {title}", click=f"{name}_open = !{name}_open", style="cursor: pointer")
            self._inner = html.Div(v_show=(f"{name}_open",))

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)
