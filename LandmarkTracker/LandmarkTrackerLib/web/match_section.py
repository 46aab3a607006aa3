"""Section Match two scans: pairs, and the moving scan warped by them."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.scene.nodes.subject import Subject
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.views import Views
from LandmarkTrackerLib.web.widgets import Section, choose, offer, titled

LOOKS = titled([("Both scans", "pairs"), ("Checkerboard", "checkerboard"), ("Blend", "blend")])
# A browser draws some hundred rows at once; the surest come first.
ROWS = 300


class MatchSection:
    def __init__(self, state: Any, session: Session, views: Views) -> None:
        self.session, self.bench, self.state, self.views = session, session.bench, state, views
        state.update({"match_open": False, "match_fixed": "", "match_moving": "", "look": "pairs"})
        state.update({"share": 0.5, "pairs": [], "pair": "", "looks": LOOKS})
        state.change("match_fixed", "match_moving")(self._choose)
        state.change("look")(self._choose_look)
        state.change("share")(self._rock)
        state.change("pair")(self._look_at)
        self._rows: list | None = None

    def draw(self) -> None:
        with Section("Match two scans", "match"):
            choose("Fixed", "match_fixed", "scans", no_data_text="Open two volumes first")
            choose("Moving", "match_moving", "scans", no_data_text="Open two volumes first")
            with html.Div(classes="lt-row"):
                offer("Match", self.match, "Find the points that both scans share.", "match_obstacle")
                offer("Warp", self.warp, "Warp the moving scan onto the fixed one.", "warp_obstacle")
            with html.Div(classes="lt-scroll"), html.Table(classes="lt-table", v_if=("pairs.length",)):
                with html.Thead(), html.Tr():
                    html.Th("Pair")
                    html.Th("Confidence")
                with (
                    html.Tbody(),
                    html.Tr(
                        v_for=("row in pairs",),
                        key=("row.name",),
                        classes=("{ 'lt-click': true, 'lt-here': row.name === pair }",),
                        click="pair = row.name",
                    ),
                ):
                    html.Td("{{ row.name }}")
                    html.Td("{{ row.score }}")
            with html.Div(classes="lt-row"):
                offer(
                    "Remove selected pair",
                    self.remove_pair,
                    "Remove the selected pair from both scans.",
                    "remove_pair_obstacle",
                )
                offer("Show both scans", self.show_both, "Two linked views.", "side_obstacle")
            choose("Look at", "look", "looks", disabled=("!!look_obstacle",))
            html.Div("{{ look_obstacle }}", classes="lt-small", v_if=("pairs.length",))
            vuetify.VSlider(
                v_if=("look === 'blend'",),
                v_model=("share",),
                label="Rock",
                min=0,
                max=1,
                step=0.02,
                hide_details=True,
                color="primary",
                thumb_size=16,
            )

    def values(self) -> dict[str, Any]:
        matching, comparison = self.bench.matching, self.bench.comparison
        rows = matching.rows()
        names = matching.pairs.names
        if self.state.pair and self.state.pair not in names:
            self.state.pair = ""
        volumes = [node for node in self.session.images() if node.IsA("vtkMRMLScalarVolumeNode")]
        values = {
            "scans": titled([("None", ""), *((node.GetName(), node.GetID()) for node in volumes)]),
            "match_fixed": _id(matching.fixed),
            "match_moving": _id(matching.moving),
            "side_obstacle": "" if matching.chosen else "Choose a fixed and a moving volume first.",
            "match_obstacle": self.bench.obstacle_busy or matching.obstacle,
            "warp_obstacle": self.bench.obstacle_busy or comparison.obstacle_warp,
            "remove_pair_obstacle": "" if self.state.pair else "Click a pair in the table first.",
            "look": comparison.look,
            "look_obstacle": comparison.obstacle_look,
            "share": comparison.share,
        }
        if rows is not self._rows:
            self._rows = rows
            values["pairs"] = [{"name": row.name, "score": row.score} for row in rows[:ROWS]]
        return values

    def match(self) -> None:
        self.bench.matching.start()

    def warp(self) -> None:
        self.bench.comparison.warp()

    def show_both(self) -> None:
        self.views.side_by_side(all(subject.cine.grid.is_slice for subject in self.bench.matching.chosen))
        self.bench.comparison.choose_look(self.bench.comparison.look)

    def remove_pair(self) -> None:
        if self.state.pair:
            self.bench.matching.remove([self.state.pair])

    def _choose(self, match_fixed: str, match_moving: str, **_: Any) -> None:
        matching = self.bench.matching
        if (match_fixed, match_moving) != (_id(matching.fixed), _id(matching.moving)):
            nodes = [
                self.session.scene.GetNodeByID(node) if node else None for node in (match_fixed, match_moving)
            ]
            if all(nodes):
                # The views have to be there when the workbench fills them.
                self.views.side_by_side(all(map(_is_flat, nodes)))
            matching.choose(*nodes)

    def _choose_look(self, look: str, **_: Any) -> None:
        if look != self.bench.comparison.look:
            self.bench.comparison.choose_look(look)

    def _rock(self, share: Any, **_: Any) -> None:
        if float(share) != self.bench.comparison.share:
            self.bench.comparison.rock(float(share))

    def _look_at(self, pair: str, **_: Any) -> None:
        if pair:
            self.bench.comparison.look_at(pair)


def _is_flat(volume: Any) -> bool:
    data = volume.GetImageData()
    return data is not None and data.GetDimensions()[2] == 1


def _id(subject: Subject | None) -> str:
    return subject.node.GetID() if subject is not None else ""
