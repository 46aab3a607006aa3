"""Below the image: play, the slider of the frames, and the chart."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.parts import Part
from LandmarkTrackerLib.web import chart
from LandmarkTrackerLib.web.drawing import Drawing
from LandmarkTrackerLib.web.session import Session

# Parts of section Review that are drawn here.
PARTS = ("frame", "frameText", "chartLandmark")


class TimeBar:
    def __init__(self, state: Any, session: Session, drawing: Drawing) -> None:
        self.session, self.bench, self.state, self.drawing = session, session.bench, state, drawing
        state.update({"chart_svg": "", "chart_places": [0], "playing": False})
        self._parts: dict[str, Part] = {part.name: part for part in drawing.parts if part.name in PARTS}
        self._drawn: tuple | None = None

    def draw(self) -> None:
        with html.Div(classes="lt-bar", v_if=("frame_largest > 0",)):
            vuetify.VBtn(
                icon=("playing ? 'mdi-pause' : 'mdi-play'",),
                click=self.play,
                size="small",
                variant="tonal",
                classes="lt-do-play",
                title=_("Play, or stop (space)"),
            )
            vuetify.VSlider(
                v_model=("frame",),
                min=0,
                max=("frame_largest",),
                step=1,
                hide_details=True,
                color="primary",
                thumb_size=16,
                classes="lt-frame",
            )
            text = _("Frame {text}").format(text="{{ frameText_text }}")
            html.Div(text, classes="lt-small", style="width: 150px; text-align: right")
            with html.Div(style="width: 190px"):
                self.drawing.part(self._parts["chartLandmark"])
        # It is there from the beginning, so that the image does not jump when there is something to draw.
        with html.Div(
            v_if=("frame_largest > 0",),
            classes="lt-chart",
            click=(self._click_chart, "[$event.offsetX / $event.currentTarget.clientWidth]"),
        ):
            html.Div(v_html=("chart_svg",), style="height: 100%; pointer-events: none")
            html.Div(
                _("How far each landmark moves is drawn here."), v_if=("!chart_svg",), classes="lt-no-chart"
            )
            html.Div(
                v_if=("chart_svg",),
                style=(
                    "`position:absolute; top:26px; bottom:34px; width:1px; background:#dfe3e8; "
                    "pointer-events:none; left:${100 * (chart_places[frame] ?? 0)}%`",
                ),
            )

    def moving(self) -> dict[str, Any]:
        """What changes with every frame."""
        return self.drawing.of(self._parts["frame"]) | self.drawing.of(self._parts["frameText"])

    def values(self) -> dict[str, Any]:
        """The rest; the chart only when something moved."""
        subject, values = self.bench.inputs.subject, {"playing": self.session.playing}
        drawn = (subject, subject.record, self.bench.chart.landmark) if subject is not None else None
        if drawn == self._drawn:
            return values
        self._drawn = drawn
        if subject is None or self.bench.review.obstacle:
            return values | {"chart_svg": "", "chart_places": [0]}
        svg = chart.draw(self.bench.chart.curves(), subject.cine.time_unit, subject.cine.length_unit)
        return values | {"chart_svg": svg, "chart_places": chart.places(subject.cine.times).round(5).tolist()}

    def play(self) -> None:
        self.session.play(not self.session.playing)

    def step(self, by: int) -> None:
        """Some frames on or back."""
        review = self.bench.review
        review.go_to(max(0, min(review.frame + by, review.last)))

    def _click_chart(self, part: float) -> None:
        if self.state.chart_svg:
            places = self.state.chart_places
            self.bench.review.go_to(min(range(len(places)), key=lambda t: abs(places[t] - part)))
