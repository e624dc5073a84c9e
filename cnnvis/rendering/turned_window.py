"""An unseen window that a mouse elsewhere turns: events come in as data, pictures go out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleTrackballCamera
from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor
from vtkmodules.vtkWebCore import vtkRemoteInteractionAdapter

from cnnvis.rendering.offscreen import MAX_PIXELS, OffscreenWindow
from cnnvis.rendering.viewpoint import camera_state
from cnnvis.scene import Scene, SceneGrid

MIN_PIXELS = 64

IGNORED = ("StartInteractionEvent", "EndInteractionEvent")
"""Events that only say that others come, which VTK would complain about."""


class TurnedWindow(OffscreenWindow):
    """Draws a scene or a grid off screen, and lets its cameras be turned by events from elsewhere.

    While a button is held, pictures are rough, as in the viewer; what is turned is the camera of the scene.

    Parameters
    ----------
    target : Scene or SceneGrid
    size : (width, height) in pixels
    """

    def __init__(self, target: Scene | SceneGrid, size: tuple[int, int]) -> None:
        super().__init__(target, size)
        self.in_hand = False
        # The generic one: that of the platform would talk to an X server about a window that has none.
        self._interactor = vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        self._interactor.EnableRenderOff()
        self._style = vtkInteractorStyleTrackballCamera()
        self._style.AddObserver("StartInteractionEvent", lambda *_: self._hold(True))
        self._style.AddObserver("EndInteractionEvent", lambda *_: self._hold(False))
        self._interactor.SetInteractorStyle(self._style)
        self._interactor.Initialize()

    def _hold(self, held: bool) -> None:
        self.in_hand = held
        self._panes.interactive(held)

    def handle(self, event: Mapping[str, Any]) -> None:
        """Turn, shift or zoom as an event of vtk.js says, and write the camera into the scene.

        Parameters
        ----------
        event : mapping
            "type" (LeftButtonPress, MouseMove ...), "x" and "y" in pixels from the lower left corner, and so on.
        """
        kind = str(event.get("type", ""))
        if kind in IGNORED:
            return
        vtkRemoteInteractionAdapter.ProcessEvent(self._interactor, json.dumps(dict(event)))
        pane = self._panes.at(*self._interactor.GetEventPosition())
        if pane is None:
            return
        camera, state = pane.drawn.renderer.GetActiveCamera(), pane.drawn.scene.camera
        if self.in_hand or "Wheel" in kind or "Pinch" in kind:
            state.update(camera_state(camera, state))

    def resize(self, width: int, height: int) -> None:
        """Draw in another size from now on; one that is no picture is brought within the limits."""
        self.size = tuple(int(np.clip(side, MIN_PIXELS, MAX_PIXELS)) for side in (width, height))
        self.window.SetSize(*self.size)
        self._interactor.SetSize(*self.size)

    def draw(self) -> NDArray[np.uint8]:
        """Return the picture as it is now, (H, W, 3) uint8, first row on top; a rough one while turned by hand."""
        if not self.in_hand:
            return super().draw()
        self._panes.follow_cameras()
        return self._drawn()

    def close(self) -> None:
        """Free the OpenGL context and let go of the scenes."""
        self._interactor.SetRenderWindow(None)
        super().close()
