"""Section Propagate: through the cine, and to the volumes of other subjects."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.jobs.propagate import Direction
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, offer, tick, titled

DIRECTIONS = titled([("Both directions", "both"), ("Forward", "forward"), ("Backward", "backward")])


class PropagateSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench = session, session.bench
        state.update({"direction": "both", "directions": DIRECTIONS, "live": False, "max_sigma": 0})
        state.update({"others": [], "propagate_open": True})
        state.change("direction", "live", "max_sigma")(self._settings)
        state.change("others")(self._choose_others)

    def draw(self) -> None:
        with Section("Propagate", "propagate"):
            with html.Div(classes="lt-row"):
                offer(
                    "Propagate",
                    self.propagate,
                    "Find the landmarks in the other frames (P).",
                    "propagate_obstacle",
                    color="primary",
                    variant="flat",
                )
                offer("Cancel", self.cancel, "Stop; what is done stays.", "cancel_obstacle")
            vuetify.VProgressLinear(model_value=("progress",), height=6, color="primary", rounded=True)
            html.Div("{{ busy ? status : '' }}", classes="lt-small lt-estimate")
            with html.Div(classes="lt-row"):
                choose("Direction", "direction", "directions")
                vuetify.VTextField(
                    label="Missing above (mm)",
                    v_model=("max_sigma",),
                    type="number",
                    min=0,
                    step=0.5,
                    density="compact",
                    variant="outlined",
                    hide_details=True,
                    style="max-width: 150px",
                    title="0: as the model says",
                )
            tick("Propagate every click and correction at once", "live")
            with html.Div(v_if=("volumes.length",)):
                html.Div("Other subjects", classes="lt-small")
                with html.Div(classes="lt-scroll"):
                    vuetify.VCheckbox(
                        v_for=("volume in volumes",),
                        key=("volume.value",),
                        label=("volume.title",),
                        value=("volume.value",),
                        v_model=("others",),
                        density="compact",
                        hide_details=True,
                    )
                offer(
                    "Find in ticked volumes",
                    self.find_across,
                    "Find the landmarks in other subjects.",
                    "across_obstacle",
                )

    def values(self) -> dict[str, Any]:
        propagation, running = self.bench.propagation, self.bench.busy
        wait = "Wait until this has finished, or cancel it." if running else ""
        return {
            "busy": running,
            "propagate_obstacle": wait or propagation.obstacle,
            "across_obstacle": wait or propagation.obstacle_across,
            "cancel_obstacle": "" if running else "Nothing is running.",
            "volumes": titled([(node.GetName(), node.GetID()) for node in self.bench.inputs.volumes()]),
            "others": [other.node.GetID() for other in self.bench.inputs.others],
        }

    def moving(self) -> dict[str, Any]:
        """What changes with every step of the work."""
        done, total = self.bench.progress
        return {"status": self.bench.status, "progress": 100 * done / max(total, 1)}

    def propagate(self) -> None:
        self.bench.propagation.start()

    def cancel(self) -> None:
        self.bench.cancel()

    def find_across(self) -> None:
        self.bench.propagation.start_across()

    def _settings(self, direction: Direction, live: bool, max_sigma: Any, **_: Any) -> None:
        propagation = self.bench.propagation
        propagation.direction, propagation.live = direction, live
        try:
            propagation.max_sigma_mm = max(0.0, float(max_sigma)) or None
        except (TypeError, ValueError):
            propagation.max_sigma_mm = None

    def _choose_others(self, others: list[str], **_: Any) -> None:
        if others != [other.node.GetID() for other in self.bench.inputs.others]:
            nodes = [node for node in self.bench.inputs.volumes() if node.GetID() in others]
            self.bench.inputs.choose_others(nodes)
