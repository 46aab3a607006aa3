"""How two scans are looked at: side by side, in turn or blended, the moving one warped by their pairs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.plane import Plane
from LandmarkTrackerLib.scene.actions import Action, Choice, Setting
from LandmarkTrackerLib.scene.context import Context
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.points import LPS
from LandmarkTrackerLib.scene.nodes.slice_views import (
    LEFT,
    RIGHT,
    Layers,
    fit,
    show,
    side_by_side,
    slice_views,
)
from LandmarkTrackerLib.scene.nodes.warped import Warped, WarpedNodes
from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.scene.parts import Row
from LandmarkTrackerLib.scene.sections.matching import ScanMatching
from LandmarkTrackerLib.warping import checkerboard, warp
from LandmarkTrackerLib.warping import fit as fit_transform

Look = Literal["pairs", "checkerboard", "blend"]
LOOKS: dict[Look, str] = {
    "pairs": _("Both scans"),
    "checkerboard": _("Checkerboard"),
    "blend": _("Blend"),
}


class Comparison:
    """The two scans of `Matching` in the slice views.

    Attributes:
        look: what is beside the fixed scan: "pairs": the moving scan; "checkerboard" and "blend": the fixed
            scan and the warped one in one.
        share: of the warped scan in the blend, 0 to 1.
    """

    def __init__(self, context: Context, matching: ScanMatching) -> None:
        self.context, self.matching = context, matching
        self.look: Look = "pairs"
        self.share = 0.5
        # The volumes and the point lists that the views show.
        self._followed: tuple[list, list] = ([None, None], [])
        self._nodes: WarpedNodes | None = None
        self._warped: Warped | None = None

    def rows(self) -> list[Row]:
        """The two scans, their pairs, and how they are looked at."""
        warp = Action(
            "warp",
            _("Warp"),
            _("Warp the moving scan onto the fixed one."),
            self.warp,
            lambda: self.context.runner.obstacle or self.obstacle_warp,
        )
        return [
            *self.matching.scan_rows(),
            [self.matching.match_action(), warp],
            *self.matching.pair_rows(self.look_at),
            [
                Setting(
                    _("Look at"),
                    self,
                    "look",
                    _("Both scans, or the fixed and the warped one in one."),
                    lambda: [Choice(look, title) for look, title in LOOKS.items()],
                    choose=self.choose_look,
                    obstacle=lambda: self.obstacle_look,
                )
            ],
            [
                Setting(
                    _("Rock"),
                    self,
                    "share",
                    _("From the fixed scan to the warped one and back: what moves is wrong."),
                    limits=lambda: (0, 1),
                    step=0.01,
                    choose=self.rock,
                    obstacle=self._obstacle_rock,
                    name="rock",
                )
            ],
        ]

    @property
    def obstacle_warp(self) -> str:
        """Why the moving scan cannot be warped; empty if it can."""
        return "" if len(self.matching.pairs) else _("Match the two scans first.")

    @property
    def obstacle_look(self) -> str:
        """Why there is no warped scan to look at; empty if there is."""
        return "" if self._warped is not None else _("Press Warp first.")

    def _obstacle_rock(self) -> str:
        return self.obstacle_look or ("" if self.look == "blend" else _("Choose Blend first."))

    @property
    def next_step(self) -> str:
        """What to do next with the two scans; empty as long as they are not chosen."""
        if self.obstacle_warp or self.obstacle_look:
            return self.matching.next_step
        return _("Where edges break, pairs are wrong: remove them, and warp again.")

    @reported
    def warp(self) -> None:
        """Warp the moving scan by the pairs: a transform, the warped volume and a checkerboard."""
        if self.obstacle_warp:
            raise InputError(self.obstacle_warp)
        self.context.runner.start(self._warping(), 1)

    @reported
    def choose_look(self, look: Look) -> None:
        """How to look at the scans; see `look`."""
        if look not in LOOKS:
            raise ValueError(f"look is one of {tuple(LOOKS)}, not {look!r}")
        if look != "pairs" and self.obstacle_look:
            raise InputError(self.obstacle_look)
        changed, self.look = look != self.look, look
        self.show_views(fresh=changed and bool(self.matching.chosen))

    @reported
    def rock(self, share: float) -> None:
        """Blend the fixed scan (0) with the warped one (1): to and fro, what is wrong moves."""
        self.share = share
        self.show_views()

    @reported
    def look_at(self, name: str) -> None:
        """Bring a pair into view, in both scans, and mark it."""
        if name not in self.matching.pairs.names:
            return
        for subject in self.matching.matched:
            point = subject.record.names.index(name)
            subject.point_list.GetDisplayNode().SetActiveControlPoint(point)
        shown = {subject.node.GetID(): subject for subject in self.matching.matched}
        for view, composite in slice_views(self.context.scene):
            subject = shown.get(composite.GetBackgroundVolumeID(), self.matching.matched[0])
            view.JumpSliceByCentering(*(subject.record.at(0)[name].position * LPS))

    def _warping(self) -> Iterator[bool]:
        yield False
        fixed, moving = self.matching.matched
        images, pairs = (fixed.cine[0], moving.cine[0]), self.matching.pairs
        scans = ScanPair(Scan(images[0]), Scan(images[1]), pairs)
        transform = fit_transform(*scans.points, pairs.score, scans.domain)
        image = warp(*images, pairs)
        warped = Warped(
            image,
            checkerboard(images[0], image),
            _mover(transform, *map(Grid.of, images)),
            Grid.of(images[0]),
        )
        change = self.context.history.begin(_("warp {moving}").format(moving=moving.name))
        if self._nodes is None:
            self._nodes = WarpedNodes(self.context.scene, fixed.node, moving.node)
        change.steps.append(partial(self._show_warped, self._nodes, self._warped))
        self._show_warped(self._nodes, warped)
        self.context.notices.report = self.next_step
        yield True

    def _show_warped(self, nodes: WarpedNodes, warped: Warped | None) -> None:
        """Fill the nodes, or remove them."""
        ours = nodes is self._nodes
        if ours:
            self._warped = warped
            self._nodes = nodes if warped is not None else None
        if warped is None:
            nodes.remove()
        else:
            nodes.fill(warped)
        if ours:
            if warped is None or self.look == "pairs":
                self.look = "pairs" if warped is None else "checkerboard"
            self.show_views(fresh=True)

    def show_views(self, fresh: bool = False) -> None:
        """Let the slice views show what is looked at; if `fresh`, all of it."""
        if not self.matching.chosen:
            return
        fixed, moving = self.matching.chosen
        if fresh:
            side_by_side(self.context.scene)
        for view, composite in slice_views(self.context.scene):
            right = view.GetLayoutName() == RIGHT
            show(composite, self._layers() if right else Layers(fixed.node))
            if fresh:
                shown = moving if right and self.look == "pairs" else fixed
                fit(view, shown.node, shown.cine.grid.is_slice)
        for subject, name in zip(self.matching.matched, (LEFT, RIGHT), strict=False):
            # Each list on its own scan: both may lie in the same place of the world.
            display = subject.point_list.GetDisplayNode()
            display.RemoveAllViewNodeIDs()
            for view, _composite in slice_views(self.context.scene):
                if view.GetLayoutName() == name:
                    display.AddViewNodeID(view.GetID())
            display.SetVisibility(subject is fixed or self.look == "pairs")

    def _layers(self) -> Layers:
        """What is beside the fixed scan."""
        fixed, moving = self.matching.chosen
        if self.look == "pairs" or self._nodes is None:
            return Layers(moving.node)
        if self.look == "checkerboard":
            return Layers(self._nodes.board)
        return Layers(fixed.node, self._nodes.volume, self.share)

    # The scene

    def refresh(self) -> None:
        """Show the two scans when others are chosen, and their points when there are others."""
        volumes = [subject and subject.node for subject in (self.matching.fixed, self.matching.moving)]
        lists = [subject.point_list for subject in self.matching.matched]
        if (volumes, lists) == self._followed:
            return
        others, fewer = volumes != self._followed[0], len(lists) < len(self._followed[1])
        self._followed = (volumes, lists)
        if others or fewer:
            self.leave()
        self.show_views(fresh=others)

    def forget(self, node) -> bool:
        """A node has left the scene. Whether it was one of ours."""
        if self._nodes is None or not any(node is made for made in self._nodes.nodes):
            return False
        nodes = self._nodes
        self.leave()
        nodes.remove()
        self.show_views()
        return True

    def leave(self) -> None:
        """Other volumes are chosen: what was made stays in the scene as it is."""
        self._nodes = self._warped = None
        self.look = "pairs"


def _mover(transform, fixed: Grid, moving: Grid):
    """A transform of `ScanPair.points` as a map of LPS mm (N, 3)."""
    if not fixed.is_slice:
        return partial(_moved, transform)
    here, there = Plane(fixed), Plane(moving)

    def move(at: Array) -> Array:
        flat = here.to_plane(at)
        # What lies before or behind the one slice does so at the other.
        depth = (at - here.to_world(flat)) @ _normal(fixed)
        return np.asarray(there.to_world(_moved(transform, flat)) + depth[:, None] * _normal(moving))

    return move


def _moved(transform, points: Array) -> Array:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def _normal(grid: Grid) -> Array:
    return np.asarray(np.reshape(grid.direction, (3, 3))[:, 2])
