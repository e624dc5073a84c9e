"""Scenes side by side in one render window, seen or unseen: the panes of a grid, or a single scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        self.window = window
        self.target = target
        self.panes: tuple[ScenePane, ...] = ()
        self._paper = make_renderer()  # the rest of the last row is paper, not black
        self._paper.InteractiveOff()
        window.AddRenderer(self._paper)
        drawn = [SceneRenderer(scene, self._smooth(make_renderer()), turning=turning) for scene in scenes_of(target)]
        self._shape = (0, 0)
        self._share_out(drawn)

    def _smooth(self, renderer: vtk.vtkRenderer) -> vtk.vtkRenderer:
        renderer.SetUseFXAA(True)
        self.window.AddRenderer(renderer)
        return renderer

    def _share_out(self, drawn: Sequence[SceneRenderer]) -> None:
        """Give each scene its part of the window, row by row."""
        shape = self.target.shape_in(*self.window.GetSize()) if isinstance(self.target, SceneGrid) else (1, 1)
        if shape == self._shape:
            return
        columns, rows = self._shape = shape
        panes = []
        for index, each in enumerate(drawn):
            row, column = divmod(index, columns)
            box = (column / columns, 1 - (row + 1) / rows, (column + 1) / columns, 1 - row / rows)
            each.renderer.SetViewport(*box)
            panes.append(ScenePane(each, box))
        self.panes = tuple(panes)
        self._paper.SetDraw(len(panes) < columns * rows)

    def refresh(self) -> None:
        """Bring every pane up to date with its scene and the size of the window; nothing is drawn yet."""
        self._share_out([pane.drawn for pane in self.panes])
        self._paper.SetBackground(*THEMES[self.panes[0].drawn.scene.background].background)
        width, height = self.window.GetSize()
        columns, rows = self._shape
        for pane in self.panes:
            pane.drawn.refresh(max(1, width // columns), max(1, height // rows))

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
            self.window.RemoveRenderer(pane.drawn.renderer)
        self.window.RemoveRenderer(self._paper)
        self.panes = ()
