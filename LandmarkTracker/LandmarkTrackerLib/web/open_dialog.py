"""The dialog that leafs through the data folder."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.scene.actions import Action
from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.web.session import Session

# What can be opened, beside what an action asks for.
OPENED = ("image", "landmarks", "slice")
ICONS = """({ folder: 'mdi-folder', image: 'mdi-image', landmarks: 'mdi-map-marker',
model: 'mdi-brain', slice: 'mdi-layers' })[entry.kind]"""


class OpenDialog:
    """Picks an image, a folder of frames or landmarks to open, or the file that an action asks for."""

    def __init__(self, state: Any, session: Session) -> None:
        self.state, self.session = state, session
        self._action: Action | None = None
        state.update({"browsing": "", "browse_path": "", "browse_entries": [], "browse_problem": ""})
        state.browse_folder = False

    def draw(self) -> None:
        with (
            vuetify.VDialog(model_value=("!!browsing",), max_width=620, persistent=True),
            vuetify.VCard(classes="lt-dialog"),
        ):
            vuetify.VCardTitle("{{ browsing }}", style="font-size: 17px")
            with vuetify.VCardText():
                html.Div("{{ '/' + browse_path }}", classes="lt-small")
                html.Div("{{ browse_problem }}", style="color: #f08a80", v_if=("browse_problem",))
                with html.Div(style="height: 330px; overflow-y: auto"), html.Table(classes="lt-table"):
                    with html.Tr(v_if=("browse_path",), click=self.up, classes="lt-click"), html.Td():
                        html.Span("↑ " + _("up"))
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
                    _("There is nothing here that can be opened."),
                    v_if=("!browse_entries.length",),
                    classes="lt-small",
                )
            with vuetify.VCardActions():
                vuetify.VBtn(
                    _("Open this folder as one cine or volume"),
                    v_if=("browse_folder && browse_path",),
                    click=self.open_folder,
                    size="small",
                    classes="text-none",
                )
                vuetify.VSpacer()
                vuetify.VBtn(_("Close"), click="browsing = ''", size="small", classes="text-none")

    def browse(self) -> None:
        """To open an image or landmarks."""
        self._begin(None, _("Open from the data folder"))

    def ask(self, action: Action) -> None:
        """For the file of an action."""
        assert action.file is not None
        self._begin(action, action.file.title)

    def up(self) -> None:
        self._show(self.state.browse_path.rpartition("/")[0])

    def pick(self, kind: str, path: str, name: str) -> None:
        """A row was clicked."""
        if kind == "folder":
            self._show(path)
        else:
            self._take(path, name if kind == "slice" else None)

    def open_folder(self) -> None:
        self._take(self.state.browse_path)

    def _take(self, path: str, slice_name: str | None = None) -> None:
        self.state.browsing = ""
        try:
            found = self.session.root.find(path)
        except InputError as error:
            self.state.browse_problem = str(error)
            return
        if self._action is not None:
            self.session.bench.do(self._action, found)
        else:
            self.session.open(found, slice_name)

    def _begin(self, action: Action | None, title: str) -> None:
        self._action, self.state.browse_folder = action, action is None
        self._show(self.state.browse_path)
        self.state.browsing = title

    def _show(self, path: str) -> None:
        try:
            entries = self.session.root.entries(path)
            self.state.browse_path, self.state.browse_problem = path, ""
        except InputError as error:
            entries, self.state.browse_problem = [], str(error)
        file = self._action.file if self._action is not None else None
        wanted = ("folder", *(OPENED if file is None else (file.holds,)))
        self.state.browse_entries = [vars(entry) for entry in entries if entry.kind in wanted]
