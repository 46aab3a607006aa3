"""Section Propagate: through the cine, and to the volumes of other subjects."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from LandmarkTrackerLib.jobs.propagate import Direction
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, number, offer, tick, titled

DIRECTIONS = titled([("Both directions", "both"), ("Forward", "forward"), ("Backward", "backward")])


class PropagateSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench = session, session.bench
        state.update({"direction": "both", "directions": DIRECTIONS, "live": False, "max_sigma": 0})
        state.propagate_open = True
        state.change("direction", "live", "max_sigma")(self._settings)

    def draw(self) -> None:
        with Section("Propagate", "propagate"):
            with html.Div(classes="lt-row"):
                offer(
                    "Propagate",
                    self.propagate,
                    "Find the landmarks in the other frames.",
                    "propagate_obstacle",
                    key="P",
                    color="primary",
                    variant="flat",
                )
            choose("Direction", "direction", "directions")
            tick("Propagate every click and correction at once", "live")
            offer(
                "Find in ticked volumes",
                self.find_across,
                "Find the landmarks in other subjects.",
                "across_obstacle",
            )

    def draw_limit(self) -> None:
        """Among what few people change."""
        number("Missing above (mm); 0: as the model says", "max_sigma", 0.5, 100)

    def values(self) -> dict[str, Any]:
        propagation, wait = self.bench.propagation, self.bench.obstacle_busy
        return {
            "propagate_obstacle": wait or propagation.obstacle,
            "across_obstacle": wait or propagation.obstacle_across,
        }

    def propagate(self) -> None:
        self.bench.propagation.start()

    def find_across(self) -> None:
        self.bench.propagation.start_across()

    def _settings(self, direction: Direction, live: bool, max_sigma: Any, **_: Any) -> None:
        propagation = self.bench.propagation
        propagation.direction, propagation.live = direction, live
        try:
            propagation.max_sigma_mm = max(0.0, float(max_sigma)) or None
        except (TypeError, ValueError):
            propagation.max_sigma_mm = None
