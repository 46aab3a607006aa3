"""Click a landmark once; find it again in every frame, every subject, or between two scans.

The library below `gui/`, `web/` and `scene/` needs no Slicer and no Qt. Positions are LPS millimetres.
"""

__version__ = "0.1.0"
