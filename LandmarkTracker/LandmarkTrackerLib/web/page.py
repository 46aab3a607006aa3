"""The page: its sections, its views and its keys. It decides nothing; the workbench does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.scene.actions import text_of
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.web import style
from LandmarkTrackerLib.web.downloads import Downloads
from LandmarkTrackerLib.web.drawing import Drawing
from LandmarkTrackerLib.web.open_dialog import OpenDialog
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.time_bar import PARTS as ON_TIME_BAR
from LandmarkTrackerLib.web.time_bar import TimeBar
from LandmarkTrackerLib.web.views import Views
from LandmarkTrackerLib.web.widgets import offer

TITLE = "Landmark Tracker"
# Seconds between two times that tables and lists are filled: a browser draws them slowly.
WHILE_BUSY, WHILE_IDLE = 0.5, 0.05
UPLOAD = "window.document.querySelector('#lt-upload').click()"
DISCONNECTED = """<div style="position: fixed; inset: 0; background: #131518; color: #dfe3e8; display: flex;
align-items: center; justify-content: center; text-align: center; font: 16px/1.6 system-ui"><div>
<b>{title}</b><br>{lost}<br>{again} <a href="." style="color: #6cb2eb">{link}</a></div></div>"""


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
                "trame__template_error": DISCONNECTED.format(
                    title=_("The server does not answer any more"),
                    lost=_("It was stopped, or the connection was lost."),
                    again=_("If it still runs, nothing is lost:"),
                    link=_("open the page again"),
                ),
                "corner": "",
                "uploading": False,
            }
        )
        self.views = Views(server, session)
        # The views have to be there when the workbench fills them.
        self.bench.notices.before.insert(0, self.views.follow_scans)
        self.dialog = OpenDialog(self.state, session)
        self.drawing = Drawing(self.state, session, self.dialog.ask)
        self.time_bar = TimeBar(self.state, session, self.drawing)
        self.downloads = Downloads(server, session)
        self._keys: dict[str, Callable[[], None]] = {
            **{action.key: partial(self.bench.do, action) for action in self.bench.actions if action.key},
            "ArrowLeft": partial(self.time_bar.step, -1),
            "ArrowRight": partial(self.time_bar.step, 1),
            " ": self.time_bar.play,
        }
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
        self.bench.problem = _("Something went wrong; the server's log says what.")
        self.refresh()

    def toggle_brightness(self) -> None:
        self.bench.placement.stop()
        self.views.adjusting = not self.views.adjusting
        self.refresh()

    def show_both(self) -> None:
        self.views.side_by_side()
        self.bench.comparison.choose_look(self.bench.comparison.look)

    def _refresh(self) -> None:
        self._refreshing = False
        with self.state:
            self.views.refresh()
            self.state.update(self._moving())

    def _moving(self) -> dict[str, Any]:
        """What changes with every step of the work."""
        done, total = self.bench.progress
        return {
            "status": self.bench.status,
            "busy": self.bench.busy,
            "progress": 100 * done / max(total, 1),
            **self.drawing.of(self.bench.cancel_action),
            **self.time_bar.moving(),
        }

    def _fill(self) -> None:
        self._filling = False
        begin = time.perf_counter()
        with self.state:
            self.state.update(self._values())
        self._full_takes = time.perf_counter() - begin

    def _values(self) -> dict[str, Any]:
        self.views.refresh()
        subject = self.bench.inputs.subject
        return {
            "problem": bool(self.bench.problem),
            "corner": subject.name if subject is not None else "",
            "corners": self.views.corners,
            "two": self.views.are_two,
            "both_obstacle": self._obstacle_both(),
            "adjusting": self.views.adjusting,
            **self._moving(),
            **self.drawing.values(),
            **self.time_bar.values(),
        }

    def _obstacle_both(self) -> str:
        return "" if self.bench.matching.chosen else _("Choose a fixed and a moving volume first.")

    def _draw(self) -> None:
        config = {
            "theme": {"defaultTheme": "lt", "themes": {"lt": style.THEME}},
        }
        with VAppLayout(self.server, vuetify_config=config) as page:
            client.Style(style.css())
            client.Script(style.script(self._keys))
            vuetify.VProgressLinear(
                v_if=("trame__busy || uploading",), indeterminate=True, height=3, classes="lt-waiting"
            )
            with html.Div(style="display: flex"):
                with html.Div(classes="lt-panel"):
                    with html.Div(classes=("{ 'lt-status': true, 'problem': problem }",), role="status"):
                        html.Span("{{ status }}")
                        with html.Div(v_show=("busy",), classes="lt-row"):
                            vuetify.VProgressLinear(model_value=("progress",), height=6, color="primary")
                            self.drawing.part(self.bench.cancel_action)
                    beside = {
                        "removePairs": self._draw_both,
                        "export": self.downloads.draw,
                        "exportPairs": self.downloads.draw_pairs,
                    }
                    for section in self.bench.sections:
                        top = self._draw_open if section.name == "inputs" else None
                        self.drawing.section(section, ON_TIME_BAR, top, beside)
                    self._draw_foot()
                with html.Div(classes="lt-views"):
                    with html.Div(style="position: relative; flex: 1; min-height: 0; display: flex"):
                        self.views.draw(page)
                        self._draw_tools()
                        self._draw_empty()
                    self.time_bar.draw()
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
                self.drawing.part(self.bench.undo_action)
            meanings = {
                **{action.key: text_of(action.label) for action in self.bench.actions if action.key},
                "ArrowLeft": _("one frame back"),
                "ArrowRight": _("one frame on"),
                " ": _("play, or stop"),
                _("right drag"): _("zoom"),
                _("Shift + drag"): _("move the image"),
            }
            with html.Div(classes="lt-small lt-keys"):
                for key, meaning in meanings.items():
                    html.Kbd(style.SHOWN.get(key, key))
                    html.Span(meaning)
            words = _("Research use only; not a medical device.")
            html.Div(words, classes="lt-small", style="margin-top: 8px")

    def _draw_open(self) -> None:
        tip = _("Open a cine, a volume or landmarks from the data folder.")
        offer("browse", _("Open…"), self.dialog.browse, tip)
        offer("upload", _("Upload…"), UPLOAD, _("Send files from your computer."))

    def _draw_both(self) -> None:
        tip = _("Two linked views.")
        offer("both", _("Show both scans"), self.show_both, tip, obstacle="both_obstacle")

    def _draw_tools(self) -> None:
        """Over the views, at the right."""
        with html.Div(classes="lt-tools"):
            again = _("The chosen image again.")
            offer("image", _("Show the image"), self.views.show_image, again, side="bottom", shown="two")
            offer(
                "brightness",
                _("Brightness"),
                self.toggle_brightness,
                _("Drag in the image to change brightness and contrast; press again to end."),
                side="bottom",
                color=("adjusting ? 'primary' : undefined",),
            )
            offer("fit", _("Fit"), self.views.fit, _("Show the whole image."), side="bottom")

    def _draw_empty(self) -> None:
        with html.Div(classes="lt-empty", v_if=("!image",)):
            html.Div(_("No image is open"), style="font-size: 19px")
            html.Div(_("Open a cine or a volume; then click landmarks in it, and press Propagate."))
            with html.Div(classes="lt-row"):
                vuetify.VBtn(
                    _("Open from the data folder…"),
                    click=self.dialog.browse,
                    color="primary",
                    classes="text-none",
                )
                vuetify.VBtn(
                    _("Upload from your computer…"),
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

    def _key(self, key: str) -> None:
        if key in self._keys:
            self._keys[key]()
