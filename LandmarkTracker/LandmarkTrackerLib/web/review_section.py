"""Section Review: scrub, look at what is uncertain, see how far it moved."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.web import chart
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, number, offer, titled

# A browser draws some hundred rows at once; the least certain come first.
ROWS = 200
FINDING_CLASSES = """{ 'lt-click': true, 'lt-uncertain': finding.uncertain,
'lt-here': finding.frame === frame }"""


class ReviewSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench, self.state = session, session.bench, state
        state.update({"frame": 0, "uncertain_below": 50, "charted": "", "review_open": True})
        state.update({"findings": [], "chart_svg": "", "chart_places": [0]})
        state.change("frame")(self._scrub)
        state.change("uncertain_below")(self._limit)
        state.change("charted")(self._choose_chart)
        self._findings: list | None = None
        self._drawn: tuple | None = None

    def draw(self) -> None:
        with Section("Review", "review"):
            with html.Div(classes="lt-row"):
                offer(
                    "◂ Previous uncertain",
                    self.previous,
                    "Go to the uncertain frame before.",
                    "uncertain_obstacle",
                    key="B",
                )
                offer(
                    "Next uncertain ▸",
                    self.next,
                    "Go to the next uncertain frame.",
                    "uncertain_obstacle",
                    key="N",
                )
            with html.Div(classes="lt-row"):
                html.Div("{{ uncertain_text }}", classes="lt-small", style="flex: 1")
                number("Uncertain below (%)", "uncertain_below", 5, 100, style="max-width: 170px")
            with html.Div(classes="lt-scroll"), html.Table(classes="lt-table", v_if=("findings.length",)):
                with html.Thead(), html.Tr():
                    for title in ("Frame", "Landmark", "± mm", "Confidence"):
                        html.Th(title)
                with (
                    html.Tbody(),
                    html.Tr(
                        v_for=("finding in findings",),
                        key=("finding.frame + finding.name",),
                        classes=(FINDING_CLASSES,),
                        click="frame = finding.frame",
                    ),
                ):
                    for value in ("frame", "name", "sigma", "score"):
                        html.Td(f"{{{{ finding.{value} }}}}")

    def draw_time(self) -> None:
        """The slider and the chart, below the image."""
        with html.Div(classes="lt-bar", v_if=("last_frame > 0",)):
            vuetify.VBtn(
                icon=("playing ? 'mdi-pause' : 'mdi-play'",),
                click=self.play,
                size="small",
                variant="tonal",
                classes="lt-do-play",
                title="Play, or stop (space)",
            )
            vuetify.VSlider(
                v_model=("frame",),
                min=0,
                max=("last_frame",),
                step=1,
                hide_details=True,
                color="primary",
                thumb_size=16,
                classes="lt-frame",
            )
            html.Div("Frame {{ frame_text }}", classes="lt-small", style="width: 150px; text-align: right")
            choose("Chart", "charted", "charted_names", style="max-width: 190px")
        # It is there from the beginning, so that the image does not jump when there is something to draw.
        with html.Div(
            v_if=("last_frame > 0",),
            classes="lt-chart",
            click=(self._click_chart, "[$event.offsetX / $event.currentTarget.clientWidth]"),
        ):
            html.Div(v_html=("chart_svg",), style="height: 100%; pointer-events: none")
            html.Div(
                "How far each landmark moves is drawn here.", v_if=("!chart_svg",), classes="lt-no-chart"
            )
            html.Div(
                v_if=("chart_svg",),
                style=(
                    "`position:absolute; top:26px; bottom:34px; width:1px; background:#dfe3e8; "
                    "pointer-events:none; left:${100 * (chart_places[frame] ?? 0)}%`",
                ),
            )

    def values(self) -> dict[str, Any]:
        subject, review = self.bench.inputs.subject, self.bench.review
        names = subject.record.placed_names() if subject is not None else ()
        uncertain = review.uncertain_frames()
        values = {
            "last_frame": len(subject.cine) - 1 if subject is not None else 0,
            "playing": self.session.playing,
            "uncertain_obstacle": review.obstacle_uncertain,
            "uncertain_text": review.obstacle or f"Uncertain frames: {len(uncertain)}",
            "charted": self.bench.chart.landmark if self.bench.chart.landmark in names else "",
            "charted_names": titled([("All landmarks", ""), *((name, name) for name in names)]),
        }
        return values | self._table() | self._chart()

    def moving(self) -> dict[str, Any]:
        """What changes with every frame."""
        subject = self.bench.inputs.subject
        frame = subject.frame if subject is not None else 0
        return {"frame": frame, "frame_text": self.bench.review.frame_text}

    def play(self) -> None:
        self.session.play(not self.session.playing)

    def step(self, by: int) -> None:
        """Some frames on or back."""
        subject = self.bench.inputs.subject
        if subject is not None:
            self.bench.review.go_to(max(0, min(subject.frame + by, len(subject.cine) - 1)))

    def next(self) -> None:
        self.bench.review.next_uncertain()

    def previous(self) -> None:
        self.bench.review.previous_uncertain()

    def _table(self) -> dict[str, Any]:
        """The findings, only when there are others."""
        findings = self.bench.review.findings()
        if findings is self._findings:
            return {}
        self._findings = findings
        rows = [
            {
                "frame": finding.frame,
                "name": finding.name,
                "sigma": finding.sigma_text,
                "score": finding.score_text,
                "uncertain": finding.uncertain,
            }
            for finding in findings[:ROWS]
        ]
        return {"findings": rows}

    def _chart(self) -> dict[str, Any]:
        """The chart, only when something moved."""
        subject, landmark = self.bench.inputs.subject, self.bench.chart.landmark
        drawn = (subject, subject.record, landmark) if subject is not None else None
        if drawn == self._drawn:
            return {}
        self._drawn = drawn
        if subject is None or self.bench.review.obstacle:
            return {"chart_svg": "", "chart_places": [0]}
        curves = self.bench.review.displacements()
        if landmark in [curve.name for curve in curves]:
            curves = [curve for curve in curves if curve.name == landmark]
        svg = chart.draw(curves, subject.cine.time_unit)
        return {"chart_svg": svg, "chart_places": chart.places(subject.cine.times).round(5).tolist()}

    def _scrub(self, frame: int, **_: Any) -> None:
        subject = self.bench.inputs.subject
        if subject is not None and int(frame) != subject.frame:
            self.session.playing = False
            self.bench.review.go_to(int(frame))

    def _limit(self, uncertain_below: Any, **_: Any) -> None:
        try:
            self.bench.review.uncertain_below = min(max(float(uncertain_below), 0), 100) / 100
        except (TypeError, ValueError):
            return
        self.session.redraw()

    def _choose_chart(self, charted: str, **_: Any) -> None:
        if charted != self.bench.chart.landmark:
            self.bench.chart.choose(charted or "")

    def _click_chart(self, part: float) -> None:
        if not self.state.chart_svg:
            return
        places = self.state.chart_places
        self.bench.review.go_to(min(range(len(places)), key=lambda t: abs(places[t] - part)))
