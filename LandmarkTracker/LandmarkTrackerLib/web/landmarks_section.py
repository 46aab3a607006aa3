"""Section Landmarks: place, name, load a protocol, remove."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from LandmarkTrackerLib.scene.nodes.point_lists import POINT_LIST
from LandmarkTrackerLib.scene.nodes.sequences import nodes_of
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, offer, titled


class LandmarksSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench, self.state = session, session.bench, state
        state.update({"point_list": "", "selected": "", "landmarks_open": True})
        state.change("point_list")(self._choose_points)

    def draw(self, load_protocol: Any) -> None:
        with Section("Landmarks", "landmarks"):
            choose("Point list", "point_list", "point_lists")
            with html.Div(classes="lt-row"):
                offer(
                    ("placing ? 'Stop placing' : 'Place landmarks'",),
                    self.toggle_placing,
                    "Click landmarks in the image; press again to end.",
                    "place_obstacle",
                    key="L",
                    color=("placing ? 'primary' : undefined",),
                )
                offer(
                    "Protocol…",
                    load_protocol,
                    "Load landmark names from a file, then click them in order.",
                    "place_obstacle",
                )
                offer(
                    "Remove",
                    self.remove,
                    "Remove the selected landmark from every frame.",
                    "remove_obstacle",
                )
            with html.Div(classes="lt-scroll"), html.Table(classes="lt-table", v_if=("rows.length",)):
                with html.Thead(), html.Tr():
                    html.Th("Name")
                    html.Th("In this frame")
                with (
                    html.Tbody(),
                    html.Tr(
                        v_for=("row in rows",),
                        key=("row.name",),
                        classes=("{ 'lt-click': true, 'lt-here': row.name === selected }",),
                        click="selected = row.name",
                    ),
                ):
                    with html.Td():
                        html.Input(
                            type="text",
                            value=("row.name",),
                            change=(self._rename, "[row.name, $event.target.value]"),
                            keydown="$event.key === 'Enter' && $event.target.blur()",
                        )
                    html.Td("{{ row.state }}")

    def values(self) -> dict[str, Any]:
        subject, placement = self.bench.inputs.subject, self.bench.placement
        rows = [{"name": row.name, "state": row.state} for row in placement.rows()]
        names = [row["name"] for row in rows]
        if self.state.selected not in names:
            self.state.selected = ""
        if not rows:
            why = "There is no landmark."
        else:
            why = "" if self.state.selected else "Click a landmark in the table first."
        lists = [(node.GetName(), node.GetID()) for node in nodes_of(self.session.scene, POINT_LIST)]
        point_list = subject.point_list if subject is not None else None
        return {
            "point_list": point_list.GetID() if point_list is not None else "",
            "point_lists": titled([("New when the first landmark is placed", ""), *lists]),
            "placing": placement.active,
            "place_obstacle": placement.obstacle,
            "remove_obstacle": why,
            "rows": rows,
        }

    def toggle_placing(self) -> None:
        if self.bench.placement.active:
            self.bench.placement.stop()
        else:
            self.bench.placement.start()

    def remove(self) -> None:
        if self.state.selected:
            self.bench.placement.remove(self.state.selected)

    def _rename(self, old: str, new: str) -> None:
        self.bench.placement.rename(old, new.strip())
        # What was typed stays in the field unless the row is drawn anew.
        self.state.rows = []

    def _choose_points(self, point_list: str, **_: Any) -> None:
        subject = self.bench.inputs.subject
        shown = subject.point_list if subject is not None else None
        if point_list != (shown.GetID() if shown is not None else ""):
            self.bench.inputs.choose_points(
                self.session.scene.GetNodeByID(point_list) if point_list else None
            )
