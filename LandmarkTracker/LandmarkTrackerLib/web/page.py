"""The page: its sections, its views and its keys. It decides nothing; the workbench does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.web import style
from LandmarkTrackerLib.web.export_section import ExportSection
from LandmarkTrackerLib.web.inputs_section import InputsSection
from LandmarkTrackerLib.web.landmarks_section import LandmarksSection
from LandmarkTrackerLib.web.match_section import MatchSection
from LandmarkTrackerLib.web.open_dialog import OpenDialog
from LandmarkTrackerLib.web.propagate_section import PropagateSection
from LandmarkTrackerLib.web.review_section import ReviewSection
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.sets_section import SetsSection
from LandmarkTrackerLib.web.trust_section import TrustSection
from LandmarkTrackerLib.web.views import Views
from LandmarkTrackerLib.web.widgets import Section, offer

TITLE = "Landmark Tracker"
# Seconds between two times that tables and lists are filled: a browser draws them slowly.
WHILE_BUSY, WHILE_IDLE = 0.5, 0.05
UPLOAD = "window.document.querySelector('#lt-upload').click()"
DISCONNECTED = """<div style="position: fixed; inset: 0; background: #131518; color: #dfe3e8; display: flex;
align-items: center; justify-content: center; text-align: center; font: 16px/1.6 system-ui"><div>
<b>The server does not answer any more</b><br>It was stopped, or the connection was lost.
If it still runs, nothing is lost: <a href="." style="color: #6cb2eb">open the page again</a>.</div></div>"""


class Page:
    """Shows a session."""

    def __init__(self, server: Any, session: Session) -> None:
        self.server, self.state, self.session = server, server.state, session
        self.bench = session.bench
        self._refreshing = self._filling = False
        self._full_takes = 0.0
        self.state.update(
            {
                "trame__title": TITLE,
                "trame__template_error": DISCONNECTED,
                "corner": "",
                "advanced_open": False,
                "uploading": False,
            }
        )
        self.views = Views(server, session)
        self.inputs = InputsSection(self.state, session)
        self.landmarks = LandmarksSection(self.state, session)
        self.propagate = PropagateSection(self.state, session)
        self.review = ReviewSection(self.state, session)
        self.sets = SetsSection(self.state, session)
        self.trust = TrustSection(self.state, session)
        self.match = MatchSection(self.state, session, self.views)
        self.export = ExportSection(server, session)
        self.dialog = OpenDialog(self.state, session)
        self._sections = (
            self.inputs,
            self.landmarks,
            self.propagate,
            self.review,
            self.sets,
            self.trust,
            self.match,
            self.export,
        )
        server.trigger("key")(self._key)
        server.trigger("uploaded")(self._uploaded)
        self._draw()
        session.redraw = self.refresh
        self.state.update(self._values())

    def refresh(self) -> None:
        """Show the workbench as it is: what moves at once, tables and lists a few times a second."""
        loop = asyncio.get_running_loop()
        if not self._refreshing:
            self._refreshing = True
            loop.call_soon(self._refresh)
        if not self._filling:
            self._filling = True
            pause = WHILE_BUSY if self.bench.busy else WHILE_IDLE
            loop.call_later(max(pause, 5 * self._full_takes), self._fill)

    async def take_upload(self, files: list[Path]) -> str:
        """Uploaded files: one image or one landmark file, or the frames of one cine."""
        if len(files) == 1:
            self.session.open(files[0])
        elif files:
            self.session.open(files[0].parent)
        return self.bench.problem

    def apologise(self, _error: BaseException) -> None:
        """Something that nobody foresaw; trame has written it into the log."""
        self.bench.problem = "Something went wrong; the server's log says what."
        self.refresh()

    def toggle_brightness(self) -> None:
        self.bench.placement.stop()
        self.views.adjusting = not self.views.adjusting
        self.refresh()

    def undo(self) -> None:
        self.bench.undo()

    def cancel(self) -> None:
        self.bench.cancel()

    def _refresh(self) -> None:
        self._refreshing = False
        with self.state:
            self.views.refresh()
            self.state.update(self._moving() | self.review.moving())

    def _moving(self) -> dict[str, Any]:
        """What changes with every step of the work."""
        done, total = self.bench.progress
        return {
            "status": self.bench.status,
            "busy": self.bench.busy,
            "cancel_obstacle": self.bench.obstacle_cancel,
            "progress": 100 * done / max(total, 1),
        }

    def _fill(self) -> None:
        self._filling = False
        begin = time.perf_counter()
        with self.state:
            self.state.update(self._values())
        self._full_takes = time.perf_counter() - begin

    def _values(self) -> dict[str, Any]:
        self.views.refresh()
        subject, label = self.bench.inputs.subject, self.bench.history.label
        values = {
            "problem": bool(self.bench.problem),
            "undo_obstacle": self.bench.obstacle_undo,
            "undo_title": f"Undo: {label}" if label else "Undo",
            "corner": subject.name if subject is not None else "",
            "corners": self.views.corners,
            "two": self.views.are_two,
            "adjusting": self.views.adjusting,
        }
        values |= self._moving() | self.review.moving()
        for section in self._sections:
            values |= section.values()
        return values

    def _draw(self) -> None:
        config = {
            "theme": {"defaultTheme": "lt", "themes": {"lt": style.THEME}},
        }
        with VAppLayout(self.server, vuetify_config=config) as page:
            client.Style(style.css())
            client.Script(style.script())
            vuetify.VProgressLinear(
                v_if=("trame__busy || uploading",), indeterminate=True, height=3, classes="lt-waiting"
            )
            with html.Div(style="display: flex"):
                with html.Div(classes="lt-panel"):
                    with html.Div(classes=("{ 'lt-status': true, 'problem': problem }",), role="status"):
                        html.Span("{{ status }}")
                        with html.Div(v_show=("busy",), classes="lt-row"):
                            vuetify.VProgressLinear(model_value=("progress",), height=6, color="primary")
                            offer("Cancel", self.cancel, "Stop; what is done stays.", "cancel_obstacle")
                    self.inputs.draw(
                        self.dialog.browse, "window.document.querySelector('#lt-upload').click()"
                    )
                    self.landmarks.draw(self.dialog.browse_protocol)
                    self.propagate.draw()
                    self.review.draw()
                    self.sets.draw(self.dialog.browse_model)
                    self.trust.draw()
                    self.match.draw()
                    self.export.draw()
                    with Section("Advanced", "advanced"):
                        self.inputs.draw_device()
                        self.propagate.draw_limit()
                    self._draw_foot()
                with html.Div(classes="lt-views"):
                    with html.Div(style="position: relative; flex: 1; min-height: 0; display: flex"):
                        self.views.draw(page)
                        self._draw_tools()
                        self._draw_empty()
                    self.review.draw_time()
            self.dialog.draw()
            html.Input(
                id="lt-upload",
                type="file",
                multiple=True,
                style="display: none",
                change="uploading = true; window.landmarkTrackerUpload($event.target)"
                ".then((problem) => trigger('uploaded', [problem]))",
            )

    def _draw_foot(self) -> None:
        with html.Div(classes="lt-section"):
            with html.Div(classes="lt-row"):
                offer(("undo_title",), self.undo, "Take back the last change.", "undo_obstacle", key="Z")
            with html.Div(classes="lt-small lt-keys"):
                for key, _action, meaning in style.KEYS:
                    html.Kbd(style.SHOWN.get(key, key))
                    html.Span(meaning)
                html.Kbd("right drag")
                html.Span("zoom")
                html.Kbd("Shift + drag")
                html.Span("move the image")
            html.Div("Research use only; not a medical device.", classes="lt-small", style="margin-top: 8px")

    def _draw_tools(self) -> None:
        """Over the views, at the right."""
        with html.Div(classes="lt-tools"):
            offer(
                "Show the image",
                self.views.show_image,
                "The chosen image again.",
                side="bottom",
                v_if=("two",),
            )
            offer(
                "Brightness",
                self.toggle_brightness,
                "Drag in the image to change brightness and contrast; press again to end.",
                side="bottom",
                color=("adjusting ? 'primary' : undefined",),
            )
            offer("Fit", self.views.fit, "Show the whole image.", side="bottom")

    def _draw_empty(self) -> None:
        with html.Div(classes="lt-empty", v_if=("!image",)):
            html.Div("No image is open", style="font-size: 19px")
            html.Div("Open a cine or a volume; then click landmarks in it, and press Propagate.")
            with html.Div(classes="lt-row"):
                vuetify.VBtn(
                    "Open from the data folder…",
                    click=self.dialog.browse,
                    color="primary",
                    classes="text-none",
                )
                vuetify.VBtn(
                    "Upload from your computer…",
                    click=UPLOAD,
                    variant="tonal",
                    classes="text-none",
                )

    def _uploaded(self, problem: str) -> None:
        """What the upload said; what went wrong before it came here is known only to the page."""
        self.state.uploading = False
        if problem:
            self.bench.problem = problem
        self.refresh()

    def _key(self, action: str) -> None:
        actions = {
            "place": self.landmarks.toggle_placing,
            "propagate": self.propagate.propagate,
            "next": self.review.next,
            "previous": self.review.previous,
            "undo": self.undo,
            "back": lambda: self.review.step(-1),
            "on": lambda: self.review.step(1),
            "play": self.review.play,
        }
        if action in actions:
            actions[action]()
