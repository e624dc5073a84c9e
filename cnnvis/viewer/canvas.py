"""The 3-D view of what is open: keeps the picture in step with the scenes, roughly at once and fully at rest."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from cnnvis.rendering import ScenePane, ScenePanes, camera_state, errors_of_vtk, pixels_of
from cnnvis.scene import SceneGrid
from cnnvis.viewer.orientation import OrientationMarker
from cnnvis.viewer.preparing import Preparing
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.view import SceneView
from cnnvis.viewer.workspace import Workspace

REST_MS = 150
"""How long nothing must change before the full picture is drawn."""

QUICK = 0.08
"""Seconds that a full frame may take to be drawn at once, in place of a rough one before it."""

WHOLE = (0.0, 0.0, 1.0, 1.0)
"""Left, bottom, right and top of the view, as shares."""

FRAMES = 12
"""Frames over which the rate is measured."""


class SceneCanvas(QWidget):
    """Draws the target of a workspace.

    Changes of the scenes are drawn together in the next turn of the event loop: roughly where the full picture takes
    long, and in full once nothing has changed for `REST_MS`, no hand turns the camera and no job runs. What takes long
    to build is first made in a thread; until then the last picture stays.

    Notes
    -----
    Signals: `painted` with whether the frame was a full one; `failed` with an error of drawing.
    """

    painted = Signal(bool)
    failed = Signal(str, object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.view = SceneView(self)
        self.marker = OrientationMarker(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._panes: ScenePanes | None = None
        self._preparing = Preparing(workspace.jobs, self._change)
        self._ready = False
        self._stale = self._camera_stale = True
        self._in_hand = False
        self._full_seconds = np.inf
        self._rough: list[float] = []
        self._full = False
        self._soon = single_shot(self, 0, self._draw_soon)
        self._rest = single_shot(self, REST_MS, self._draw_full)
        self._still = single_shot(self, REST_MS, self.place_marker)
        self.view.ready.connect(self._become_ready)
        self.view.resized.connect(self._change)
        self.view.turning.connect(self._turn_by_hand)
        self.view.rested.connect(self._let_go)
        workspace.target_changed.connect(self._show_target)
        workspace.edited.connect(self._change)
        workspace.moved.connect(self._change_camera)
        workspace.jobs.ended.connect(lambda _: None if self.resting else self._rest.start())
        self._show_target()

    # -- what is shown ---------------------------------------------------------------------------

    def _show_target(self) -> None:
        if self._panes is not None:
            self._panes.close()
        self._panes = ScenePanes(self.view.ren_win, self.workspace.target)
        self._full_seconds = np.inf
        self._change()

    @property
    def panes(self) -> tuple[ScenePane, ...]:
        """What is drawn where."""
        return () if self._panes is None else self._panes.panes

    def pane_at(self, x: int, y: int) -> ScenePane | None:
        """Return the pane at a pixel of the render window."""
        return None if self._panes is None else self._panes.at(x, y)

    @property
    def resting(self) -> bool:
        """Whether the full picture of the present state is on the screen."""
        waiting = self._soon.isActive() or self._rest.isActive()
        return self._full and not (self._stale or self._camera_stale or self._in_hand or waiting)

    @property
    def frames_per_second(self) -> float:
        """Rate of the last frames that were drawn while something moved; NaN before the first."""
        return 1 / float(np.mean(self._rough)) if self._rough else float("nan")

    @property
    def full_seconds(self) -> float:
        """Time that the last full frame took to draw; infinity before the first."""
        return self._full_seconds

    def pixels(self) -> NDArray[np.uint8]:
        """Return the picture on the screen, (H, W, 3) uint8."""
        return pixels_of(self.view.ren_win)

    # -- changes ---------------------------------------------------------------------------------

    def _become_ready(self) -> None:
        self._ready = self._stale = self._camera_stale = True
        self._draw_soon()

    def _change(self) -> None:
        self._stale = True
        self._soon.start()

    def _change_camera(self) -> None:
        self._camera_stale = True
        self._soon.start()

    def _turn_by_hand(self, at: tuple[int, int]) -> None:
        pane = self.pane_at(*at)
        if pane is None:
            return
        self._in_hand = True
        scene = pane.drawn.scene
        self.workspace.activate(scene)
        scene.camera.update(camera_state(pane.drawn.renderer.GetActiveCamera(), scene.camera))

    def _let_go(self) -> None:
        self._in_hand = False
        self._rest.start()

    def centre_on(self, pane: ScenePane, place: tuple[float, float, float]) -> None:
        """Look at a place of the scene, from the same side and as far away."""
        scene = pane.drawn.scene
        state = camera_state(pane.drawn.renderer.GetActiveCamera(), scene.camera)
        way = np.array(place) - state["focal_point"]
        scene.camera.update(state | {"focal_point": tuple(place), "position": tuple(np.array(state["position"]) + way)})

    # -- drawing ---------------------------------------------------------------------------------

    def _draw_soon(self) -> None:
        if not self._can_draw():
            return
        full = self._full_seconds <= QUICK and not self._in_hand
        fresh = full or (self._stale and not self._in_hand)
        if fresh and not self._preparing.is_done(self._panes):
            full = fresh = False
            if not self._camera_stale:
                return
        if fresh:
            self._panes.refresh()
            self._stale = False
        else:
            self._panes.follow_cameras()
        self._camera_stale = False
        self._draw(full=full)
        if not full:
            self._rest.start()

    def _draw_full(self) -> None:
        if self._in_hand or self.workspace.jobs.busy or not self._can_draw():
            return
        if not self._preparing.is_done(self._panes):
            return
        self._panes.refresh()
        self._stale = self._camera_stale = False
        self._draw(full=True)

    def _can_draw(self) -> bool:
        return self._ready and self._panes is not None and self.isVisible()

    def _draw(self, *, full: bool) -> None:
        self._panes.interactive(not full)
        start = perf_counter()
        try:
            with errors_of_vtk.raised():
                self.view.ren_win.Render()
                self.view.ren_win.WaitForCompletion()
                width, height = self.view.ren_win.GetSize()
                self.workspace.view_size = width, height
        except Exception as error:  # noqa: BLE001 - the window lives on, and says what could not be drawn
            self.failed.emit("Drawing", error)
        seconds = perf_counter() - start
        if full:
            self._full_seconds = seconds
        else:
            self._rough = [*self._rough, seconds][-FRAMES:]
        self._full = full
        shown = self._active_pane.drawn
        self.marker.look_from(shown.renderer.GetActiveCamera(), shown.scene.background)
        if full:
            self._still.start()
        self.painted.emit(full)

    @property
    def _active_pane(self) -> ScenePane:
        return next(pane for pane in self.panes if pane.drawn.scene is self.workspace.scene)

    def place_marker(self) -> None:
        """Put the orientation marker where nothing is drawn: in the active pane, or in any if all are seen alike."""
        self._still.stop()
        if not self._full or not len(self.workspace.scene):
            self.marker.hide()
            return
        target = self.workspace.target
        alike = isinstance(target, SceneGrid) and "camera" in target.link
        self.marker.find_place(self.pixels(), WHOLE if alike else self._active_pane.box)

    def close_view(self) -> None:
        """Let go of the scenes and of OpenGL; once, before the window goes."""
        for timer in (self._soon, self._rest, self._still):
            timer.stop()
        self._ready = False
        if self._panes is not None:
            self._panes.close()
            self._panes = None
        self.view.close()
