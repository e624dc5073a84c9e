"""A window that nobody sees: scenes or grids drawn to arrays of pixels."""

from __future__ import annotations

from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering import errors_of_vtk
from cnnvis.rendering.probe import require_rendering
from cnnvis.rendering.scene_renderer import SceneRenderer
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Scene, SceneGrid

MULTISAMPLES = 0
"""Fixed, so that a picture does not depend on what a driver prefers; depth peeling needs none. FXAA smooths edges."""

MAX_PIXELS = 16384


def scenes_of(target: Scene | SceneGrid) -> tuple[Scene, ...]:
    """Return the scenes that are drawn: those of a grid, or the one given.

    Raises
    ------
    InvalidInputError
        For anything else; the message says how it becomes a scene.
    """
    if isinstance(target, SceneGrid):
        return target.scenes
    if isinstance(target, Scene):
        return (target,)
    raise InvalidInputError(
        f"A Scene or a SceneGrid can be rendered, got {type(target).__name__}. "
        "Maps, arrays and volumes become a scene by cnnvis.Scene.of(maps)."
    )


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
        scenes = scenes_of(target)
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
        self.panes: list[tuple[SceneRenderer, tuple[int, int]]] = []
        columns, rows = (target.columns, target.rows) if isinstance(target, SceneGrid) else (1, 1)
        for index in range(columns * rows):
            row, column = divmod(index, columns)
            renderer = vtk.vtkRenderer()
            renderer.SetUseFXAA(True)
            renderer.SetViewport(column / columns, 1 - (row + 1) / rows, (column + 1) / columns, 1 - row / rows)
            self.window.AddRenderer(renderer)
            if index >= len(scenes):  # the rest of the last row is paper, not black
                renderer.SetBackground(*THEMES[scenes[0].background].background)
                continue
            pane = (max(1, width // columns), max(1, height // rows))
            self.panes.append((SceneRenderer(scenes[index], renderer, turning=turning), pane))

    def draw(self) -> NDArray[np.uint8]:
        """Return the picture as it is now, (H, W, 3) uint8, first row on top.

        Raises
        ------
        RenderingError
            When the OpenGL driver does not take a shader.
        """
        for scene_renderer, (width, height) in self.panes:
            scene_renderer.refresh(width, height)
        with errors_of_vtk.raised():
            self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.SetInputBufferTypeToRGB()
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        pixels = vtk.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        """Free the OpenGL context and let go of the scenes."""
        for scene_renderer, _ in self.panes:
            scene_renderer.close()
        self.panes = []
        self.window.Finalize()

    def __enter__(self) -> OffscreenWindow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
