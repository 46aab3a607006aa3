"""Click a landmark once; find it again in every frame, every subject, or between two scans.

    from LandmarkTrackerLib import make_locator, open_cine, propagate, read_landmarks

    cine = open_cine("liver.seq.nrrd")
    for step in propagate(cine, make_locator("ncc"), {0: read_landmarks("clicked.mrk.json")}):
        print(step.result.frame, step.result.landmarks["dome"].position)

The library below `gui/`, `web/` and `scene/` needs no Slicer and no Qt. Positions are LPS millimetres.
"""

__version__ = "0.2.0"

from LandmarkTrackerLib.formats import open_cine, read_landmarks, write_landmarks
from LandmarkTrackerLib.jobs.propagate import propagate
from LandmarkTrackerLib.methods.registry import make_locator

__all__ = ["make_locator", "open_cine", "propagate", "read_landmarks", "write_landmarks"]
