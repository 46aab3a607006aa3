"""A slice view of Slicer, off screen and all real: its image, its Markups, its answer to the mouse."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
)


class SliceView:
    """One slice view, with the logic, displayable managers and interactor that Slicer gives it."""

    def __init__(self, mrml, name: str = "Red", size: tuple[int, int] = (480, 480)) -> None:
        self.size = size
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(mrml.logic)
        self.logic.SetMRMLScene(mrml.scene)
        self.node = self.logic.AddSliceNode(name)
        mrml.logic.GetSliceLogics().AddItem(self.logic)
        self.window, self.interactor = vtk.vtkRenderWindow(), vtk.vtkRenderWindowInteractor()
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(*size)
        renderer = vtk.vtkRenderer()
        renderer.GetActiveCamera().ParallelProjectionOn()
        self.window.AddRenderer(renderer)
        renderer.AddViewProp(self._image_actor())
        self.interactor.SetRenderWindow(self.window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.interactor.Initialize()
        self._managers = self._displayable_managers(mrml.logic, renderer)
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(self.logic)
        self._style.SetDisplayableManagers(self._managers)
        self._style.SetInteractor(self.interactor)
        self.logic.ResizeSliceNode(*size)
        self.window.Render()

    def resize(self, size: tuple[int, int]) -> None:
        """Take this much of the screen."""
        self.size = size
        self.window.SetSize(*size)
        self.logic.ResizeSliceNode(*size)
        self.node.UpdateMatrices()

    def show(self, volume, orientation: str = "Axial") -> None:
        """Show a volume in its own plane, filling the view."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
        self.node.SetOrientation(orientation)
        self.node.RotateToVolumePlane(volume)
        self.logic.FitSliceToBackground()
        self.node.UpdateMatrices()

    def zoom(self, factor: float, ras) -> None:
        """Magnify around a point."""
        width, height, depth = self.node.GetFieldOfView()
        self.node.SetFieldOfView(width / factor, height / factor, depth)
        self.node.JumpSliceByCentering(*ras)
        self.node.UpdateMatrices()

    def move(self, ras) -> None:
        """Move the mouse to a point in the slice plane, RAS mm."""
        self._mouse("MouseMoveEvent", ras)

    def click(self, ras) -> None:
        """Press and release the left button there."""
        self._mouse("EnterEvent", ras)
        for event in ("MouseMoveEvent", "LeftButtonPressEvent", "LeftButtonReleaseEvent"):
            self._mouse(event, ras)

    def drag(self, start, end) -> None:
        """Press at one point, move to another in steps, release there."""
        self._mouse("EnterEvent", start)
        self._mouse("MouseMoveEvent", start)
        self._mouse("LeftButtonPressEvent", start)
        for part in np.linspace(0, 1, 5)[1:]:
            self._mouse("MouseMoveEvent", np.asarray(start) * (1 - part) + np.asarray(end) * part)
        self._mouse("LeftButtonReleaseEvent", end)

    def nearest(self, ras) -> np.ndarray:
        """The point under the pixel of the view in which this point lies: where a mouse can be."""
        return np.array(self.node.GetXYToRAS().MultiplyPoint((*self._pixel(ras), 0, 1))[:3])

    def picture(self) -> np.ndarray:
        """(rows, columns, 3) uint8 of what the view shows."""
        # There is nothing to connect before the view shows its first volume.
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars())
        return pixels.reshape(self.size[1], self.size[0], -1)[::-1, :, :3].copy()

    def close(self) -> None:
        """Before the scene goes."""
        self._style.SetInteractor(None)
        self._managers.SetMRMLDisplayableNode(None)
        self.logic.SetMRMLScene(None)
        self.window.Finalize()

    def _image_actor(self):
        self._mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        return actor

    def _displayable_managers(self, logic, renderer):
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(logic)
        for name in MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        managers = factory.InstantiateDisplayableManagers(renderer)
        managers.SetMRMLDisplayableNode(self.node)
        return managers

    def _pixel(self, ras) -> tuple[int, int]:
        to_view = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), to_view)
        x, y = to_view.MultiplyPoint((*ras, 1))[:2]
        return round(x), round(y)

    def _mouse(self, event: str, ras) -> None:
        self.interactor.SetEventInformation(*self._pixel(ras), 0, 0, chr(0), 0, None)
        self.interactor.InvokeEvent(event)
