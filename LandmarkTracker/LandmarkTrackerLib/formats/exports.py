"""Registration programs by name: each gets the pairs in its own format, and what makes it use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from LandmarkTrackerLib.formats import ants, dirlab, elastix, niftyreg, plastimatch, simpleitk_transforms
from LandmarkTrackerLib.formats.scans import ScanPair

# Each writes into a folder of its own, which is there and empty.
EXPORTS: dict[str, Callable[[Path, ScanPair], None]] = {
    "elastix": elastix.export,
    "ants": ants.export,
    "plastimatch": plastimatch.export,
    "niftyreg": niftyreg.export,
    "simpleitk": simpleitk_transforms.export,
    "dirlab": dirlab.export,
}
