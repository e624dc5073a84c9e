"""A view in a notebook that is drawn by the kernel: trame streams pictures to the browser and brings the mouse back."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.notebook.controls import Control, controls_of
from cnnvis.rendering.turned_window import TurnedWindow
from cnnvis.scene import Scene, SceneGrid, SceneWatch, scenes_of

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_VIEWS = 4
"""Views that stay alive; the oldest becomes a still picture when another comes."""

STILL_QUALITY, MOVING_QUALITY = 95, 70
"""Of JPEG, in per cent."""

FRAMES_PER_SECOND = 20

_numbers = count(1)
_alive: list[RemoteView] = []


def can_stream() -> bool:
    """Return whether trame is installed and an event loop runs to serve it, as in a Jupyter kernel."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return all(find_spec(package) for package in ("trame", "trame_rca"))


class RemoteView:
    """Serves a scene on a port of this machine, from the kernel's own event loop: while a cell runs, it stands still.

    Parameters
    ----------
    target : Scene or SceneGrid
    size : (width, height) in pixels
        Of the first picture; then the browser decides.

    Attributes
    ----------
    port : int
    first : (H, W, 3) ndarray of uint8
        The picture to begin with.
    """

    def __init__(self, target: Scene | SceneGrid, size: tuple[int, int]) -> None:
        self._window = TurnedWindow(target, size)
        self.first = self._picture = self._window.draw()
        self._stale = False
        self.controls = controls_of(scenes_of(target))
        self.port = _free_port()
        self._server = self._serve()
        self._watch = SceneWatch(scenes_of(target), self._changed, self._changed)
        _alive.append(self)
        while len(_alive) > MAX_VIEWS:
            _alive[0].close()

    # -- what trame-rca asks for -----------------------------------------------------------------

    @property
    def img_cols_rows(self) -> tuple[NDArray[np.uint8], int, int]:
        """The picture as it is now, and its columns and rows; drawn only where something has changed."""
        if self._stale:
            self._stale = False
            try:
                self._picture = self._window.draw()
                self._tell("")
            except Exception as error:
                logger.exception("The view could not be drawn.")
                self._tell(str(error))
        rows, columns, _ = self._picture.shape
        return self._picture, columns, rows

    def process_resize_event(self, width: int, height: int) -> None:
        """Draw in the size that the view has in the browser."""
        self._window.resize(width, height)
        self._stale = True

    def process_interaction_event(self, event: Mapping[str, Any]) -> None:
        """Turn the camera as the mouse says."""
        held = self._window.in_hand
        self._window.handle(event)
        self._stale = self._stale or held != self._window.in_hand

    # -- scene and controls ----------------------------------------------------------------------

    def _changed(self) -> None:
        """Send another picture soon, and move the controls to where the scene is."""
        self._stale = True
        self._handler.update()
        with self._server.state as state:
            for number, control in enumerate(self.controls):
                state[f"value_{number}"] = control.value()

    def _move(self, number: int, **state: Any) -> None:
        control = self.controls[number]
        value = state[f"value_{number}"]
        if value == control.value():
            return
        try:
            control.change(value)
        except Exception as error:  # noqa: BLE001 - the view says so, and lives on
            self._tell(f"{control.label}: {error}")

    def _tell(self, problem: str) -> None:
        if self._server.state.problem != problem:
            with self._server.state as state:
                state.problem = problem

    # -- the page --------------------------------------------------------------------------------

    def _serve(self) -> Any:
        from trame.app import get_server

        server = get_server(f"cnnvis-{next(_numbers)}", client_type="vue3")
        server.state.problem = ""
        for number, control in enumerate(self.controls):
            server.state[f"value_{number}"] = control.value()
            server.state.change(f"value_{number}")(partial(self._move, number))
        self._lay_out(server)
        server.start(
            exec_mode="task",
            host=HOST,
            port=self.port,
            open_browser=False,
            show_connection_info=False,
            disable_logging=True,
            timeout=0,
        )
        return server

    def _lay_out(self, server: Any) -> None:
        from trame.ui.html import DivLayout
        from trame.widgets import html, rca

        with DivLayout(server), html.Div(style="position: fixed; inset: 0; display: flex; flex-direction: column"):
            with html.Div(style="flex: 1; min-height: 0; position: relative"):
                area = rca.RemoteControlledArea(display="image", style="position: absolute; inset: 0")
                self._handler = area.create_view_handler(
                    self,
                    encoder="jpeg",
                    target_fps=FRAMES_PER_SECOND,
                    interactive_quality=MOVING_QUALITY,
                    still_quality=STILL_QUALITY,
                )
            with html.Div(style="display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 4px; font: 14px sans-serif"):
                for number, control in enumerate(self.controls):
                    _lay_out_control(control, f"value_{number}")
                html.Span("{{ problem }}", v_if="problem", style="color: #b00", role="alert")

    def close(self) -> None:
        """Stop serving; what the notebook shows is then a picture. Idempotent."""
        if self not in _alive:
            return
        _alive.remove(self)
        self._watch.close()
        self._window.close()
        for task in (self._handler.close(), self._server.stop()):
            asyncio.get_running_loop().create_task(task)


def _lay_out_control(control: Control, key: str) -> None:
    """Put a labelled slider or list into the layout."""
    from trame.widgets import html

    with html.Label(f"{control.label} ", style="display: inline-flex; align-items: center; gap: 6px"):
        if not control.choices:
            html.Input(
                type="range",
                min=control.low,
                max=control.high,
                step=control.step,
                value=(key,),
                input=f"{key} = Number($event.target.value)",
                style="width: 110px",
            )
            return
        with html.Select(v_model=(key,)):
            for value, text in control.choices:
                html.Option(text, value=(repr(value),))


def _free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
