"""Slicer's slice views on the page: one for a cine of one slice, three for a volume."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame_slicer.core import LayoutManager
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import Layout, LayoutDirection, SliceView, ViewLayoutDefinition

from LandmarkTrackerLib.web.session import Session

ONE, THREE = "one", "three"

# What a grey image keeps while it moves, and when it stands still.
MOVING_QUALITY, STILL_QUALITY = 85, 95


class Views:
    """They show what the workbench has chosen."""

    def __init__(self, server: Any, session: Session) -> None:
        self.session = session
        app = session.app
        register_rca_factories(
            app.view_manager, server, slice_view_ui_f=_corner, interactive_quality=MOVING_QUALITY, blur_fps=30
        )
        self.layout = LayoutManager(app.scene, app.view_manager, server)
        axial = ViewLayoutDefinition.axial_view()
        others = [ViewLayoutDefinition.coronal_view(), ViewLayoutDefinition.sagittal_view()]
        beside = Layout(LayoutDirection.Vertical, others)
        layouts = {
            ONE: Layout(LayoutDirection.Vertical, [axial]),
            THREE: Layout(LayoutDirection.Horizontal, [axial, beside], ["2", "1"]),
        }
        # A view costs a window: the others are made when they are needed, the first before the page is drawn.
        self.layout.register_layout_dict(layouts, lazy_initialization=True)
        self.layout.create_layout_views_if_needed(ONE)
        self.layout.set_layout(ONE)
        self._shown: Any = None

    def draw(self, page: Any) -> None:
        self.layout.initialize_layout_grid(page)

    def slices(self) -> list[SliceView]:
        """The views in the present layout."""
        views = self.session.app.view_manager
        return views.filter_visible_views(views.get_slice_views())

    def refresh(self) -> None:
        """Bring an image into the views when it is chosen; a single slice in its own plane."""
        subject = self.session.bench.inputs.subject
        node = subject.node if subject is not None else None
        if node is self._shown:
            return
        self._shown = node
        flat = subject is None or subject.cine.grid.is_slice
        self.layout.set_layout(ONE if flat else THREE)
        for view in self.slices():
            # Smooth edges cost more than all the rest where a processor draws.
            view.render_window().SetMultiSamples(0)
            view.set_background_volume_id(subject.volume.GetID() if subject is not None else None)
            # There is nothing to leaf through in one slice.
            style = view._interactor_observer
            style.SetActionEnabled(style.BrowseSlice, not flat)
            if subject is not None and flat:
                view.set_orientation("Axial")
                view.get_view_node().RotateToVolumePlane(subject.volume)
        self.fit()

    def fit(self) -> None:
        """Show the whole image."""
        for view in self.slices():
            view.fit_view_to_content()
            view.schedule_render()


def _corner(_server: Any, _view_id: str, view: SliceView) -> None:
    """What stands in the corner of a view."""
    html.Div("{{ corner }}", classes="lt-corner")
