"""How the page looks, and how it tells of its keys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent

THEME = {
    "dark": True,
    "colors": {
        "background": "#131518",
        "surface": "#1d2025",
        "primary": "#6cb2eb",
        "secondary": "#9aa5b1",
        "warning": "#f0b95a",
        "error": "#f08a80",
        "success": "#8fc98f",
    },
}

SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", " ": "Space"}


def css() -> str:
    """The style sheet."""
    return (HERE / "page.css").read_text(encoding="utf-8")


def script(keys: Iterable[str]) -> str:
    """The page's own JavaScript.

    Args:
        keys: that it tells the server of.
    """
    text = (HERE / "page.js").read_text(encoding="utf-8")
    return text.replace("KEYS_OF_THE_PAGE", json.dumps(list(keys)))
