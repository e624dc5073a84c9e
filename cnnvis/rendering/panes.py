"""Scenes side by side in one render window, seen or unseen: the panes of a grid, or a single scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.scene_renderer import SceneRenderer
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Scene, SceneGrid, scenes_of

Box = tuple[float, float, float, float]
"""Left, bottom, right and top as shares of a window."""


class ScenePane(NamedTuple):
    """One drawn scene and its part of the window."""

    drawn: SceneRenderer
    box: Box

    def holds(self, x: float, y: float) -> bool:
        """Whether a place of the window, as shares from its lower left corner, is in the pane."""
        left, bottom, right, top = self.box
        return left <= x < right and bottom <= y < top


class ScenePanes:
    """Draws a scene or a grid into a render window that somebody else owns.

    Parameters
    ----------
    window : vtkRenderWindow
    target : Scene or SceneGrid
    make_renderer : callable, default: vtkRenderer
        Makes the renderer of a pane.
    turning : bool
        Keep one distance at every azimuth: for a film.
    """

    def __init__(
        self,
        window: vtk.vtkRenderWindow,
        target: Scene | SceneGrid,
        *,
        make_renderer: Callable[[], vtk.vtkRenderer] = vtk.vtkRenderer,
        turning: bool = False,
    ) -> None:
        scenes = scenes_of(target)
        self.window = window
        self.panes: tuple[ScenePane, ...] = ()
        self._renderers: list[vtk.vtkRenderer] = []
        self._columns, self._rows = (target.columns, target.rows) if isinstance(target, SceneGrid) else (1, 1)
        columns, rows = self._columns, self._rows
        for index in range(columns * rows):
            row, column = divmod(index, columns)
            box = (column / columns, 1 - (row + 1) / rows, (column + 1) / columns, 1 - row / rows)
            renderer = make_renderer()
            renderer.SetUseFXAA(True)
            renderer.SetViewport(*box)
            window.AddRenderer(renderer)
            self._renderers.append(renderer)
            if index >= len(scenes):  # the rest of the last row is paper, not black
                renderer.SetBackground(*THEMES[scenes[0].background].background)
                renderer.InteractiveOff()
                continue
            self.panes += (ScenePane(SceneRenderer(scenes[index], renderer, turning=turning), box),)

    def refresh(self) -> None:
        """Bring every pane up to date with its scene; nothing is drawn yet."""
        width, height = self.window.GetSize()
        for pane in self.panes:
            pane.drawn.refresh(max(1, width // self._columns), max(1, height // self._rows))

    def follow_cameras(self) -> None:
        """Move the VTK cameras to where the scenes' cameras are; titles, axes and keys stay until `refresh`."""
        for pane in self.panes:
            pane.drawn.follow_camera()

    def interactive(self, moving: bool) -> None:
        """Draw less while something moves; see `SceneRenderer.interactive`."""
        for pane in self.panes:
            pane.drawn.interactive(moving)

    def at(self, x: int, y: int) -> ScenePane | None:
        """Return the pane at a pixel, counted from the lower left corner of the window."""
        width, height = self.window.GetSize()
        return next((pane for pane in self.panes if pane.holds(x / width, y / height)), None)

    def close(self) -> None:
        """Let go of the scenes and take the renderers out of the window; idempotent."""
        for pane in self.panes:
            pane.drawn.close()
        for renderer in self._renderers:
            self.window.RemoveRenderer(renderer)
        self.panes, self._renderers = (), []
