"""What ImageJ writes into a TIFF beside its pixels: the size of a pixel and the interval of frames."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# mm in each unit of length that ImageJ writes; "\\u00B5" is how it writes the Greek letter.
MILLIMETRES = {
    "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "inch": 25.4, "m": 1000.0, "nm": 1e-6,
    "micron": 1e-3, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "\\u00b5m": 1e-3,
}  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """What the file states; 0 where it says nothing.

    Attributes:
        spacing: mm along columns and rows.
        interval: seconds between frames.
    """

    spacing: tuple[float, float] = (0.0, 0.0)
    interval: float = 0.0


def stated(path: Path) -> Stated:
    """Of a TIFF that ImageJ has written; nothing of any other, or without tifffile."""
    try:
        import tifffile
    except ImportError:
        return Stated()
    try:
        with tifffile.TiffFile(path) as file:
            about = file.imagej_metadata
            if not about:
                return Stated()
            unit = MILLIMETRES.get(str(about.get("unit", "")).lower(), 0.0)
            tags = file.pages.first.tags
            x, y = (
                _ratio(tags[name].value) if name in tags else 0.0 for name in ("XResolution", "YResolution")
            )
            spacing = (unit / x, unit / y) if unit and x > 0 and y > 0 else (0.0, 0.0)
            interval = float(about.get("finterval", 0) or 0)
            return Stated(spacing, interval if 0 < interval < float("inf") else 0.0)
    except Exception:
        return Stated()


def _ratio(value: tuple[int, int]) -> float:
    return value[0] / value[1] if value[1] else 0.0
