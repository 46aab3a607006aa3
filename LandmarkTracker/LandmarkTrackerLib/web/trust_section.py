"""Section Where clicks can be trusted: an overlay on the chosen image, made without any label."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, number, offer, tick, titled

DETAILS = titled([("Coarse", "coarse"), ("Medium", "medium"), ("Fine", "fine")])
MOST_MM = 200


class TrustSection:
    """The image and the volumes that are ticked in Inputs; here is the rest."""

    def __init__(self, state: Any, session: Session) -> None:
        self.bench = session.bench
        state.update({"trust_open": False, "trust_model": "", "trust_details": DETAILS})
        state.change("trust_model", "trust_detail")(self._choose)
        state.change("trust_limit")(self._limit)
        state.change("trust_shown")(self._show)

    def draw(self) -> None:
        with Section("Where clicks can be trusted", "trust"):
            choose("Method", "trust_model", "trust_models")
            with html.Div(classes="lt-row"):
                choose("Detail", "trust_detail", "trust_details")
                number("Red from (mm)", "trust_limit", 5, MOST_MM)
            with html.Div(classes="lt-row"):
                offer(
                    "Find out",
                    self.find_out,
                    "Seek points of the image in the ticked volumes, and what is found there in it again.",
                    "trust_obstacle",
                )
                tick("Show it", "trust_shown")
            html.Div("{{ trust_legend }}", classes="lt-small")

    def values(self) -> dict[str, Any]:
        trust = self.bench.reliability_map
        return {
            "trust_models": titled([(choice.title, choice.name) for choice in trust.choices()]),
            "trust_model": trust.chosen.name,
            "trust_detail": trust.detail,
            "trust_limit": trust.limit_mm,
            "trust_shown": trust.shown,
            "trust_obstacle": self.bench.obstacle_busy or trust.obstacle,
            "trust_legend": trust.legend,
        }

    def find_out(self) -> None:
        self.bench.reliability_map.start()

    def _choose(self, trust_model: str, trust_detail: Any, **_: Any) -> None:
        trust = self.bench.reliability_map
        if (trust_model, trust_detail) != (trust.chosen.name, trust.detail):
            trust.choose(trust_model, trust_detail)

    def _limit(self, trust_limit: Any, **_: Any) -> None:
        # An empty field is one that is being typed into.
        mm = min(max(float(trust_limit or self.bench.reliability_map.limit_mm), 1), MOST_MM)
        if mm != self.bench.reliability_map.limit_mm:
            self.bench.reliability_map.limit(mm)

    def _show(self, trust_shown: Any, **_: Any) -> None:
        if bool(trust_shown) != self.bench.reliability_map.shown:
            self.bench.reliability_map.show(bool(trust_shown))
