"""Slicer's slice views on the page: one for a slice, three for a volume, two for a pair of scans."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from trame.widgets import html
from trame_slicer.core import LayoutManager
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import Layout, LayoutDirection, SliceView, ViewLayoutDefinition

from LandmarkTrackerLib.scene.i18n import _
from LandmarkTrackerLib.scene.nodes.slice_views import LEFT, RIGHT
from LandmarkTrackerLib.web.session import Session

ONE, THREE, TWO = "one", "three", "two"

# What a grey image keeps while it moves; standing still it keeps more.
MOVING_QUALITY = 85
INTERACTION = slicer.vtkMRMLInteractionNode


class Views:
    """They show what the workbench has chosen."""

    def __init__(self, server: Any, session: Session) -> None:
        self.session = session
        app = session.app
        register_rca_factories(
            app.view_manager, server, slice_view_ui_f=_corner, interactive_quality=MOVING_QUALITY, blur_fps=30
        )
        self.layout = LayoutManager(app.scene, app.view_manager, server)
        left = ViewLayoutDefinition.axial_view(LEFT)
        right = ViewLayoutDefinition.sagittal_view(RIGHT)
        beside = Layout(LayoutDirection.Vertical, [ViewLayoutDefinition.coronal_view(), right])
        layouts = {
            ONE: Layout(LayoutDirection.Vertical, [left]),
            THREE: Layout(LayoutDirection.Horizontal, [left, beside], ["2", "1"]),
            TWO: Layout(LayoutDirection.Horizontal, [left, right]),
        }
        # A view costs a window: the others are made when they are needed, the first before the page is drawn.
        self.layout.register_layout_dict(layouts, lazy_initialization=True)
        self.layout.create_layout_views_if_needed(ONE)
        self.layout.set_layout(ONE)
        self._shown: Any = None
        self._scans: tuple = ()
        self._fresh: set[str] = set()
        self._watched: set[str] = set()

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
        if node is not self._shown:
            self._shown = node
            self.show_image()

    def follow_scans(self) -> None:
        """Two views beside each other when two scans are chosen, before the workbench fills them."""
        chosen = self.session.bench.matching.chosen
        scans = tuple(subject.node for subject in chosen)
        if scans and scans != self._scans:
            self.side_by_side()
        self._scans = scans

    def show_image(self) -> None:
        """The chosen image, all of it."""
        subject = self.session.bench.inputs.subject
        flat = subject is None or subject.cine.grid.is_slice
        self._arrange(ONE if flat else THREE, flat)
        for view in self.slices():
            view.set_foreground_volume_id(None)
            view.set_background_volume_id(subject.volume.GetID() if subject is not None else None)
            if subject is not None and flat:
                view.get_view_node().RotateToVolumePlane(subject.volume)
        self.session.bench.reliability_map.refresh()
        self.fit()

    @property
    def are_two(self) -> bool:
        """Whether two scans are beside each other."""
        return self.layout.layout_id == TWO

    @property
    def corners(self) -> dict[str, str]:
        """What stands in the corners of the views, by view; the image's name where nothing is said."""
        if not self.are_two:
            return {}
        matching, comparison = self.session.bench.matching, self.session.bench.comparison
        names = [subject.name if subject is not None else "" for subject in (matching.fixed, matching.moving)]
        titles = {
            "pairs": _("moving: {name}").format(name=names[1]),
            "checkerboard": _("fixed and warped in turn"),
            "blend": _("fixed and warped, {share:.0f} % warped").format(share=100 * comparison.share),
        }
        return {LEFT: _("fixed: {name}").format(name=names[0]), RIGHT: titles[comparison.look]}

    @property
    def adjusting(self) -> bool:
        """Whether a drag in a view changes brightness and contrast."""
        return bool(self._interaction.GetCurrentInteractionMode() == INTERACTION.AdjustWindowLevel)

    @adjusting.setter
    def adjusting(self, on: bool) -> None:
        mode = INTERACTION.AdjustWindowLevel if on else INTERACTION.ViewTransform
        self._interaction.SetCurrentInteractionMode(mode)
        for view in self.slices():
            bars = view.get_displayable_manager_by_class("vtkMRMLScalarBarDisplayableManager")
            bars.SetAdjustBackgroundWindowLevelEnabled(on)

    @property
    def _interaction(self) -> Any:
        return self.session.scene.GetFirstNodeByClass("vtkMRMLInteractionNode")

    def side_by_side(self) -> None:
        """Two linked views, which the workbench fills with the two scans to match."""
        self._arrange(TWO, all(subject.cine.grid.is_slice for subject in self.session.bench.matching.chosen))

    def fit(self) -> None:
        """Show the whole image."""
        for view in self.slices():
            view.fit_view_to_content()
            view.schedule_render()

    def _arrange(self, layout: str, flat: bool) -> None:
        self.layout.set_layout(layout)
        linked = layout == TWO
        for view in self.slices():
            # Smooth edges cost more than all the rest where a processor draws.
            view.render_window().SetMultiSamples(0)
            self._fit_when_sized(view)
            right = view.get_singleton_tag() == RIGHT
            view.set_orientation("Sagittal" if right and not linked else _own_orientation(view))
            composite = view._logic.GetSliceCompositeNode()
            composite.SetLinkedControl(linked)
            composite.SetHotLinkedControl(linked)
            # There is nothing to leaf through in one slice.
            style = view._interactor_observer
            style.SetActionEnabled(style.BrowseSlice, not flat)

    def _fit_when_sized(self, view: SliceView) -> None:
        """The page says only later how much of the screen a view has: fit its image again then, once."""
        tag = view.get_singleton_tag()
        self._fresh.add(tag)
        if tag not in self._watched:
            self._watched.add(tag)
            view.interactor().AddObserver(vtk.vtkCommand.WindowResizeEvent, lambda *_: self._sized(tag, view))

    def _sized(self, tag: str, view: SliceView) -> None:
        if tag in self._fresh:
            self._fresh.discard(tag)
            view.fit_view_to_content()


def _own_orientation(view: SliceView) -> str:
    return "Coronal" if view.get_singleton_tag() == "Green" else "Axial"


def _corner(_server: Any, _view_id: str, view: SliceView) -> None:
    """What stands in the corner of a view."""
    html.Div(f"{{{{ corners['{view.get_singleton_tag()}'] ?? corner }}}}", classes="lt-corner")
