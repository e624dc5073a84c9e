"""A window that nobody sees: scenes or grids drawn to arrays of pixels."""

from __future__ import annotations

from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering import errors_of_vtk
from cnnvis.rendering.panes import ScenePane, ScenePanes
from cnnvis.rendering.probe import require_rendering
from cnnvis.scene import Scene, SceneGrid, scenes_of

MULTISAMPLES = 0
"""Fixed, so that a picture does not depend on what a driver prefers; depth peeling needs none. FXAA smooths edges."""

MAX_PIXELS = 16384


def pixels_of(window: vtk.vtkRenderWindow) -> NDArray[np.uint8]:
    """Return what a window drew last, (H, W, 3) uint8, first row on top."""
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToRGB()
    grab.ReadFrontBufferOff()
    grab.ShouldRerenderOff()
    grab.Update()
    image = grab.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)
    return np.ascontiguousarray(pixels[::-1])


class OffscreenWindow:
    """Draws a scene or a grid off screen; a context manager, for `close` must free the OpenGL context.

    Parameters
    ----------
    target : Scene or SceneGrid
    size : (width, height) in pixels
    turning : bool
        Keep one distance at every azimuth: for a film.
    """

    def __init__(self, target: Scene | SceneGrid, size: tuple[int, int], *, turning: bool = False) -> None:
        scenes_of(target)
        width, height = (int(side) for side in size)
        if not (16 <= width <= MAX_PIXELS and 16 <= height <= MAX_PIXELS):
            raise InvalidInputError(f"A picture is 16 to {MAX_PIXELS} pixels on each side, got {width} x {height}.")
        require_rendering()
        self.size = (width, height)
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.SetShowWindow(False)
        self.window.SetMultiSamples(MULTISAMPLES)
        self.window.SetSize(width, height)
        self._panes = ScenePanes(self.window, target, turning=turning)

    @property
    def panes(self) -> tuple[ScenePane, ...]:
        """What is drawn where."""
        return self._panes.panes

    def draw(self) -> NDArray[np.uint8]:
        """Return the picture as it is now, (H, W, 3) uint8, first row on top.

        Raises
        ------
        RenderingError
            When the OpenGL driver does not take a shader.
        """
        self._panes.refresh()
        return self._drawn()

    def _drawn(self) -> NDArray[np.uint8]:
        with errors_of_vtk.raised():
            self.window.Render()
        return pixels_of(self.window)

    def close(self) -> None:
        """Free the OpenGL context and let go of the scenes."""
        self._panes.close()
        self.window.Finalize()

    def __enter__(self) -> OffscreenWindow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
