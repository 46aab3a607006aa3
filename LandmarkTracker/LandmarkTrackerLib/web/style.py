"""How the page looks, and its keys."""

from __future__ import annotations

import json
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

# Key, action, what it does. Ctrl+Shift with N, P and B belongs to browsers: here the letters stand alone.
KEYS = (
    ("L", "place", "place landmarks, or stop"),
    ("P", "propagate", "propagate"),
    ("N", "next", "next uncertain frame"),
    ("B", "previous", "previous uncertain frame"),
    ("Z", "undo", "undo"),
    ("ArrowLeft", "back", "one frame back"),
    ("ArrowRight", "on", "one frame on"),
    (" ", "play", "play, or stop"),
)
SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", " ": "Space"}


def css() -> str:
    """The style sheet."""
    return (HERE / "page.css").read_text(encoding="utf-8")


def script() -> str:
    """The page's own JavaScript."""
    keys = json.dumps({key: action for key, action, _ in KEYS})
    return (HERE / "page.js").read_text(encoding="utf-8").replace("ACTION_OF_KEY", keys)
