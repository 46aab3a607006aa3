"""The two point lists of the pairs between two scans."""

from __future__ import annotations

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.point_lists import POINT_LIST, new_point_list
from LandmarkTrackerLib.scene.nodes.sequences import nodes_of

# References from the fixed scan's point list, so that a saved scene still knows.
FIXED, MOVING, PARTNER = (f"LandmarkTracker.{role}" for role in ("Fixed", "Moving", "Partner"))


def lists_between(scene, fixed, moving) -> tuple:
    """The point lists of pairs between two volumes, as they were left or loaded; (None, None) if none."""
    if fixed is not None and moving is not None:
        wanted = (fixed.GetID(), moving.GetID())
        for node in nodes_of(scene, POINT_LIST):
            partner = node.GetNodeReference(PARTNER)
            here = (node.GetNodeReferenceID(FIXED), node.GetNodeReferenceID(MOVING))
            if here == wanted and partner is not None:
                return node, partner
    return None, None


def new_lists(scene, fixed, moving) -> tuple:
    """Two empty ones."""
    lists = (
        new_point_list(scene, _("{name} (fixed)").format(name=fixed.GetName())),
        new_point_list(scene, _("{name} (moving)").format(name=moving.GetName())),
    )
    for role, node in ((FIXED, fixed), (MOVING, moving), (PARTNER, lists[1])):
        lists[0].SetNodeReferenceID(role, node.GetID())
    for node in lists:
        display = node.GetDisplayNode()
        # Hundreds of names would hide the scan.
        display.SetTextScale(0.0)
        display.SetGlyphScale(1.5)
    return lists
