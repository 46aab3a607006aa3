"""The dialog that leafs through the data folder."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.web.session import Session

# Purpose to what can be picked for it.
WANTED = {"open": ("image", "landmarks", "slice"), "protocol": ("landmarks",), "model": ("model",)}
TITLES = """({ open: 'Open from the data folder', protocol: 'Load a landmark protocol',
model: 'Open a detector' })[browsing]"""
ICONS = """({ folder: 'mdi-folder', image: 'mdi-image', landmarks: 'mdi-map-marker',
model: 'mdi-brain', slice: 'mdi-layers' })[entry.kind]"""


class OpenDialog:
    """Picks an image, a folder of frames or landmarks to open, a protocol of names, or a detector."""

    def __init__(self, state: Any, session: Session) -> None:
        self.state, self.session = state, session
        state.update({"browsing": "", "browse_path": "", "browse_entries": [], "browse_problem": ""})

    def draw(self) -> None:
        with (
            vuetify.VDialog(model_value=("!!browsing",), max_width=620, persistent=True),
            vuetify.VCard(classes="lt-dialog"),
        ):
            vuetify.VCardTitle(f"{{{{ {TITLES} }}}}", style="font-size: 17px")
            with vuetify.VCardText():
                html.Div("{{ '/' + browse_path }}", classes="lt-small")
                html.Div("{{ browse_problem }}", style="color: #f08a80", v_if=("browse_problem",))
                with html.Div(style="height: 330px; overflow-y: auto"), html.Table(classes="lt-table"):
                    with html.Tr(v_if=("browse_path",), click=self.up, classes="lt-click"), html.Td():
                        html.Span("↑ up")
                    with html.Tr(
                        v_for=("entry in browse_entries",),
                        key=("entry.path + entry.name",),
                        classes="lt-click lt-entry",
                        click=(self.pick, "[entry.kind, entry.path, entry.name]"),
                    ):
                        with html.Td(style="width: 28px"):
                            vuetify.VIcon(icon=(ICONS,), size="small")
                        html.Td("{{ entry.name }}")
                html.Div(
                    "There is nothing here that can be opened.",
                    v_if=("!browse_entries.length",),
                    classes="lt-small",
                )
            with vuetify.VCardActions():
                vuetify.VBtn(
                    "Open this folder as one cine or volume",
                    v_if=("browsing === 'open' && browse_path",),
                    click=self.open_folder,
                    size="small",
                    classes="text-none",
                )
                vuetify.VSpacer()
                vuetify.VBtn("Close", click="browsing = ''", size="small", classes="text-none")

    def browse(self) -> None:
        """To open an image or landmarks."""
        self._show("open", self.state.browse_path)

    def browse_protocol(self) -> None:
        """To load a protocol."""
        self._show("protocol", self.state.browse_path)

    def browse_model(self) -> None:
        """To open a detector."""
        self._show("model", self.state.browse_path)

    def up(self) -> None:
        self._show(self.state.browsing, self.state.browse_path.rpartition("/")[0])

    def pick(self, kind: str, path: str, name: str) -> None:
        """A row was clicked."""
        if kind == "folder":
            self._show(self.state.browsing, path)
        else:
            self._take(path, name if kind == "slice" else None)

    def open_folder(self) -> None:
        self._take(self.state.browse_path)

    def _take(self, path: str, slice_name: str | None = None) -> None:
        purpose, self.state.browsing = self.state.browsing, ""
        try:
            found = self.session.root.find(path)
        except InputError as error:
            self.state.browse_problem = str(error)
            return
        if purpose == "protocol":
            self.session.bench.placement.load_protocol(found)
        elif purpose == "model":
            self.session.bench.detection.choose(str(found))
        else:
            self.session.open(found, slice_name)

    def _show(self, purpose: str, path: str) -> None:
        try:
            entries = self.session.root.entries(path)
            self.state.browse_path, self.state.browse_problem = path, ""
        except InputError as error:
            entries, self.state.browse_problem = [], str(error)
        wanted = ("folder", *WANTED[purpose])
        self.state.browse_entries = [vars(entry) for entry in entries if entry.kind in wanted]
        self.state.browsing = purpose
